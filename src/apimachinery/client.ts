/**
 * The cluster as controllers, the scheduler, the agent and the command line see it.
 * In the Worker it is served by the stores directly; elsewhere over HTTP.
 * Every method throws a `StatusError` on failure.
 */
import type { Json, KubeObject } from './meta.ts';

/** `core/pods`, `apps/deployments`: group (`core` for the empty one) and plural; also the name of the store. */
export type ResourceId = string;

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Only objects that name this uid among their owners; in the Worker only. */
  ownerUid?: string;
}

export interface ObjectList<T> {
  resourceVersion: string;
  items: T[];
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** A kind that a CustomResourceDefinition brings. */
export interface CustomKind {
  store: ResourceId;
  group: string;
  kind: string;
  /** Plural. */
  resource: string;
  namespaced: boolean;
  /** The names on the way to the number of replicas; absent: the kind cannot be scaled. */
  replicas?: readonly string[];
}

export type PatchType = 'merge' | 'strategic' | 'json' | 'apply';

export interface Client {
  /** The object, or undefined where there is none. */
  get<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): Promise<T | undefined>;
  list<T extends KubeObject>(resource: ResourceId, options?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(resource: ResourceId, object: T, subresource?: string): Promise<T>;
  /** PUT: fails with Conflict when `metadata.resourceVersion` is stale. */
  update<T extends KubeObject>(resource: ResourceId, object: T, subresource?: string): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: string,
  ): Promise<T>;
  delete(resource: ResourceId, namespace: string, name: string, options?: DeleteOptions): Promise<void>;
  /** The kinds of all established definitions, at most a second old; in the Worker only. */
  customKinds?(): Promise<readonly CustomKind[]>;
  /** Ends all watches of a store: what it keeps is served no longer; in the Worker only. */
  endWatches?(resource: ResourceId): Promise<void>;
  /** The group-versions that CustomResourceDefinitions serve now, as `<version>.<group>`; in the Worker only. */
  servedByDefinitions?(): Promise<ReadonlySet<string>>;
}
