/** How long to wait before a pod that failed on a node is replaced: a second, and twice as long each time. Forgotten with the object that remembers it. */
const FIRST_MS = 1000;
const MAX_MS = 900_000;
/** Enough for every node of a large cluster; the oldest go first. */
const REMEMBERED = 10_000;

interface Entry {
  delay: number;
  since: number;
}

export class FailedPodBackoff {
  readonly #entries = new Map<string, Entry>();

  /** Ms until a failed pod of `key` may be replaced; 0: now, and the next wait is longer. */
  wait(key: string, at: number): number {
    const known = this.#entries.get(key);
    const fresh = known !== undefined && at - known.since <= 2 * MAX_MS ? known : undefined;
    if (fresh !== undefined && at - fresh.since < fresh.delay) return fresh.delay - (at - fresh.since);
    this.#entries.delete(key);
    this.#entries.set(key, { delay: fresh === undefined ? FIRST_MS : Math.min(MAX_MS, fresh.delay * 2), since: at });
    if (this.#entries.size > REMEMBERED) this.#entries.delete(this.#entries.keys().next().value as string);
    return 0;
  }
}
