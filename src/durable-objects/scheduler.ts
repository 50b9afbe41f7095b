/** The Scheduler object: a thin shell that tells the scheduler of changes, and wakes it when a pod's time has come. */
import { DurableObject } from 'cloudflare:workers';
import type { Store } from '../api/context.ts';
import type { Client } from '../apimachinery/client.ts';
import { isReason } from '../apimachinery/errors.ts';
import { now } from '../apimachinery/meta.ts';
import { EventMemory, EventRecorder } from '../controllers/events.ts';
import type { Node, Pod } from '../generated/types/core.v1.ts';
import { type Binding, type Change, Scheduler as Core, type Ports, SCHEDULER_NAME } from '../scheduler/scheduler.ts';
import type { Env } from './env.ts';
import type { Notification, SubscriberRpc } from './rpc.ts';
import { StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

const PODS = 'core/pods';
const PAGE = 500;

export class Scheduler extends DurableObject<Env> implements SubscriberRpc {
  private readonly cluster: string;
  private readonly client: Client;
  private readonly events: EventRecorder;
  private core: Core | undefined;
  /** One at a time: what arrives meanwhile is taken up by the run that follows. */
  private running: Promise<void> | undefined;
  private readonly arrived = new Map<string, { store: string; key: string }>();
  /** The resourceVersion up to which each store's changes were seen. */
  private readonly cursors = new Map<string, number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.cluster = ctx.id.name ?? 'default';
    this.client = new StoreClient(surroundings(env), this.cluster, SCHEDULER_NAME);
    this.events = new EventRecorder(this.client, SCHEDULER_NAME, new EventMemory());
  }

  async notify({ store, from, notices }: Notification): Promise<void> {
    const seen = this.cursors.get(store);
    const last = notices.at(-1)?.resourceVersion ?? 0;
    if (seen !== undefined && from > seen) await this.catchUp(store, seen);
    for (const { key } of notices) this.arrived.set(`${store} ${key}`, { store, key });
    if (last > (this.cursors.get(store) ?? 0)) this.cursors.set(store, last);
    await this.drain();
  }

  async tick(_cluster: string): Promise<void> {
    for (const [store, seen] of this.cursors) await this.catchUp(store, seen);
    await this.drain();
  }

  override async alarm(): Promise<void> {
    await this.drain();
  }

  /** Everything after the cursor that no notification told of. */
  private async catchUp(store: string, seen: number): Promise<void> {
    const { notices, resourceVersion, expired } = await this.store(store).changesSince(seen);
    if (expired) this.core = undefined;
    for (const { key } of notices) this.arrived.set(`${store} ${key}`, { store, key });
    this.cursors.set(store, Math.max(resourceVersion, this.cursors.get(store) ?? 0));
  }

  private async drain(): Promise<void> {
    while (this.running !== undefined) {
      await this.running;
      if (this.arrived.size === 0) return;
    }
    this.running = this.run().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async run(): Promise<void> {
    let next: number | undefined;
    try {
      do {
        const core = await this.loaded();
        const arrived = [...this.arrived.values()];
        this.arrived.clear();
        core.apply(await this.read(arrived));
        next = await core.run();
      } while (this.arrived.size > 0);
      await this.events.flush();
    } catch (error) {
      // What is not known any more is read anew.
      this.core = undefined;
      next = Date.now() + 1000;
      console.error(error);
    } finally {
      if (next !== undefined) await this.ctx.storage.setAlarm(next);
    }
  }

  private async loaded(): Promise<Core> {
    if (this.core === undefined) {
      const core = new Core(this.ports());
      await core.load();
      this.core = core;
    }
    return this.core;
  }

  private async read(arrived: readonly { store: string; key: string }[]): Promise<Change[]> {
    const nodes = arrived.filter(({ store }) => store !== PODS).map(({ key }) => key);
    const pods = arrived.filter(({ store }) => store === PODS).map(({ key }) => key);
    const [nodeTexts, podTexts] = await Promise.all([
      nodes.length === 0 ? [] : this.store('core/nodes').getMany(nodes),
      pods.length === 0 ? [] : this.store(PODS).getMany(pods),
    ]);
    const parse = <T>(text: string | null | undefined): T | undefined => (text ? (JSON.parse(text) as T) : undefined);
    return [
      ...nodes.map((name, i): Change => ({ kind: 'node', name, node: parse<Node>(nodeTexts[i]) })),
      ...pods.map((key, i): Change => ({ kind: 'pod', key, pod: parse<Pod>(podTexts[i]) })),
    ];
  }

  private store(id: string): Store {
    return this.env.STORE.getByName(`${this.cluster}/${id}`) as unknown as Store;
  }

  private ports(): Ports {
    return {
      pods: () => this.allPods(),
      nodes: async () => {
        const { items, resourceVersion } = await this.client.list<Node>('core/nodes');
        this.cursors.set('core/nodes', Number(resourceVersion));
        return items;
      },
      bind: (bindings) => this.bind(bindings),
      unschedulable: (pod, reason, message) => this.unschedulable(pod, reason, message),
      event: (pod, type, reason, message) =>
        this.events.record({ ...pod, kind: 'Pod', apiVersion: 'v1' }, type, reason, message),
    };
  }

  private async *allPods(): AsyncIterable<Pod[]> {
    let next: string | undefined;
    do {
      const page = await this.store(PODS).list({
        prefix: '',
        limit: PAGE,
        ...(next === undefined ? {} : { continue: next }),
      });
      if ('status' in page) throw new Error(page.status.message);
      this.cursors.set(PODS, page.resourceVersion);
      yield JSON.parse(`[${page.items}]`) as Pod[];
      next = page.continue;
    } while (next !== undefined);
  }

  private async bind(bindings: readonly Binding[]) {
    const results = await this.store(PODS).changeMany(
      bindings.map(({ key, uid, node }) => ({ key, request: { do: 'bind', node, uid, dryRun: false } })),
    );
    return results.map((result) => ('status' in result ? result.status : undefined));
  }

  private async unschedulable(pod: Pod, reason: string, message: string): Promise<void> {
    const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
    if (before?.status === 'False' && before.reason === reason && before.message === message) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now(),
      reason,
      message,
      observedGeneration: pod.metadata.generation,
    };
    const { namespace = '', name } = pod.metadata;
    try {
      await this.client.patch(PODS, namespace, name, 'strategic', { status: { conditions: [condition] } }, 'status');
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
  }
}
