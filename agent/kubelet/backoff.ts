/** Waiting longer after each failure, as upstream's flowcontrol.Backoff does. */

export interface BackoffOptions {
  initialMs: number;
  maxMs: number;
  /** A key that was quiet for this long starts anew. */
  resetMs: number;
}

/** Containers and images: 10 s, doubled up to 5 min, forgotten after 10 min. */
export const RESTART_BACKOFF: BackoffOptions = { initialMs: 10_000, maxMs: 300_000, resetMs: 600_000 };

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #entries = new Map<string, { ms: number; at: number }>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How long to wait after the failure at `since`, and until when; undefined when nothing holds the key back. */
  check(key: string, since: number, now: number): { ms: number; until: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || since - entry.at > this.#options.resetMs) return undefined;
    const until = since + entry.ms;
    return now < until ? { ms: entry.ms, until } : undefined;
  }

  /** Notes a try at `now`, after the failure at `since`: the next failure waits longer. */
  next(key: string, since: number, now: number): void {
    const entry = this.#entries.get(key);
    const { initialMs, maxMs, resetMs } = this.#options;
    const fresh = entry === undefined || since - entry.at > resetMs;
    this.#entries.set(key, { ms: fresh ? initialMs : Math.min(entry.ms * 2, maxMs), at: now });
  }

  /** After a restart of the agent: as if the key had failed `failures` times, the last time started at `at`. */
  restore(key: string, failures: number, at: number): void {
    if (failures <= 0 || this.#entries.has(key)) return;
    const { initialMs, maxMs } = this.#options;
    this.#entries.set(key, { ms: Math.min(initialMs * 2 ** Math.min(failures - 1, 20), maxMs), at });
  }

  /** Forgets every key that starts with `prefix`. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
