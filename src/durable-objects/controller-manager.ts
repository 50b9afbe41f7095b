/** The ControllerManager object: a thin shell that gives the controllers their storage, their alarm and the stores' changes. */
import { DurableObject } from 'cloudflare:workers';
import { drizzle } from 'drizzle-orm/durable-sqlite';
import { migrate } from 'drizzle-orm/durable-sqlite/migrator';
import migrations from '../../migrations/controller-manager/migrations.js';
import { forgetListed } from '../api/admission/listed.ts';
import { askExtension } from '../api/aggregation/ask.ts';
import { forgetFrontProxy } from '../api/aggregation/front-proxy.ts';
import { probeDiscovery } from '../api/aggregation/probe.ts';
import { CLUSTER_CIDR } from '../api/bootstrap/objects.ts';
import { splitKey } from '../api/registry/encode.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import { apiServerControllers, controllers } from '../controllers/index.ts';
import { ControllerManager as Core } from '../controllers/manager.ts';
import { lostKey, nodeLifecycleController } from '../controllers/node-lifecycle/index.ts';
import { SqliteBackend } from '../controllers/queue/sqlite.ts';
import type { Env } from './env.ts';
import { KnownRootCa } from './known-root-ca.ts';
import { Resync } from './resync.ts';
import type { Notification, SubscriberRpc } from './rpc.ts';
import { controllerUser, StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

/** What admission keeps lists of. */
const ADMITTED_BY = new Set(['core/resourcequotas', 'core/limitranges', 'scheduling.k8s.io/priorityclasses']);

export class ControllerManager extends DurableObject<Env> implements SubscriberRpc {
  private core: Core | undefined;
  private rootCa: KnownRootCa | undefined;

  /** Returns when the work that it brought is done; while another call works, as soon as that work is queued. */
  async notify({ cluster, store, from, notices }: Notification): Promise<void> {
    // What controllers make is admitted here: a quota or a range that is new counts from now on.
    if (ADMITTED_BY.has(store)) for (const { key } of notices) forgetListed(cluster, store, splitKey(key).namespace);
    const core = await this.loaded(cluster);
    await this.armed(core, () => core.notify(store, from, notices));
  }

  async tick(cluster: string): Promise<void> {
    const core = await this.loaded(cluster);
    const resync = new Resync(this.ctx.storage.kv, this.env.STARTED);
    await this.armed(core, () => core.tick((work) => resync.whenDue(() => core.heard, work)));
  }

  /** The node's agent has had no session since `lostAt`, in ms since the epoch. Returns when that cannot be forgotten any more. */
  async nodeLost(cluster: string, node: string, lostAt: number): Promise<void> {
    const core = await this.loaded(cluster);
    await this.armed(core, async () => core.enqueue(nodeLifecycleController.name, lostKey(node, lostAt)));
  }

  /** The cluster's CAs are others. Returns when that cannot be forgotten any more. */
  async rootCaChanged(cluster: string): Promise<void> {
    const core = await this.loaded(cluster);
    this.rootCa?.forget();
    forgetFrontProxy(cluster);
    await this.armed(core, () => core.rootCaChanged());
  }

  override async alarm(): Promise<void> {
    const cluster = await this.ctx.storage.get<string>('cluster');
    if (cluster === undefined) return;
    const core = await this.loaded(cluster);
    await this.armed(core, () => core.drain());
  }

  /** Does the work, then sets the one alarm to when the next key is due. */
  private async armed(core: Core, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      // While another call works, setting the alarm is for it to do.
      const due = core.busy ? undefined : core.nextDue();
      if (due !== undefined) await this.wakeAt(due);
    }
  }

  private async wakeAt(due: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || due < set || set < Date.now()) await this.ctx.storage.setAlarm(due);
  }

  private async loaded(cluster: string): Promise<Core> {
    if (this.core !== undefined) return this.core;
    // Alarms do not say whose they are.
    if ((await this.ctx.storage.get<string>('cluster')) === undefined) await this.ctx.storage.put('cluster', cluster);
    try {
      await migrate(drizzle(this.ctx.storage), migrations);
    } catch (error) {
      // The migrator says only that it rolled back.
      console.error('migration', error instanceof Error ? (error.cause ?? error) : error);
      throw error;
    }
    const around = surroundings(this.env);
    this.core ??= new Core({
      controllers: this.env.CONTROLLERS === 'off' ? apiServerControllers : controllers,
      clientAs: (fieldManager) => new StoreClient(around, cluster, fieldManager),
      client: new StoreClient(around, cluster, 'kube-controller-manager'),
      backend: new SqliteBackend(this.ctx.storage),
      changesSince: (store, resourceVersion) => around.store(cluster, store).changesSince(resourceVersion),
      getMany: async (store, keys) => {
        const texts = await around.store(cluster, store).getMany(keys);
        return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as KubeObject)));
      },
      rootCa: () => {
        this.rootCa ??= new KnownRootCa(() => around.cluster(cluster).rootCa());
        return this.rootCa.get();
      },
      certificates: {
        approval: (spec) => around.cluster(cluster).approval(spec),
        sign: (spec) => around.cluster(cluster).signRequest(spec),
      },
      secretToken: (request) => around.cluster(cluster).mintLegacy(request),
      clusterCidr: CLUSTER_CIDR,
      probeDiscovery: (service) => probeDiscovery(around, cluster, service),
      askExtension: (controller, ...question) => askExtension(around, cluster, controllerUser(controller), ...question),
      nodeConnected: (node) => this.env.NODE_SESSION.getByName(`${cluster}/${node}`).connected(),
    });
    return this.core;
  }
}
