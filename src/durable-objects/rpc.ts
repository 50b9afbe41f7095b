/** What the Durable Objects say to each other and the Worker to them: plain data both ways, failures as `{status}`. */
import type { Demand } from '../api/admission/resource-quota/charge.ts';
import type { PatchType, ResourceId } from '../apimachinery/client.ts';
import type { Status } from '../apimachinery/meta.ts';
import type { Encryption } from '../store/encryption/keyring.ts';
import type { CommitResult, Encoded, EventType, ListKind, ListQuery, ListResult, Outcome } from '../store/types.ts';

/** Who asks, as far as the registry cares. */
export interface RequestOptions {
  /** `metadata.managedFields[].manager`. */
  fieldManager: string;
  dryRun: boolean;
  fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Server-side apply: take fields from other managers. */
  force?: boolean;
  /** The node that asks, which may change its own only. */
  node?: string;
}

export interface DeleteRequest {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun: boolean;
  /** The node that asks, which may delete its own only. */
  node?: string;
}

/**
 * A change that is worked out inside the store, atomically with its commit. Bodies are JSON texts, already decoded from protobuf or
 * YAML. `resource` is `<group>/<version>/<plural>`, `core` for the empty group: a store may hold what is served in several versions.
 */
export type ChangeRequest =
  | { do: 'update'; resource: string; subresource?: string; body: string; options: RequestOptions }
  | { do: 'patch'; resource: string; subresource?: string; type: PatchType; body: string; options: RequestOptions }
  | { do: 'delete'; resource: string; options: DeleteRequest }
  /** Of an object whose resourceVersion is `from` still. */
  | { do: 'commit'; resource: string; from: number; outcome: Outcome }
  | ({ do: 'bind'; dryRun: boolean } & Assignment)
  /** A pod: deletes it, and says on it why. */
  | { do: 'evict'; options: DeleteRequest }
  /** A PodDisruptionBudget: allows one disruption less, for the sake of a pod. */
  | { do: 'disrupt'; pod: string; dryRun: boolean };

/** What `pods/binding` puts on a pod. */
export interface Assignment {
  node: string;
  uid?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** A new object, and the key that it is to be kept under. */
export interface Creation {
  key: string;
  object: Encoded;
  dryRun: boolean;
}

/** A change without the object's text: who needs more asks for it. */
export interface Notice {
  key: string;
  type: EventType;
  resourceVersion: number;
  /** The text of what the key held before; not for ADDED. */
  previous?: string;
}

/** `from`: the resourceVersion before the first notice, so that a subscriber sees when it has missed some. */
export interface Notification {
  cluster: string;
  store: ResourceId;
  from: number;
  notices: Notice[];
}

export interface ChangesSince {
  /** Newest last. `expired`: the cursor is below the compaction floor; list instead. */
  notices: Notice[];
  resourceVersion: number;
  expired: boolean;
}

/** Since the store woke; for measurements. */
export interface StoreStats {
  /** As they are billed. */
  rowsWritten: number;
  /** In ms since the epoch. */
  wokenAt: number;
  watchers: number;
}

/** The ResourceStore class; `fetch` with an Upgrade opens a watch (a `WatchQuery` as JSON in the header `x-watch`). */
export interface ResourceStoreRpc {
  get(key: string): Promise<string | null>;
  /** In the order of the keys; null where there is nothing. */
  getMany(keys: string[]): Promise<(string | null)[]>;
  list(query: ListQuery): Promise<ListResult>;
  /** {@link list} as the bytes of a JSON body, or a stream of them where they are many. */
  listBody(query: ListQuery, kind: ListKind): Promise<Uint8Array | ReadableStream | Failure>;
  create(key: string, object: Encoded, dryRun: boolean): Promise<CommitResult>;
  /** Many new objects in one transaction, in order; each succeeds or fails by itself. */
  createMany(creations: readonly Creation[]): Promise<CommitResult[]>;
  change(key: string, request: ChangeRequest): Promise<CommitResult>;
  /** Many changes in one transaction; each succeeds or fails by itself. */
  changeMany(changes: { key: string; request: ChangeRequest }[]): Promise<CommitResult[]>;
  /** Of the store of pods alone: from now on this session of the scheduler binds, and no other. */
  claimBindings(session: string): Promise<void>;
  /**
   * Binds many pods in one transaction, each by itself; `key` is the pod's. Undefined, and nothing done, where another session has
   * claimed: a call that comes late from a scheduler that is gone must not take room that its successor has given away.
   */
  bindMany(
    session: string,
    bindings: readonly ({ key: string } & Assignment)[],
  ): Promise<({ resourceVersion: number } | Failure)[] | undefined>;
  /** Deletes all that the query selects; answers with the deleted objects' texts, joined. */
  deleteCollection(query: ListQuery, request: ChangeRequest & { do: 'delete' }): Promise<ListResult>;
  /** Of the store of ResourceQuotas alone: takes what an object will use from the quotas of its namespace, or refuses. */
  charge(namespace: string, demand: Demand, dryRun: boolean): Promise<{ charged: number } | Failure>;
  changesSince(resourceVersion: number): Promise<ChangesSince>;
  /** Ends all watches. */
  endWatches(): Promise<void>;
  stats(): Promise<StoreStats>;
  /** How the store is encrypted at rest, after making a new key where `rotate` says so; null where it is not. */
  encryption(rotate: boolean): Promise<Encryption | null>;
}

/** ControllerManager, Scheduler and Cluster take notifications; the tick is cron's. */
export interface SubscriberRpc {
  notify(notification: Notification): Promise<void>;
  tick(cluster: string): Promise<void>;
}

export type Failure = { status: Status };
