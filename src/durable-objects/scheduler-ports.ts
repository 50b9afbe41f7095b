/** The stores as the scheduler sees them, and how far it has seen each. */
import type { Store } from '../api/context.ts';
import type { Client, ResourceId } from '../apimachinery/client.ts';
import type { KubeObject, Status } from '../apimachinery/meta.ts';
import { EventMemory, EventRecorder } from '../controllers/events.ts';
import type { ConfigMap, Node, Pod } from '../generated/types/core.v1.ts';
import type { Binding } from '../scheduler/binder.ts';
import { CONFIG_MAP, type Configuration, defaultConfiguration, readConfiguration } from '../scheduler/configuration.ts';
import type { PodRef } from '../scheduler/framework/plugin.ts';
import type { Change, Ports } from '../scheduler/ports.ts';
import { SCHEDULER_NAME } from '../scheduler/profile.ts';
import type { Env } from './env.ts';
import { StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

export const PODS = 'core/pods';
export const NODES = 'core/nodes';
export const CONFIG_MAPS = 'core/configmaps';
/** The key of the ConfigMap with the scheduler's configuration. */
export const CONFIG_KEY = `${CONFIG_MAP.namespace}/${CONFIG_MAP.name}`;
const PAGE = 500;
/** Bindings of one's own that are remembered. */
const REMEMBERED = 10_000;

export class StorePorts implements Ports {
  readonly client: Client;
  /** The resourceVersion up to which each store's changes were seen. */
  readonly cursors = new Map<string, number>();
  /** Bindings of an object that is gone, but for a call on its way, are told from this one's by it. */
  private readonly session = crypto.randomUUID();
  /** Pods bound here, with the resourceVersion that they got by it. */
  private readonly own = new Map<string, number>();
  private readonly events: EventRecorder;
  private recorded = false;
  private flushing: Promise<void> | undefined;
  private readonly env: Env;
  private readonly cluster: string;

  constructor(env: Env, cluster: string) {
    this.env = env;
    this.cluster = cluster;
    this.client = new StoreClient(surroundings(env), cluster, SCHEDULER_NAME);
    this.events = new EventRecorder(this.client, SCHEDULER_NAME, new EventMemory());
  }

  /** As the cluster's owner wants it; what cannot be read is left out of account, and an event on the ConfigMap says why. */
  async configuration(): Promise<Configuration> {
    const { namespace, name, key } = CONFIG_MAP;
    const map = await this.client.get<ConfigMap>(CONFIG_MAPS, namespace, name);
    const text = map?.data?.[key];
    if (map === undefined || text === undefined) return defaultConfiguration();
    try {
      return readConfiguration(text);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.events.record({ ...map, kind: 'ConfigMap', apiVersion: 'v1' }, 'Warning', 'InvalidConfiguration', message);
      this.recorded = true;
      return defaultConfiguration();
    }
  }

  store(id: string): Store {
    return this.env.STORE.getByName(`${this.cluster}/${id}`) as unknown as Store;
  }

  async *pods(): AsyncIterable<Pod[]> {
    // Before the first page: what was bound by then is in the list, and what was not will not be.
    await this.store(PODS).claimBindings(this.session);
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

  async nodes(): Promise<Node[]> {
    return this.objects<Node>(NODES);
  }

  async objects<T extends KubeObject>(resource: ResourceId): Promise<T[]> {
    const { items, resourceVersion } = await this.client.list<T>(resource);
    this.cursors.set(resource, Number(resourceVersion));
    return items;
  }

  async bind(bindings: readonly Binding[]): Promise<(Status | undefined)[]> {
    // Changes whose notification was lost are never asked about.
    if (this.own.size > REMEMBERED) this.own.clear();
    const results = await this.store(PODS).bindMany(this.session, bindings);
    if (results === undefined) throw new Error('another scheduler has taken over');
    return results.map((result, i) => {
      if ('status' in result) return result.status;
      const { key = '', labels = {} } = bindings[i] ?? {};
      // What gives the pod labels is to be read again: selectors may ask for them.
      if (Object.keys(labels).length === 0) this.own.set(key, result.resourceVersion);
      return undefined;
    });
  }

  /** Whether a change is one of {@link bind}'s own, of which the scheduler knows already. Asked once for each. */
  isOwn(key: string, resourceVersion: number): boolean {
    if (this.own.get(key) !== resourceVersion) return false;
    return this.own.delete(key);
  }

  event(pod: PodRef, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.events.record({ ...pod, kind: 'Pod', apiVersion: 'v1' }, type, reason, message);
    this.recorded = true;
  }

  /** Writes the events that were recorded; nobody waits for them. */
  flush(): Promise<void> {
    this.flushing ??= this.flushAll().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  private async flushAll(): Promise<void> {
    while (this.recorded) {
      this.recorded = false;
      await this.events.flush();
    }
  }

  /** Objects of a store as they are now. */
  async read(store: string, keys: string[]): Promise<Change[]> {
    const texts = await this.store(store).getMany(keys);
    return keys.map((key, i) => changeOf(store, key, texts[i] ?? undefined));
  }
}

function changeOf(store: string, key: string, text: string | undefined): Change {
  const object: unknown = text === undefined ? undefined : JSON.parse(text);
  if (store === PODS) return { kind: 'pod', key, pod: object as Pod | undefined };
  if (store === NODES) return { kind: 'node', name: key, node: object as Node | undefined };
  return { kind: 'object', resource: store, key, object: object as KubeObject | undefined };
}
