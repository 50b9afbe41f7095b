/** Pods that wait for a node: to be tried now, backing off, or unschedulable until something may help (`PriorityQueue`). */
import type { Pod } from '../generated/types/core.v1.ts';
import { type ClusterChange, helps } from './framework/cluster-event.ts';
import type { Framework } from './framework/framework.ts';
import type { Queued } from './framework/plugin.ts';
import type { Candidate } from './framework/pod-info.ts';
import { Heap } from './heap.ts';

/** `podInitialBackoffSeconds`, `podMaxBackoffSeconds`. */
const BACKOFF: Backoff = { initialMs: 1000, maxMs: 10_000 };
/** An unschedulable pod is tried again after this long, whatever happens (`podMaxInUnschedulablePodsDuration`). */
const MAX_UNSCHEDULABLE_MS = 300_000;
const NOBODY: ReadonlySet<string> = new Set();

/** How long a pod waits after its first failure, and after many. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Where a pod waits. `trying`: it was taken and nothing was said of it yet. */
type Place = 'active' | 'backoff' | 'unschedulable' | 'gated' | 'trying';

export interface Entry extends Queued {
  readonly key: string;
  readonly framework: Framework;
  candidate: Candidate;
  pod: Pod;
  priority: number;
  place: Place;
  /** How often it found no node in a row, or failed. */
  attempts: number;
  /** In ms since the epoch. */
  backoffUntil: number;
  /** When it became unschedulable. */
  parkedAt: number;
  /** Plugins that refused it: one of them must expect help from an event. None: any change of a node may help. */
  refusedBy: ReadonlySet<string>;
  /** After a fault its back-off counts even when there is nothing else to do. */
  faulty: boolean;
}

export class Queue {
  private readonly entries = new Map<string, Entry>();
  private readonly times: Backoff;
  private readonly active: Heap<Entry>;
  private readonly backoff = new Heap<Entry>((a, b) => a.backoffUntil - b.backoffUntil);
  /** In the order in which they were parked. */
  private readonly unschedulable = new Map<string, Entry>();

  /** `compare`: QueueSort. */
  constructor(compare: (a: Queued, b: Queued) => number, backoff: Backoff = BACKOFF) {
    this.times = backoff;
    this.active = new Heap<Entry>(compare);
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** Adds a pod that is new. */
  add(candidate: Candidate, framework: Framework, now: number): void {
    const { info, pod } = candidate;
    const entry: Entry = {
      key: info.key,
      framework,
      candidate,
      pod,
      priority: info.ask.priority,
      since: now,
      place: 'gated',
      attempts: 0,
      backoffUntil: 0,
      parkedAt: 0,
      refusedBy: NOBODY,
      faulty: false,
    };
    this.entries.set(info.key, entry);
    this.activate(entry, now);
  }

  /** Takes the newer state of a pod that waits; a change of its own may be what helps it. */
  update(entry: Entry, change: ClusterChange & { kind: 'pending' }, now: number): void {
    const { pod, info } = change.after;
    const moved = entry.priority !== info.ask.priority;
    entry.candidate = change.after;
    entry.pod = pod;
    entry.priority = info.ask.priority;
    if (entry.place === 'gated' || (moved && entry.place === 'active')) this.activate(entry, now);
    else if (entry.place === 'unschedulable' && this.mayHelp(entry, change)) this.requeue(entry, now);
  }

  remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.unschedulable.delete(key);
  }

  /** The next pod to try, or undefined. When nothing is ready, one that backs off without a fault need not wait. */
  take(now: number): Entry | undefined {
    this.flush(now);
    for (;;) {
      const entry = this.active.pop();
      if (entry === undefined) break;
      if (this.isAt(entry, 'active')) return this.taken(entry);
    }
    const early: Entry[] = [];
    let found: Entry | undefined;
    while (found === undefined) {
      const entry = this.backoff.pop();
      if (entry === undefined) break;
      if (!this.isAt(entry, 'backoff')) continue;
      if (entry.faulty) early.push(entry);
      else found = entry;
    }
    for (const entry of early) this.backoff.push(entry);
    return found && this.taken(found);
  }

  /** The pod found no node: it waits for a change that may help with one of the plugins that refused it. */
  park(entry: Entry, refusedBy: ReadonlySet<string>, now: number): void {
    if (this.entries.get(entry.key) !== entry) return;
    entry.attempts++;
    entry.backoffUntil = now + this.backoffMs(entry.attempts);
    entry.refusedBy = refusedBy;
    entry.faulty = false;
    entry.parkedAt = now;
    entry.place = 'unschedulable';
    this.unschedulable.set(entry.key, entry);
  }

  /** Something failed that has nothing to do with the pod: it is tried again after its back-off. */
  retry(entry: Entry, now: number): void {
    if (this.entries.get(entry.key) !== entry) return;
    entry.attempts++;
    entry.backoffUntil = now + this.backoffMs(entry.attempts);
    entry.refusedBy = NOBODY;
    entry.faulty = true;
    entry.place = 'backoff';
    this.backoff.push(entry);
  }

  /** Something changed: pods that it may help are tried when their back-off is over. Answers how many. */
  wake(change: ClusterChange, now: number): number {
    let woken = 0;
    for (const entry of this.unschedulable.values()) {
      if (!this.mayHelp(entry, change)) continue;
      this.requeue(entry, now);
      woken++;
    }
    return woken;
  }

  /** When the next pod is to be tried, in ms since the epoch; undefined when none is before something changes. */
  nextAt(now: number): number | undefined {
    if ([...this.heads()].some((entry) => entry.place === 'active')) return now;
    let next = Number.POSITIVE_INFINITY;
    const [first] = this.unschedulable.values();
    if (first !== undefined) next = first.parkedAt + MAX_UNSCHEDULABLE_MS;
    const backing = this.backoff.peek();
    if (backing !== undefined) next = Math.min(next, backing.backoffUntil);
    return Number.isFinite(next) ? next : undefined;
  }

  private *heads(): Iterable<Entry> {
    for (let head = this.active.peek(); head !== undefined; head = this.active.peek()) {
      if (this.isAt(head, 'active')) {
        yield head;
        return;
      }
      this.active.pop();
    }
  }

  /** What waited for long enough is tried. */
  private flush(now: number): void {
    for (const entry of this.unschedulable.values()) {
      if (entry.parkedAt + MAX_UNSCHEDULABLE_MS > now) break;
      this.requeue(entry, now);
    }
    for (let head = this.backoff.peek(); head !== undefined && head.backoffUntil <= now; head = this.backoff.peek()) {
      this.backoff.pop();
      if (this.isAt(head, 'backoff')) this.activate(head, now);
    }
  }

  private requeue(entry: Entry, now: number): void {
    this.unschedulable.delete(entry.key);
    if (entry.backoffUntil <= now) {
      this.activate(entry, now);
      return;
    }
    entry.place = 'backoff';
    this.backoff.push(entry);
  }

  /** To the pods that are tried, unless a plugin says that this one may not be (`PreEnqueue`). */
  private activate(entry: Entry, _now: number): void {
    const gate = entry.framework.preEnqueue(entry.pod);
    entry.place = gate === undefined ? 'active' : 'gated';
    if (gate === undefined) this.active.push(entry);
  }

  private taken(entry: Entry): Entry {
    entry.place = 'trying';
    return entry;
  }

  /** Heaps are not searched: what left its place is left out when it comes up. */
  private isAt(entry: Entry, place: Place): boolean {
    return entry.place === place && this.entries.get(entry.key) === entry;
  }

  private backoffMs(attempts: number): number {
    return Math.min(this.times.initialMs * 2 ** (attempts - 1), this.times.maxMs);
  }

  private mayHelp({ refusedBy, framework, candidate }: Entry, change: ClusterChange): boolean {
    if (refusedBy.size === 0) return change.kind === 'node' || change.kind === 'pending';
    for (const plugin of framework.plugins) {
      if (!refusedBy.has(plugin.name)) continue;
      if (plugin.events === undefined || plugin.events.some((hint) => helps(hint, candidate, change))) return true;
    }
    return false;
  }
}
