/** What the scheduler knows of nodes, of pods and of their queue, kept true by what it hears (upstream: `eventhandlers.go`). */
import type { Node, Pod } from '../generated/types/core.v1.ts';
import type { Cache } from './cache.ts';
import { nodeActions, pendingActions, podActions } from './changes.ts';
import type { ClusterChange } from './framework/cluster-event.ts';
import type { CycleState } from './framework/cycle-state.ts';
import type { Framework } from './framework/framework.ts';
import type { Nominator } from './framework/nominator.ts';
import { type Candidate, candidateOf, isTerminal, type PodInfo } from './framework/pod-info.ts';
import type { Informers } from './informers.ts';
import type { Change } from './ports.ts';
import { SCHEDULER_NAME } from './profile.ts';
import type { Entry, Queue } from './queue.ts';

/** A pod that has a node in memory, and waits for a plugin before it is bound. */
export interface Waiting {
  entry: Entry;
  state: CycleState;
  node: string;
  until: number;
}

interface Parts {
  readonly cache: Cache;
  readonly nominator: Nominator;
  readonly informers: Informers;
  readonly queue: Queue;
  /** By the schedulerName that asks for them. */
  readonly frameworks: ReadonlyMap<string, Framework>;
  /** In ms since the epoch. */
  now(): number;
}

export class State {
  /** Pods that were put on a node here, and that the store has not yet told of. */
  readonly assumed = new Set<string>();
  readonly waiting = new Map<string, Waiting>();
  /** What was last said of a pod, so that it is not said again. */
  readonly said = new Map<string, string>();
  /** Something changed since the waiting ones were last asked. */
  changed = false;
  private readonly cache: Cache;
  private readonly nominator: Nominator;
  private readonly informers: Informers;
  private readonly queue: Queue;
  private readonly frameworks: ReadonlyMap<string, Framework>;
  private readonly now: () => number;

  constructor({ cache, nominator, informers, queue, frameworks, now }: Parts) {
    this.cache = cache;
    this.nominator = nominator;
    this.informers = informers;
    this.queue = queue;
    this.frameworks = frameworks;
    this.now = now;
  }

  /** Takes changes into account, in order. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'pod') {
        if (change.pod === undefined) this.forget(change.key);
        else this.setPod(change.pod);
      } else if (change.kind === 'node') this.setNode(change.name, change.node);
      else this.tell(this.informers.set(change.resource, change.key, change.object));
    }
  }

  private setNode(name: string, node: Node | undefined): void {
    const { before, after } =
      node === undefined ? { before: this.cache.removeNode(name), after: undefined } : this.cache.setNode(node);
    const actions = nodeActions(before, after);
    if (actions !== 0) this.tell({ kind: 'node', actions, ...(before && { before }), ...(after && { after }) });
  }

  /** A pod as the store has it now. */
  setPod(pod: Pod): void {
    const { spec, metadata } = pod;
    const candidate = candidateOf(pod);
    const { key } = candidate.info;
    const framework = this.frameworks.get(spec?.schedulerName || SCHEDULER_NAME);
    const leaves = isTerminal(pod) || (!spec?.nodeName && metadata.deletionTimestamp !== undefined);
    if (leaves || (!spec?.nodeName && framework === undefined)) this.forget(key);
    else if (spec?.nodeName) this.setPlaced(candidate.info);
    // What is assumed here is on its way to the store, and what the store has now is older.
    else if (framework !== undefined && !this.assumed.has(key)) this.setPending(candidate, framework);
  }

  private setPlaced(after: PodInfo): void {
    const { key } = after;
    this.queue.remove(key);
    this.said.delete(key);
    this.nominator.delete(key);
    const before = this.assumed.delete(key) ? undefined : this.cache.pod(key);
    this.cache.place(after);
    const actions = podActions(before, after);
    if (actions !== 0) this.tell({ kind: 'pod', actions, ...(before && { before }), after });
  }

  private setPending(after: Candidate, framework: Framework): void {
    const { key } = after.info;
    const entry = this.queue.get(key);
    const nominated = after.pod.status?.nominatedNodeName;
    if (nominated) this.nominator.set(after, nominated);
    else if (entry?.pod.status?.nominatedNodeName) this.nominator.delete(key);
    if (entry !== undefined && entry.pod.metadata.uid === after.pod.metadata.uid) {
      const before = entry.candidate;
      this.queue.update(entry, { kind: 'pending', actions: pendingActions(before, after), before, after }, this.now());
      return;
    }
    if (this.cache.pod(key) !== undefined || entry !== undefined) this.forget(key);
    this.queue.add(after, framework, this.now());
  }

  /** A pod that is gone, or of no concern any more. */
  forget(key: string): void {
    this.queue.remove(key);
    this.said.delete(key);
    this.nominator.delete(key);
    this.assumed.delete(key);
    const waiting = this.waiting.get(key);
    if (waiting !== undefined) {
      this.waiting.delete(key);
      waiting.entry.framework.unreserve(waiting.state, waiting.entry.candidate, waiting.node);
    }
    const before = this.cache.remove(key);
    if (before !== undefined) this.tell({ kind: 'pod', actions: podActions(before, undefined), before });
  }

  /** Wakes pods that the change could help. */
  tell(change: ClusterChange | undefined): void {
    if (change === undefined) return;
    this.changed = true;
    this.queue.wake(change, this.now());
  }
}
