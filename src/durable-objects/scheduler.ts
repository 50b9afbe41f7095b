/** The Scheduler object: a thin shell that tells the scheduler of changes, and wakes it when a pod's time has come. */
import { DurableObject } from 'cloudflare:workers';
import { FIRST_VERSION } from '../apimachinery/meta.ts';
import type { Change } from '../scheduler/ports.ts';
import { Scheduler as Core } from '../scheduler/scheduler.ts';
import type { Env } from './env.ts';
import { Resync } from './resync.ts';
import type { Notice, Notification, SubscriberRpc } from './rpc.ts';
import { CONFIG_KEY, CONFIG_MAPS, NODES, PODS, StorePorts } from './scheduler-ports.ts';

/** Selectors in them never change: only that they come and go is of interest. */
const IMMUTABLE = new Set(['apps/replicasets', 'apps/statefulsets']);

interface Arrived {
  store: string;
  key: string;
  /** Of the last change. */
  resourceVersion: number;
}

export class Scheduler extends DurableObject<Env> implements SubscriberRpc {
  private stores: StorePorts | undefined;
  /** Only while there is, or was, something to schedule; it is made of what the stores list. */
  private core: Core | undefined;
  /** One at a time: what arrives meanwhile is taken up by the run that follows. */
  private running: Promise<void> | undefined;
  private arrived = new Map<string, Arrived>();
  /** When the alarm is set to; null: it is not set; undefined: not known. */
  private alarmAt: number | null | undefined;

  async notify({ cluster, store, from, notices }: Notification): Promise<void> {
    if (store === CONFIG_MAPS) return this.configured(cluster, notices);
    if (store !== PODS && store !== NODES && !this.core?.follows(store)) return;
    const { cursors } = await this.opened(cluster);
    const seen = cursors.get(store);
    const last = notices.at(-1)?.resourceVersion ?? 0;
    const lost = seen !== undefined && from > seen && (await this.catchUp(store, seen));
    for (const notice of notices) if (notice.type !== 'MODIFIED' || !IMMUTABLE.has(store)) this.arrive(store, notice);
    if (last > (cursors.get(store) ?? 0)) cursors.set(store, last);
    await this.drain(lost);
  }

  /** With another configuration the scheduler begins anew. */
  private async configured(cluster: string, notices: readonly Notice[]): Promise<void> {
    if (!notices.some(({ key }) => key === CONFIG_KEY)) return;
    await this.opened(cluster);
    await this.running;
    this.forget();
    await this.drain(true);
  }

  /** Once a minute: asks for changes whose notification was lost. What is asleep since it last looked stays so when there are none. */
  async tick(cluster: string): Promise<void> {
    const { cursors } = await this.opened(cluster);
    const kept = await this.ctx.storage.get<Record<string, number>>('seen');
    if (cursors.size === 0) for (const [store, seen] of Object.entries(kept ?? {})) cursors.set(store, seen);
    const resync = new Resync(this.ctx.storage.kv, this.env.STARTED);
    await resync.whenDue(
      () => String(cursors.get(PODS)),
      () => this.resync(cursors, kept),
    );
  }

  private async resync(cursors: Map<string, number>, kept: Record<string, number> | undefined): Promise<void> {
    let lost = cursors.size === 0;
    for (const [store, seen] of [...cursors]) lost = (await this.catchUp(store, seen)) || lost;
    await this.drain(lost);
    const seen = Object.fromEntries([PODS, NODES].map((store) => [store, cursors.get(store) ?? FIRST_VERSION]));
    if (kept?.[PODS] !== seen[PODS] || kept?.[NODES] !== seen[NODES]) await this.ctx.storage.put('seen', seen);
  }

  override async alarm(): Promise<void> {
    this.alarmAt = null;
    const cluster = await this.ctx.storage.get<string>('cluster');
    if (cluster === undefined) return;
    await this.opened(cluster);
    await this.drain(true);
  }

  private async opened(cluster: string): Promise<StorePorts> {
    if (this.stores === undefined) {
      // Alarms do not say whose they are.
      if ((await this.ctx.storage.get<string>('cluster')) === undefined) await this.ctx.storage.put('cluster', cluster);
      this.stores ??= new StorePorts(this.env, cluster);
    }
    return this.stores;
  }

  private arrive(store: string, { key, resourceVersion }: Notice): void {
    this.arrived.set(`${store} ${key}`, { store, key, resourceVersion });
  }

  /** Takes in everything after the cursor that no notification told of. Answers whether that is not known any more. */
  private async catchUp(store: string, seen: number): Promise<boolean> {
    if (this.stores === undefined) return false;
    const { notices, resourceVersion, expired } = await this.stores.store(store).changesSince(seen);
    if (expired) this.forget();
    for (const notice of notices) this.arrive(store, notice);
    const { cursors } = this.stores;
    cursors.set(store, Math.max(resourceVersion, cursors.get(store) ?? 0));
    return expired;
  }

  /** What is not known any more is read anew when it is needed. */
  private forget(): void {
    this.core = undefined;
    for (const store of this.stores?.cursors.keys() ?? []) {
      if (store !== PODS && store !== NODES) this.stores?.cursors.delete(store);
    }
  }

  /** `wake`: though nothing has arrived. */
  private async drain(wake = false): Promise<void> {
    while (this.running !== undefined) {
      await this.running;
      if (this.arrived.size === 0) return;
    }
    if (this.arrived.size === 0 && !wake) return;
    this.running = this.run(wake).finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async run(wake: boolean): Promise<void> {
    const { stores } = this;
    if (stores === undefined) return;
    let next: number | undefined;
    try {
      do {
        const changes = await this.take(stores);
        if (this.core === undefined && !wake && !(await this.matters(changes))) return;
        const core = await this.loaded(stores);
        core.apply(changes);
        next = await core.run();
      } while (this.arrived.size > 0);
    } catch (error) {
      this.forget();
      next = Date.now() + 1000;
      console.error(error);
    }
    this.ctx.waitUntil(stores.flush());
    await this.wakeAt(next);
  }

  /** What has arrived, as the stores have it now. */
  private async take(stores: StorePorts): Promise<Change[]> {
    const arrived = this.arrived;
    this.arrived = new Map();
    const news = [...arrived.values()].filter(
      ({ store, key, resourceVersion }) => store !== PODS || !stores.isOwn(key, resourceVersion),
    );
    const byStore = Map.groupBy(news, ({ store }) => store);
    const reads = [...byStore].map(([store, list]) =>
      stores.read(
        store,
        list.map(({ key }) => key),
      ),
    );
    return (await Promise.all(reads)).flat();
  }

  /** Whether changes are of use while nothing is in memory: a pod that wants a node, or anything while pods wait. */
  private async matters(changes: readonly Change[]): Promise<boolean> {
    const wants = changes.some(
      (change) =>
        change.kind === 'pod' &&
        change.pod !== undefined &&
        !change.pod.spec?.nodeName &&
        !change.pod.metadata.deletionTimestamp,
    );
    if (wants) return true;
    return (await this.alarmTime()) !== null;
  }

  private async loaded(stores: StorePorts): Promise<Core> {
    if (this.core === undefined) {
      const core = new Core(stores, await stores.configuration());
      await core.load();
      this.core = core;
    }
    return this.core;
  }

  /** One alarm for the pod whose time comes first; one that comes too early does no harm, and costs no write. */
  private async wakeAt(next: number | undefined): Promise<void> {
    const set = await this.alarmTime();
    if (next === undefined) {
      if (set !== null) await this.ctx.storage.deleteAlarm();
      this.alarmAt = null;
    } else if (set === null || next < set) {
      await this.ctx.storage.setAlarm(next);
      this.alarmAt = next;
    }
  }

  private async alarmTime(): Promise<number | null> {
    if (this.alarmAt === undefined) this.alarmAt = await this.ctx.storage.getAlarm();
    return this.alarmAt;
  }
}
