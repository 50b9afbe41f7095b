/** A cluster in memory behind the `Client` interface, for tests: consistent reads, resourceVersions, finalizers, graceful pods. */
import type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectList,
  PatchType,
  ResourceId,
} from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { alreadyExists, conflict, type GroupResource, MODIFIED, notFound } from '../../apimachinery/errors.ts';
import { matches } from '../../apimachinery/labels.ts';
import { FIRST_VERSION, type Json, type JsonObject, type KubeObject, now } from '../../apimachinery/meta.ts';
import { parseSelector } from '../../apimachinery/selector-parser.ts';
import type { ChangeNotice, StoreChanges } from '../changes.ts';
import { keyOf } from '../controller.ts';

type Loose = KubeObject & { spec?: JsonObject; status?: JsonObject };

interface FakeStore {
  objects: Map<string, Loose>;
  log: ChangeNotice[];
  resourceVersion: number;
}

const RANDOM = 'bcdfghjklmnpqrstvwxz2456789';

function fieldOf(object: Loose, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return String(value ?? '');
}

function merge(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete base[key];
    else if (value !== undefined) base[key] = merge(base[key], value);
  }
  return base;
}

/** The cluster: stores by resource, each with the log of its changes. */
export class FakeCluster implements Client {
  /** Calls by method and resource: `create core/pods`. */
  readonly calls = new Map<string, number>();
  /** Called after every change. */
  onChange: (store: ResourceId, from: number, notice: ChangeNotice) => void = () => {};
  /** Throws to refuse an object. */
  admit: (resource: ResourceId, object: KubeObject) => void = () => {};
  readonly #stores = new Map<ResourceId, FakeStore>();
  readonly #clock: () => number;
  #serial = 0;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /** All calls so far. */
  get callCount(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  async get<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): Promise<T | undefined> {
    this.#count('get', resource);
    return this.peek<T>(resource, namespace, name);
  }

  /** {@link get} for the test itself: not counted, at once. */
  peek<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): T | undefined {
    const object = this.#store(resource).objects.get(namespace === '' ? name : `${namespace}/${name}`);
    return structuredClone(object) as T | undefined;
  }

  async list<T extends KubeObject>(resource: ResourceId, options: ListOptions = {}): Promise<ObjectList<T>> {
    this.#count('list', resource);
    const { objects, resourceVersion } = this.#store(resource);
    const { namespace, labelSelector, fieldSelector, ownerUid } = options;
    const labels = labelSelector === undefined ? undefined : parseSelector(labelSelector);
    const [field = '', value] = fieldSelector?.split('=') ?? [];
    const items = [...objects.values()].filter((object) => {
      if (namespace && object.metadata.namespace !== namespace) return false;
      if (labels !== undefined && !matches(labels, object.metadata.labels)) return false;
      if (fieldSelector !== undefined && fieldOf(object, field) !== value) return false;
      return ownerUid === undefined || object.metadata.ownerReferences?.some(({ uid }) => uid === ownerUid);
    });
    items.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return { resourceVersion: String(resourceVersion), items: structuredClone(items) as unknown as T[] };
  }

  /** {@link list} for the test itself. */
  all<T extends KubeObject>(resource: ResourceId): T[] {
    return structuredClone([...this.#store(resource).objects.values()]) as unknown as T[];
  }

  async create<T extends KubeObject>(resource: ResourceId, object: T): Promise<T> {
    this.#count('create', resource);
    this.admit(resource, object);
    const made = structuredClone(object) as Loose;
    const { metadata } = made;
    if (metadata.generateName && !metadata.name) metadata.name = metadata.generateName + this.#suffix();
    const key = keyOf(made);
    if (this.#store(resource).objects.has(key)) throw alreadyExists(groupResource(resource), metadata.name);
    metadata.uid = `uid-${++this.#serial}`;
    metadata.creationTimestamp ??= now(this.#clock());
    metadata.generation = 1;
    if (resource === 'core/namespaces') {
      made.spec = { finalizers: ['kubernetes'], ...made.spec };
      made.status = { phase: 'Active' };
    }
    return this.#write(resource, key, made) as unknown as T;
  }

  async update<T extends KubeObject>(resource: ResourceId, object: T, subresource?: string): Promise<T> {
    this.#count('update', resource);
    return this.#change(resource, object.metadata.namespace ?? '', object.metadata.name, object as Loose, subresource);
  }

  async patch<T extends KubeObject>(
    resource: ResourceId,
    namespace: string,
    name: string,
    _type: PatchType,
    patch: Json,
    subresource?: string,
  ): Promise<T> {
    this.#count('patch', resource);
    const current = this.peek<Loose>(resource, namespace, name);
    if (current === undefined) throw notFound(groupResource(resource), name);
    const { uid, resourceVersion } = ((patch as JsonObject)['metadata'] ?? {}) as JsonObject;
    const merged = merge(current as unknown as Json, patch) as unknown as Loose;
    if (resourceVersion === undefined) delete merged.metadata.resourceVersion;
    if (uid !== undefined && uid !== current.metadata.uid) throw conflict(groupResource(resource), name, 'uid differs');
    return this.#change(resource, namespace, name, merged, subresource);
  }

  async delete(resource: ResourceId, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    this.#count('delete', resource);
    const object = this.peek<Loose>(resource, namespace, name);
    if (object === undefined) throw notFound(groupResource(resource), name);
    const { metadata } = object;
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== metadata.uid) throw conflict(groupResource(resource), name, 'uid differs');
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
      throw conflict(groupResource(resource), name, 'resourceVersion differs');
    }
    const policy = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined };
    const finalizer = policy[options.propagationPolicy ?? 'Background'];
    if (finalizer !== undefined) metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), finalizer])];
    const grace = options.gracePeriodSeconds ?? Number(object.spec?.['terminationGracePeriodSeconds'] ?? 30);
    const graceful = resource === 'core/pods' && object.spec?.['nodeName'] !== undefined && grace > 0;
    const held = (metadata.finalizers ?? []).length > 0 || graceful || resource === 'core/namespaces';
    if (!held) return this.#remove(resource, keyOf(object), object);
    if (metadata.deletionTimestamp !== undefined && finalizer === undefined) return;
    metadata.deletionTimestamp ??= now(this.#clock());
    if (graceful) metadata.deletionGracePeriodSeconds = grace;
    if (resource === 'core/namespaces') object.status = { ...object.status, phase: 'Terminating' };
    this.#write(resource, keyOf(object), object);
  }

  /** In the order of the keys. */
  async getMany(resource: ResourceId, keys: string[]): Promise<(KubeObject | undefined)[]> {
    this.#count('getMany', resource);
    return keys.map((key) => structuredClone(this.#store(resource).objects.get(key)));
  }

  /** What the stores answer a subscriber that was away. */
  async changesSince(resource: ResourceId, resourceVersion: number): Promise<StoreChanges> {
    const store = this.#store(resource);
    const notices = store.log.filter((notice) => notice.resourceVersion > resourceVersion);
    return { notices, resourceVersion: store.resourceVersion, expired: false };
  }

  #change<T extends KubeObject>(
    resource: ResourceId,
    namespace: string,
    name: string,
    object: Loose,
    subresource: string | undefined,
  ): T {
    const current = this.peek<Loose>(resource, namespace, name);
    if (current === undefined) throw notFound(groupResource(resource), name);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      throw conflict(groupResource(resource), name, MODIFIED);
    }
    const next = structuredClone(object);
    if (subresource === 'status' || subresource === 'approval') next.spec = current.spec;
    else if (resource !== 'core/events') next.status = current.status;
    if (next.spec === undefined) delete next.spec;
    if (next.status === undefined) delete next.status;
    next.metadata.uid = current.metadata.uid;
    next.metadata.resourceVersion = current.metadata.resourceVersion;
    next.metadata.generation = current.metadata.generation;
    if (deepEqual(next, current)) return current as unknown as T;
    if (!deepEqual(next.spec, current.spec)) next.metadata.generation = (current.metadata.generation ?? 0) + 1;
    const finalizers = [
      ...(next.metadata.finalizers ?? []),
      ...(resource === 'core/namespaces' ? ((next.spec?.['finalizers'] as string[]) ?? []) : []),
    ];
    const leaves = next.metadata.deletionTimestamp !== undefined && finalizers.length === 0;
    if (leaves && next.metadata.deletionGracePeriodSeconds === undefined) {
      this.#remove(resource, keyOf(next), next);
      return next as unknown as T;
    }
    return this.#write(resource, keyOf(next), next) as unknown as T;
  }

  #write(resource: ResourceId, key: string, object: Loose): Loose {
    const store = this.#store(resource);
    const before = store.objects.get(key);
    const resourceVersion = ++store.resourceVersion;
    object.metadata.resourceVersion = String(resourceVersion);
    store.objects.set(key, structuredClone(object));
    this.#tell(resource, { key, type: before === undefined ? 'ADDED' : 'MODIFIED', resourceVersion }, before);
    return structuredClone(object);
  }

  #remove(resource: ResourceId, key: string, object: Loose): void {
    const store = this.#store(resource);
    store.objects.delete(key);
    this.#tell(resource, { key, type: 'DELETED', resourceVersion: ++store.resourceVersion }, object);
  }

  /** Whether notices carry what the key held before. */
  tellsPrevious = true;

  #tell(resource: ResourceId, notice: ChangeNotice, previous: Loose | undefined): void {
    const told = { ...notice };
    if (previous !== undefined && this.tellsPrevious) told.previous = JSON.stringify(previous);
    this.#store(resource).log.push(told);
    this.onChange(resource, notice.resourceVersion - 1, told);
  }

  #store(resource: ResourceId): FakeStore {
    const store = this.#stores.get(resource) ?? { objects: new Map(), log: [], resourceVersion: FIRST_VERSION };
    this.#stores.set(resource, store);
    return store;
  }

  #count(method: string, resource: ResourceId): void {
    const key = `${method} ${resource}`;
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
  }

  #suffix(): string {
    this.#serial += 1;
    return Array.from({ length: 5 }, () => RANDOM[Math.floor(Math.random() * RANDOM.length)]).join('');
  }
}

function groupResource(resource: ResourceId): GroupResource {
  const slash = resource.indexOf('/');
  const group = resource.slice(0, slash);
  return { group: group === 'core' ? '' : group, resource: resource.slice(slash + 1) };
}
