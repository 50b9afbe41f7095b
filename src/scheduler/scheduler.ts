/** kube-scheduler without its surroundings: pods in, bindings out. */
import type { Status } from '../apimachinery/meta.ts';
import type { Node, Pod } from '../generated/types/core.v1.ts';
import { Cache } from './cache.ts';
import { Cycle } from './cycle.ts';
import { isTerminal } from './framework/pod-info.ts';
import { plugins } from './plugins/index.ts';
import { Queue } from './queue.ts';

export const SCHEDULER_NAME = 'default-scheduler';
/** Bindings in one transaction. */
const BATCH = 200;

export interface Binding {
  key: string;
  uid: string;
  node: string;
}

/** What the scheduler does to the cluster. */
export interface Ports {
  /** All pods, in pages. */
  pods(): AsyncIterable<Pod[]>;
  nodes(): Promise<Node[]>;
  /** In one transaction; for each binding undefined, or why it failed. */
  bind(bindings: readonly Binding[]): Promise<(Status | undefined)[]>;
  /** Writes the PodScheduled condition. */
  unschedulable(pod: Pod, reason: string, message: string): Promise<void>;
  /** Records an event; it is written in its own time. */
  event(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** A change of a pod or a node; the object is undefined when it is gone. */
export type Change =
  | { kind: 'pod'; key: string; pod: Pod | undefined }
  | { kind: 'node'; name: string; node: Node | undefined };

export class Scheduler {
  private readonly ports: Ports;
  private readonly cache = new Cache();
  private readonly queue = new Queue();
  private readonly cycle = new Cycle(plugins);
  /** What was last said of a pod, so that it is not said again. */
  private readonly said = new Map<string, string>();

  constructor(ports: Ports) {
    this.ports = ports;
  }

  /** Reads the whole cluster; called once, when the scheduler wakes. */
  async load(): Promise<void> {
    for (const node of await this.ports.nodes()) this.cache.setNode(node);
    for await (const page of this.ports.pods()) for (const pod of page) this.setPod(keyOf(pod), pod);
  }

  /** Takes changes into account, in order. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'node') {
        if (change.node === undefined) this.cache.removeNode(change.name);
        else this.cache.setNode(change.node);
        this.queue.wake();
      } else if (change.pod === undefined) this.forget(change.key);
      else this.setPod(change.key, change.pod);
    }
  }

  /** Tries every pod whose time has come. Answers when to come again, in ms; undefined when nothing waits for a time. */
  async run(now: () => number = Date.now): Promise<number | undefined> {
    for (let batch = this.queue.take(BATCH, now()); batch.length > 0; batch = this.queue.take(BATCH, now())) {
      await this.tryBatch(batch, now());
    }
    return this.queue.nextAt();
  }

  private async tryBatch(batch: readonly [string, Pod][], at: number): Promise<void> {
    const bindings: Binding[] = [];
    const pods: Pod[] = [];
    const failures: Promise<void>[] = [];
    for (const [key, pod] of batch) {
      const gate = firstGate(pod);
      if (gate !== undefined) {
        this.queue.park(key, at, true);
        failures.push(this.say(key, pod, gate.reason, gate.message, false));
        continue;
      }
      const verdict = this.cycle.schedule(pod, this.cache.all());
      if ('message' in verdict) {
        this.queue.park(key, at);
        failures.push(this.say(key, pod, 'Unschedulable', verdict.message, true));
        continue;
      }
      this.cache.assume(pod, verdict.node);
      bindings.push({ key, uid: pod.metadata.uid ?? '', node: verdict.node });
      pods.push(pod);
    }
    await this.commit(bindings, pods, at);
    await Promise.all(failures);
  }

  private async commit(bindings: readonly Binding[], pods: readonly Pod[], at: number): Promise<void> {
    if (bindings.length === 0) return;
    let results: (Status | undefined)[];
    try {
      results = await this.ports.bind(bindings);
    } catch (error) {
      // Nothing is known of the outcome; what was bound will be seen as a change.
      for (const { key } of bindings) this.fail(key, at);
      throw error;
    }
    for (const [i, { key, node }] of bindings.entries()) {
      const status = results[i];
      if (status === undefined) {
        this.queue.remove(key);
        this.said.delete(key);
        this.ports.event(pods[i] as Pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
      } else if (status.reason === 'NotFound') this.forget(key);
      else this.fail(key, at);
    }
  }

  private fail(key: string, at: number): void {
    this.cache.removePod(key);
    this.queue.retry(key, at);
  }

  private async say(key: string, pod: Pod, reason: string, message: string, warn: boolean): Promise<void> {
    if (this.said.get(key) === message) return;
    this.said.set(key, message);
    await this.ports.unschedulable(pod, reason, message);
    if (warn) this.ports.event(pod, 'Warning', 'FailedScheduling', message);
  }

  private setPod(key: string, pod: Pod): void {
    const { spec, metadata } = pod;
    if (spec?.nodeName || isTerminal(pod)) {
      const freed = isTerminal(pod);
      this.queue.remove(key);
      this.said.delete(key);
      this.cache.setPod(pod);
      if (freed) this.queue.wake();
      return;
    }
    const ours = (spec?.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME;
    if (ours && metadata.deletionTimestamp === undefined) this.queue.add(key, pod);
    else this.queue.remove(key);
  }

  private forget(key: string): void {
    this.queue.remove(key);
    this.said.delete(key);
    this.cache.removePod(key);
    this.queue.wake();
  }
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

function firstGate(pod: Pod): { reason: string; message: string } | undefined {
  for (const plugin of plugins) {
    const gate = plugin.preEnqueue?.(pod);
    if (gate !== undefined) return gate;
  }
  return undefined;
}
