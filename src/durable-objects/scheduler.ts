/** The Scheduler object: a thin shell that tells the scheduler of changes, and wakes it when a pod's time has come. */
import { DurableObject } from 'cloudflare:workers';
import type { Store } from '../api/context.ts';
import type { Client, ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import { EventMemory, EventRecorder } from '../controllers/events.ts';
import type { Node, Pod } from '../generated/types/core.v1.ts';
import type { Binding } from '../scheduler/binder.ts';
import { SCHEDULER_NAME } from '../scheduler/profile.ts';
import { type Change, Scheduler as Core, type Ports } from '../scheduler/scheduler.ts';
import type { Env } from './env.ts';
import type { Notification, SubscriberRpc } from './rpc.ts';
import { StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

const PODS = 'core/pods';
const NODES = 'core/nodes';
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
    if (store !== PODS && store !== NODES && !this.core?.follows(store)) return;
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
        core.apply(await this.read(arrived, core));
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

  private async read(arrived: readonly { store: string; key: string }[], core: Core): Promise<Change[]> {
    const byStore = Map.groupBy(arrived, ({ store }) => store);
    const changes = [...byStore].map(async ([store, notices]): Promise<Change[]> => {
      if (store !== PODS && store !== NODES && !core.follows(store)) return [];
      const keys = notices.map(({ key }) => key);
      const texts = await this.store(store).getMany(keys);
      return keys.map((key, i) => changeOf(store, key, texts[i] ?? undefined));
    });
    return (await Promise.all(changes)).flat();
  }

  private store(id: string): Store {
    return this.env.STORE.getByName(`${this.cluster}/${id}`) as unknown as Store;
  }

  private ports(): Ports {
    return {
      client: this.client,
      pods: () => this.allPods(),
      nodes: () => this.all<Node>(NODES),
      objects: (resource) => this.all(resource),
      bind: (bindings) => this.bind(bindings),
      event: (pod, type, reason, message) =>
        this.events.record({ ...pod, kind: 'Pod', apiVersion: 'v1' }, type, reason, message),
    };
  }

  private async all<T extends KubeObject>(resource: ResourceId): Promise<T[]> {
    const { items, resourceVersion } = await this.client.list<T>(resource);
    this.cursors.set(resource, Number(resourceVersion));
    return items;
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
      bindings.map(({ key, ...binding }) => ({ key, request: { do: 'bind', ...binding, dryRun: false } })),
    );
    return results.map((result) => ('status' in result ? result.status : undefined));
  }
}

function changeOf(store: string, key: string, text: string | undefined): Change {
  const object: unknown = text === undefined ? undefined : JSON.parse(text);
  if (store === PODS) return { kind: 'pod', key, pod: object as Pod | undefined };
  if (store === NODES) return { kind: 'node', name: key, node: object as Node | undefined };
  return { kind: 'object', resource: store, key, object: object as KubeObject | undefined };
}
