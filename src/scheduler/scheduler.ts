/** kube-scheduler without its surroundings: changes in, bindings out. */
import type { ResourceId } from '../apimachinery/client.ts';
import { topologyLabels } from '../apimachinery/topology.ts';
import type { Pod } from '../generated/types/core.v1.ts';
import { Binder } from './binder.ts';
import { Cache } from './cache.ts';
import { podActions } from './changes.ts';
import { tellExpected, tellUnscheduled } from './conditions.ts';
import { type Configuration, defaultConfiguration } from './configuration.ts';
import { Cycle } from './cycle.ts';
import type { CycleState } from './framework/cycle-state.ts';
import { type FitError, fitMessage } from './framework/fit-error.ts';
import { Framework } from './framework/framework.ts';
import { Nominator } from './framework/nominator.ts';
import { BINDING_TIMEOUT_MS } from './framework/plugin.ts';
import type { Candidate } from './framework/pod-info.ts';
import { messageOf, type Status } from './framework/status.ts';
import { Informers } from './informers.ts';
import type { Change, Ports } from './ports.ts';
import { type Entry, Queue } from './queue.ts';
import { State, type Waiting } from './state.ts';

/** Bindings in one transaction. */
const BATCH = 200;
/** Cycles of one batch go on no longer than this before their bindings are committed. */
const BATCH_MS = 50;

export class Scheduler {
  private readonly ports: Ports;
  private readonly cache = new Cache();
  private readonly nominator = new Nominator();
  private readonly informers: Informers;
  private readonly frameworks = new Map<string, Framework>();
  private readonly queue: Queue;
  private readonly cycle: Cycle;
  private readonly binder: Binder;
  private readonly state: State;

  constructor(ports: Ports, { profiles, extenders, backoff }: Configuration = defaultConfiguration()) {
    this.ports = ports;
    this.informers = new Informers((resource) => ports.objects(resource));
    this.cycle = new Cycle(this.cache, this.nominator, ports.client, extenders);
    this.binder = new Binder((bindings) => ports.bind(bindings));
    const handle = {
      client: ports.client,
      snapshot: this.cache,
      objects: this.informers,
      nominator: this.nominator,
      now: () => this.now(),
      bind: ({ metadata }: Pod, node: string) =>
        this.binder.bind({
          key: `${metadata.namespace}/${metadata.name}`,
          uid: metadata.uid ?? '',
          node,
          labels: topologyLabels(this.cache.node(node)?.facts.labels),
        }),
      extenders,
      event: (...about: Parameters<Ports['event']>) => ports.event(...about),
    };
    for (const { schedulerName, plugins, percentageOfNodesToScore } of profiles) {
      this.frameworks.set(schedulerName, new Framework(schedulerName, plugins, handle, percentageOfNodesToScore));
    }
    const [first] = this.frameworks.values();
    this.queue = new Queue((a, b) => first?.compare(a, b) ?? 0, backoff);
    const { cache, nominator, informers, queue, frameworks } = this;
    this.state = new State({ cache, nominator, informers, queue, frameworks, now: () => this.now() });
  }

  /** How many pods wait for a node. */
  get pending(): number {
    return this.queue.size;
  }

  /** Whether changes of a resource are of interest. */
  follows(resource: ResourceId): boolean {
    return this.informers.follows(resource);
  }

  /** Reads the whole cluster; called once, when the scheduler wakes. */
  async load(): Promise<void> {
    for (const node of await this.ports.nodes()) this.cache.setNode(node);
    for await (const page of this.ports.pods()) for (const pod of page) this.state.setPod(pod);
  }

  /** Takes changes into account, in order. */
  apply(changes: readonly Change[]): void {
    this.state.apply(changes);
  }

  /** Tries every pod whose time has come. Answers when to come again, in ms; undefined when nothing waits for a time. */
  async run(): Promise<number | undefined> {
    if (this.state.changed || this.state.waiting.size > 0) await this.askWaiting();
    for (let more = true; more; ) more = await this.runBatch();
    const next = Math.min(
      this.queue.nextAt(this.now()) ?? Number.POSITIVE_INFINITY,
      ...[...this.state.waiting.values()].map(({ until }) => until),
    );
    return Number.isFinite(next) ? next : undefined;
  }

  private now(): number {
    return this.ports.now?.() ?? Date.now();
  }

  /** Cycles one after another, then their bindings together. Answers whether there was any. */
  private async runBatch(): Promise<boolean> {
    const end = this.now() + BATCH_MS;
    const bindings: Promise<void>[] = [];
    let tried = 0;
    this.binder.hold();
    try {
      for (; tried < BATCH && this.now() <= end; tried++) {
        const entry = this.queue.take(this.now());
        if (entry === undefined) break;
        const needs = entry.framework.needs(entry.pod);
        if (!this.informers.has(needs)) await this.informers.ensure(needs);
        const bound = await this.tryOne(entry);
        if (bound !== undefined) bindings.push(bound.binding);
      }
    } finally {
      this.binder.release();
    }
    await Promise.all(bindings);
    return tried > 0;
  }

  /** One pod's cycle. Answers its binding when it got a node; not awaited here, and so wrapped. */
  private async tryOne(entry: Entry): Promise<{ binding: Promise<void> } | undefined> {
    const { candidate, framework } = entry;
    const answer = this.cycle.schedule(framework, candidate);
    const verdict = answer instanceof Promise ? await answer : answer;
    if ('error' in verdict) {
      await this.fail(entry, verdict.error);
      return undefined;
    }
    if ('fit' in verdict) {
      await this.refuse(entry, verdict.state, verdict.fit);
      return undefined;
    }
    const { state, node } = verdict;
    this.assume(candidate, node.name);
    const refused = framework.reserve(state, candidate, node.name) ?? framework.permit(state, candidate, node.name);
    if (refused !== undefined && refused.code !== 'Wait') {
      await this.release(entry, state, node.name, refused);
      return undefined;
    }
    const binding =
      refused === undefined
        ? this.bind(entry, state, node.name)
        : this.wait({ entry, state, node: node.name, until: 0 });
    return { binding };
  }

  private async wait(waiting: Waiting): Promise<void> {
    const { entry, node } = waiting;
    const { status } = entry.pod;
    if (waiting.until === 0 && status?.nominatedNodeName !== node) {
      await tellExpected(this.ports.client, entry.pod, node);
      entry.pod = { ...entry.pod, status: { ...status, nominatedNodeName: node } };
    }
    this.state.waiting.set(waiting.entry.key, { ...waiting, until: waiting.until || this.now() + BINDING_TIMEOUT_MS });
  }

  /** PreBind and Bind of a pod that has a node in memory. */
  private async bind(entry: Entry, state: CycleState, node: string, until = 0): Promise<void> {
    const { key, candidate, framework } = entry;
    const failure = await framework.bind(state, candidate, node);
    if (failure?.code === 'Wait') return this.wait({ entry, state, node, until });
    if (failure !== undefined) return this.release(entry, state, node, failure);
    this.queue.remove(key);
    this.state.said.delete(key);
    this.nominator.delete(key);
    // The store has said so: there is no need to hear it again.
    this.state.assumed.delete(key);
    const after = this.cache.pod(key);
    if (after !== undefined) this.state.tell({ kind: 'pod', actions: podActions(undefined, after), after });
    framework.postBind(state, candidate, node);
    this.ports.event(candidate.pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
  }

  /** Asks plugins again that wanted to wait; after the time-out they have refused. */
  private async askWaiting(): Promise<void> {
    this.state.changed = false;
    const waiting = [...this.state.waiting.values()];
    this.state.waiting.clear();
    await Promise.all(
      waiting.map(async ({ entry, state, node, until }) => {
        const { candidate, framework } = entry;
        if (until <= this.now()) {
          const reasons = ['timed out waiting for the pod to be bound'];
          return this.release(entry, state, node, { code: 'Error', reasons });
        }
        const permit = framework.permit(state, candidate, node);
        if (permit?.code === 'Wait') return this.wait({ entry, state, node, until });
        return permit === undefined ? this.bind(entry, state, node, until) : this.release(entry, state, node, permit);
      }),
    );
  }

  private assume({ info }: Candidate, node: string): void {
    this.cache.place({ ...info, node });
    this.state.assumed.add(info.key);
    this.nominator.delete(info.key);
  }

  /** Takes the pod off the node that it was put on in memory, and says why. */
  private async release(entry: Entry, state: CycleState, node: string, status: Status): Promise<void> {
    const { key, candidate, framework } = entry;
    framework.unreserve(state, candidate, node);
    if (this.state.assumed.delete(key)) {
      const before = this.cache.remove(key);
      if (before !== undefined) this.state.tell({ kind: 'pod', actions: podActions(before, undefined), before });
    }
    if (status.code === 'Error') return this.fail(entry, status, '');
    const plugins = new Set(status.plugin === undefined ? [] : [status.plugin]);
    this.queue.park(entry, plugins, this.now());
    const message = messageOf(status);
    await this.say(entry, { reason: 'Unschedulable', message, node: '' });
  }

  /** No node will do, unless PostFilter makes room on one. */
  private async refuse(entry: Entry, state: CycleState, fit: FitError): Promise<void> {
    const { candidate, framework } = entry;
    const result = await framework.postFilter(state, candidate, fit);
    const { node, status } = result;
    this.queue.park(entry, fit.plugins, this.now());
    if (node !== undefined) this.nominator.set(candidate, node);
    const message = fitMessage(fit, status === undefined ? '' : messageOf(status));
    await this.say(entry, { reason: 'Unschedulable', message, node });
  }

  /** Something failed that is not the pod's fault; without any node, a node has to come. */
  private async fail(entry: Entry, status: Status, node?: string): Promise<void> {
    const nowhere = this.cache.all().length === 0;
    if (nowhere) this.queue.park(entry, new Set(), this.now());
    else this.queue.retry(entry, this.now());
    await this.say(entry, { reason: nowhere ? 'Unschedulable' : 'SchedulerError', message: messageOf(status), node });
  }

  private async say(
    { key, pod }: Entry,
    about: { reason: string; message: string; node?: string | undefined },
  ): Promise<void> {
    const text = `${about.message}\n${about.node ?? ''}`;
    if (this.state.said.get(key) === text) return;
    this.state.said.set(key, text);
    this.ports.event(pod, 'Warning', 'FailedScheduling', about.message);
    await tellUnscheduled(this.ports.client, pod, about, this.now());
  }
}
