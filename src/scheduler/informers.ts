/** Objects other than pods and nodes, in memory as far as plugins read them (upstream: shared informers). */
import type { ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import { ADD, type ClusterChange, DELETE, UPDATE } from './framework/cluster-event.ts';
import type { Objects } from './framework/plugin.ts';

export class Informers implements Objects {
  private readonly stores = new Map<ResourceId, Map<string, KubeObject>>();
  private readonly loads = new Map<ResourceId, Promise<void>>();
  private readonly read: (resource: ResourceId) => Promise<readonly KubeObject[]>;

  /** `read`: all objects of a resource; what changes from then on is told to {@link set}. */
  constructor(read: (resource: ResourceId) => Promise<readonly KubeObject[]>) {
    this.read = read;
  }

  get<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): T | undefined {
    return this.stores.get(resource)?.get(namespace === '' ? name : `${namespace}/${name}`) as T | undefined;
  }

  list<T extends KubeObject>(resource: ResourceId, namespace?: string): readonly T[] {
    const objects = [...(this.stores.get(resource)?.values() ?? [])] as T[];
    return namespace === undefined ? objects : objects.filter((object) => object.metadata.namespace === namespace);
  }

  /** Whether a resource was asked for. */
  follows(resource: ResourceId): boolean {
    return this.loads.has(resource);
  }

  /** Whether {@link ensure} has nothing to do. */
  has(resources: readonly ResourceId[]): boolean {
    return resources.every((resource) => this.stores.has(resource));
  }

  async ensure(resources: readonly ResourceId[]): Promise<void> {
    await Promise.all([...new Set(resources)].map((resource) => this.load(resource)));
  }

  private load(resource: ResourceId): Promise<void> {
    const underWay = this.loads.get(resource);
    if (underWay !== undefined) return underWay;
    const load = this.read(resource).then(
      (objects) => {
        this.stores.set(resource, new Map(objects.map((object) => [keyOf(object), object])));
      },
      (error: unknown) => {
        this.loads.delete(resource);
        throw error;
      },
    );
    this.loads.set(resource, load);
    return load;
  }

  /** Takes an object as its store has it; undefined when it is gone. Answers what happened; undefined when that is nothing new. */
  set(resource: ResourceId, key: string, after: KubeObject | undefined): ClusterChange | undefined {
    const store = this.stores.get(resource);
    const before = store?.get(key);
    if (store === undefined || (before === undefined && after === undefined)) return undefined;
    if (before?.metadata.resourceVersion === after?.metadata.resourceVersion) return undefined;
    if (after === undefined) store.delete(key);
    else store.set(key, after);
    const actions = before === undefined ? ADD : after === undefined ? DELETE : UPDATE;
    return { kind: 'object', resource, actions, ...(before && { before }), ...(after && { after }) };
  }
}

const keyOf = ({ metadata }: KubeObject): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
