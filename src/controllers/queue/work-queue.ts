/**
 * client-go's rate-limited work queue, all controllers in one. A key is never worked on twice at once; one that is added while it is
 * being worked on comes again afterwards, and after work that took long not before it has rested. Memory holds the truth;
 * {@link WorkQueue.pending} says what a checkpoint has to write.
 */
import type { QueueRow } from './backend.ts';

const BACKOFF_BASE_MS = 5;
const BACKOFF_MAX_MS = 1_000_000;
/** Work that takes no longer may come again at once. */
const SHORT_MS = 20;
/** How many times as long as it took a key rests: while its objects change all the time, it takes a tenth of the time. */
const REST_FACTOR = 9;
const REST_MAX_MS = 500;

interface Entry extends QueueRow {
  working: boolean;
  /** Since when it is, or was last, worked on, in ms since the epoch. */
  startedAt: number;
  /** Added while working: when to come again. */
  again: number | undefined;
  /** What the disk holds; undefined: no row. */
  saved: { notBefore: number; attempts: number } | undefined;
}

/** `5 ms * 2^(attempts - 1)`, at most 1000 s (`ItemExponentialFailureRateLimiter`). */
export function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_BASE_MS * 2 ** Math.min(attempts - 1, 30), BACKOFF_MAX_MS);
}

/** How long a key is left alone after work on it that took `tookMs`: what changes meanwhile is looked at in one go. */
export function restMs(tookMs: number): number {
  return tookMs <= SHORT_MS ? 0 : Math.min(tookMs * REST_FACTOR, REST_MAX_MS);
}

export class WorkQueue {
  readonly #entries = new Map<string, Entry>();
  /** Rows on disk whose keys are done. */
  readonly #stale = new Map<string, Pick<QueueRow, 'controller' | 'key'>>();
  /** Until when keys rest that are done, in ms since the epoch. */
  readonly #resting = new Map<string, number>();
  /** Due keys, first in first out. */
  #ready: Entry[] = [];
  #readyHead = 0;
  /** Of keys that are not due yet: the earliest time, or one before it. */
  #earliest = Number.POSITIVE_INFINITY;
  readonly #now: () => number;

  constructor(rows: readonly QueueRow[], now: () => number) {
    this.#now = now;
    for (const row of rows) {
      const { notBefore, attempts } = row;
      const entry: Entry = { ...row, working: false, startedAt: 0, again: undefined, saved: { notBefore, attempts } };
      this.#entries.set(idOf(row.controller, row.key), entry);
      this.#earliest = Math.min(this.#earliest, notBefore);
    }
  }

  /** Queues the key, due after `delayMs`; where it is queued already, the earlier time counts. */
  add(controller: string, key: string, delayMs = 0): void {
    const id = idOf(controller, key);
    const now = this.#now();
    const at = Math.max(now + delayMs, this.#resting.get(id) ?? 0);
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      const saved = this.#stale.has(id) ? { notBefore: Number.NaN, attempts: 0 } : undefined;
      this.#stale.delete(id);
      const row = { controller, key, notBefore: at, attempts: 0 };
      const created: Entry = { ...row, working: false, startedAt: 0, again: undefined, saved };
      this.#entries.set(id, created);
      this.#queue(created, now);
    } else if (entry.working) {
      entry.again = Math.min(entry.again ?? at, at);
    } else if (at < entry.notBefore) {
      entry.notBefore = at;
      this.#queue(entry, now);
    }
  }

  /** Forgets a key that waits. Answers whether it did. */
  cancel(controller: string, key: string): boolean {
    const entry = this.#entries.get(idOf(controller, key));
    if (entry === undefined || entry.working) return false;
    this.#drop(entry);
    return true;
  }

  /** The next due key, now marked as being worked on; undefined when there is none. */
  take(): QueueRow | undefined {
    const now = this.#now();
    if (now >= this.#earliest) this.#promote(now);
    while (this.#readyHead < this.#ready.length) {
      const entry = this.#ready[this.#readyHead++] as Entry;
      if (this.#readyHead === this.#ready.length) {
        this.#ready = [];
        this.#readyHead = 0;
      }
      // An entry may stand here twice, or be cancelled or done since.
      if (entry.working || this.#entries.get(idOf(entry.controller, entry.key)) !== entry) continue;
      entry.working = true;
      entry.startedAt = now;
      return entry;
    }
    return undefined;
  }

  /** The key was worked on well; `requeueAfterMs`: and wants to be again. */
  succeed(row: QueueRow, requeueAfterMs?: number): void {
    const entry = this.#finish(row);
    if (entry === undefined) return;
    entry.attempts = 0;
    const wanted = requeueAfterMs === undefined ? undefined : this.#now() + requeueAfterMs;
    if (entry.again === undefined && wanted === undefined) this.#drop(entry);
    else this.#return(entry, Math.min(entry.again ?? Number.POSITIVE_INFINITY, wanted ?? Number.POSITIVE_INFINITY));
  }

  /** The key could not be worked on: again, after its back-off, or at once when it was added meanwhile. */
  fail(row: QueueRow): void {
    const entry = this.#finish(row);
    if (entry === undefined) return;
    entry.attempts++;
    this.#return(entry, Math.min(entry.again ?? Number.POSITIVE_INFINITY, this.#now() + backoffMs(entry.attempts)));
  }

  /** When the earliest waiting key is due, in ms since the epoch; keys that are being worked on do not count. */
  nextDue(): number | undefined {
    let earliest: number | undefined;
    for (const { working, notBefore } of this.#entries.values()) {
      if (!working && (earliest === undefined || notBefore < earliest)) earliest = notBefore;
    }
    return earliest;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How memory differs from disk. The caller commits it and then says so with {@link WorkQueue.saved}. */
  pending(): { put: QueueRow[]; remove: Pick<QueueRow, 'controller' | 'key'>[] } {
    const put: QueueRow[] = [];
    for (const { controller, key, notBefore, attempts, saved } of this.#entries.values()) {
      if (saved?.notBefore !== notBefore || saved.attempts !== attempts)
        put.push({ controller, key, notBefore, attempts });
    }
    return { put, remove: [...this.#stale.values()] };
  }

  /** What {@link WorkQueue.pending} said is on disk now; to be called in the same turn. */
  saved(): void {
    this.#stale.clear();
    for (const entry of this.#entries.values()) {
      entry.saved = { notBefore: entry.notBefore, attempts: entry.attempts };
    }
  }

  #finish(row: QueueRow): Entry | undefined {
    const id = idOf(row.controller, row.key);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    entry.working = false;
    const now = this.#now();
    const rest = restMs(now - entry.startedAt);
    if (rest > 0) this.#rest(id, now, now + rest);
    return entry;
  }

  #rest(id: string, now: number, until: number): void {
    // Those that are done with it need not be remembered; they stand in front, more or less.
    for (const [other, end] of this.#resting) {
      if (end > now) break;
      this.#resting.delete(other);
    }
    this.#resting.delete(id);
    this.#resting.set(id, until);
  }

  #return(entry: Entry, at: number): void {
    entry.again = undefined;
    entry.notBefore = Math.max(at, this.#resting.get(idOf(entry.controller, entry.key)) ?? 0);
    this.#queue(entry, this.#now());
  }

  #queue(entry: Entry, now: number): void {
    if (entry.notBefore <= now) this.#ready.push(entry);
    else this.#earliest = Math.min(this.#earliest, entry.notBefore);
  }

  #drop(entry: Entry): void {
    const id = idOf(entry.controller, entry.key);
    this.#entries.delete(id);
    if (entry.saved !== undefined) this.#stale.set(id, { controller: entry.controller, key: entry.key });
  }

  #promote(now: number): void {
    this.#earliest = Number.POSITIVE_INFINITY;
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.working) continue;
      if (entry.notBefore <= now) due.push(entry);
      else this.#earliest = Math.min(this.#earliest, entry.notBefore);
    }
    const queued = new Set(this.#ready.slice(this.#readyHead));
    due.sort((a, b) => a.notBefore - b.notBefore);
    for (const entry of due) if (!queued.has(entry)) this.#ready.push(entry);
  }
}

const idOf = (controller: string, key: string): string => `${controller}\n${key}`;
