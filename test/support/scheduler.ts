/** A scheduler over a cluster in memory, with a clock that stands still until it is moved. */
import { conflict, notFound } from '../../src/apimachinery/errors.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import type { Node, Pod } from '../../src/generated/types/core.v1.ts';
import type { Binding } from '../../src/scheduler/binder.ts';
import { type Configuration, defaultConfiguration } from '../../src/scheduler/configuration.ts';
import type { Change, Ports } from '../../src/scheduler/ports.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';

const RESOURCE = { group: '', resource: 'pods' };
const PODS = 'core/pods';
const NODES = 'core/nodes';

export interface Told {
  pod: string;
  type: string;
  reason: string;
  message: string;
}

export class SchedulerLab {
  time = Date.parse('2026-01-01T00:00:00Z');
  readonly cluster = new FakeCluster(() => this.time);
  readonly events: Told[] = [];
  /** How many bindings each transaction held. */
  readonly batches: number[] = [];
  /** Called before bindings are committed; may throw, as when the object is evicted. */
  beforeBind: (bindings: readonly Binding[]) => void = () => {};
  scheduler: Scheduler;
  next: number | undefined;
  private readonly configuration: Configuration;
  private changed: { store: string; key: string }[] = [];

  constructor(configuration: Configuration = defaultConfiguration()) {
    this.configuration = configuration;
    this.scheduler = new Scheduler(this.ports(), this.configuration);
    this.cluster.onChange = (store, _from, { key }) => this.changed.push({ store, key });
  }

  /** As when the object is evicted: only what was written is left. */
  async restart(): Promise<void> {
    this.changed = [];
    this.scheduler = new Scheduler(this.ports(), this.configuration);
    await this.scheduler.load();
  }

  /** Tells of what changed and runs, until nothing changes. */
  async settle(): Promise<void> {
    do {
      const told = new Map(this.changed.map((change) => [`${change.store} ${change.key}`, change]));
      this.changed = [];
      this.scheduler.apply([...told.values()].map((change) => this.change(change)));
      this.next = await this.scheduler.run();
    } while (this.changed.length > 0);
  }

  /** Moves the clock and settles. */
  async after(ms: number): Promise<void> {
    this.time += ms;
    await this.settle();
  }

  async node(
    name: string,
    more: { labels?: Record<string, string>; allocatable?: Record<string, string> } & Node['spec'] = {},
  ) {
    const { labels = {}, allocatable = {}, ...spec } = more;
    await this.cluster.create<Node>(NODES, {
      metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
      spec,
      status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } },
    });
  }

  /** A pod with one container that requests what is given. */
  async pod(
    name: string,
    requests: Record<string, string> = {},
    spec: Partial<NonNullable<Pod['spec']>> = {},
    labels: Record<string, string> = {},
  ): Promise<Pod> {
    return this.cluster.create<Pod>(PODS, {
      metadata: { name, namespace: 'default', labels },
      spec: { containers: [{ name: 'main', image: 'app', resources: { requests } }], ...spec } as NonNullable<
        Pod['spec']
      >,
      status: { phase: 'Pending' },
    });
  }

  /** The pod as it is now. */
  get(name: string): Pod | undefined {
    return this.cluster.peek<Pod>(PODS, 'default', name);
  }

  nodeOf(name: string): string | undefined {
    return this.get(name)?.spec?.nodeName;
  }

  /** Why the pod has no node. */
  why(name: string): string | undefined {
    return this.get(name)?.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message;
  }

  async remove(name: string): Promise<void> {
    await this.cluster.delete(PODS, 'default', name, { gracePeriodSeconds: 0 });
  }

  private change({ store, key }: { store: string; key: string }): Change {
    const slash = key.indexOf('/');
    const [namespace, name] = slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
    if (store === PODS) return { kind: 'pod', key, pod: this.cluster.peek<Pod>(PODS, namespace, name) };
    if (store === NODES) return { kind: 'node', name: key, node: this.cluster.peek<Node>(NODES, '', key) };
    return { kind: 'object', resource: store, key, object: this.cluster.peek<KubeObject>(store, namespace, name) };
  }

  private ports(): Ports {
    const { cluster } = this;
    return {
      client: cluster,
      nodes: async () => cluster.all<Node>(NODES),
      async *pods() {
        yield cluster.all<Pod>(PODS);
      },
      objects: async (resource) => cluster.all<KubeObject>(resource),
      bind: (bindings) => this.bind(bindings),
      event: ({ metadata }, type, reason, message) => this.events.push({ pod: metadata.name, type, reason, message }),
      now: () => this.time,
    };
  }

  private async bind(bindings: readonly Binding[]) {
    this.beforeBind(bindings);
    this.batches.push(bindings.length);
    const results = bindings.map(async ({ key, node }) => {
      const [namespace = '', name = ''] = key.split('/');
      const pod = this.cluster.peek<Pod>(PODS, namespace, name);
      if (pod === undefined) return notFound(RESOURCE, name).status;
      if (pod.spec?.nodeName) return conflict(RESOURCE, name, 'it has a node').status;
      await this.cluster.update<Pod>(PODS, { ...pod, spec: { ...pod.spec, nodeName: node } as Pod['spec'] });
      const status = { conditions: [{ type: 'PodScheduled', status: 'True' }] };
      await this.cluster.patch(PODS, namespace, name, 'merge', { status }, 'status');
      return undefined;
    });
    return Promise.all(results);
  }
}
