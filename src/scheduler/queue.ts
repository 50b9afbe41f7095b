/** Pods that wait for a node: ready to be tried, backing off, or unschedulable until something changes (`PriorityQueue`). */
import type { Pod } from '../generated/types/core.v1.ts';

const BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 10_000;
/** An unschedulable pod is tried again after this long, whatever happens (`podMaxInUnschedulablePodsDuration`). */
const MAX_UNSCHEDULABLE_MS = 300_000;

interface Waiting {
  pod: Pod;
  attempts: number;
  /** Not before this time, in ms. */
  readyAt: number;
  /** When an unschedulable pod's back-off is over: the earliest that a change may wake it. */
  backoffUntil: number;
}

export class Queue {
  private readonly waiting = new Map<string, Waiting>();

  get size(): number {
    return this.waiting.size;
  }

  /** Adds a pod, or takes its newer state; a pod whose spec has changed is tried at once. */
  add(key: string, pod: Pod): void {
    const before = this.waiting.get(key);
    if (before === undefined) {
      this.waiting.set(key, { pod, attempts: 0, readyAt: 0, backoffUntil: 0 });
      return;
    }
    if (before.pod.metadata.generation !== pod.metadata.generation) before.readyAt = before.backoffUntil;
    before.pod = pod;
  }

  remove(key: string): void {
    this.waiting.delete(key);
  }

  /** Up to `limit` pods to try now: the highest priority first, then the oldest. */
  take(limit: number, now: number): [string, Pod][] {
    const ready = [...this.waiting].filter(([, entry]) => entry.readyAt <= now);
    ready.sort(([, a], [, b]) => order(a.pod, b.pod));
    return ready.slice(0, limit).map(([key, { pod }]) => [key, pod]);
  }

  /** The pod found no node: it waits for a change. `gated` pods wait for their own change alone. */
  park(key: string, now: number, gated = false): void {
    const entry = this.waiting.get(key);
    if (entry === undefined) return;
    const backoff = Math.min(BACKOFF_MS * 2 ** entry.attempts, MAX_BACKOFF_MS);
    entry.attempts += gated ? 0 : 1;
    entry.backoffUntil = gated ? 0 : now + backoff;
    entry.readyAt = gated ? Number.POSITIVE_INFINITY : now + MAX_UNSCHEDULABLE_MS;
  }

  /** The pod could not be bound for a passing reason: it is tried again soon. */
  retry(key: string, now: number): void {
    const entry = this.waiting.get(key);
    if (entry === undefined) return;
    entry.attempts++;
    entry.readyAt = now + Math.min(BACKOFF_MS * 2 ** (entry.attempts - 1), MAX_BACKOFF_MS);
  }

  /** Something changed that may help pods without a node: they are tried when their back-off is over. */
  wake(): void {
    for (const entry of this.waiting.values()) {
      if (entry.readyAt !== Number.POSITIVE_INFINITY) entry.readyAt = Math.min(entry.readyAt, entry.backoffUntil);
    }
  }

  /** When the next pod is to be tried, in ms; undefined when none is. */
  nextAt(): number | undefined {
    const next = Math.min(...[...this.waiting.values()].map((entry) => entry.readyAt));
    return Number.isFinite(next) ? next : undefined;
  }
}

function order(a: Pod, b: Pod): number {
  const byPriority = (b.spec?.priority ?? 0) - (a.spec?.priority ?? 0);
  if (byPriority !== 0) return byPriority;
  return (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
}
