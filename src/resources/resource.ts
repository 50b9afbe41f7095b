/** What a built-in resource is: a data literal. Routes, discovery, tables and store names derive from the list in `index.ts`. */
import type { ResourceId } from '../apimachinery/client.ts';
import type { FieldError } from '../apimachinery/field.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { StructuralSchema } from '../apimachinery/structural/schema.ts';
import type { MetadataChecks } from '../apimachinery/validation/meta.ts';
import type { WebhookClientConfig } from '../generated/types/apiextensions.v1.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/**
 * How objects of a kind are made and changed, after upstream's `rest.RESTCreateUpdateStrategy`. All functions are pure but for
 * the object that they are told to change, and run in the Worker (create) or inside the store (update).
 * Order on create: default, prepareForCreate, validate. On update: default, prepareForUpdate, validateUpdate.
 */
export interface Strategy<T extends KubeObject> {
  /** Fills what is absent, in place (`SetDefaults_*`). Must be idempotent. */
  default?(object: T): void;
  /** Resets what a client may not set, in place: status, generated fields. Throws Invalid with what must be said ahead of all else. */
  prepareForCreate?(object: T): void;
  /** Errors of a whole new object; metadata is checked by the caller (name by {@link nameErrors}). */
  validate?(object: T): FieldError[];
  /** Carries over from `old` what an update may not change silently, in place. Generation is bumped by the caller when `spec` changed. */
  prepareForUpdate?(object: T, old: T): void;
  /** Errors of the new state and of the transition; metadata is checked by the caller. Default: {@link validate}. */
  validateUpdate?(object: T, old: T): FieldError[];
  /** Why an object of this name may not be deleted; undefined where it may. */
  whyKept?(name: string): string | undefined;
  /** Texts for `Warning: 299` headers. */
  warnings?(object: T, old?: T): string[];
  /** Problems of a name; default: DNS-1123 subdomain. `prefix`: it is a generateName. */
  nameErrors?(name: string, prefix: boolean): string[];
  /** Its dependents outlive it where a deletion does not say otherwise (`DefaultGarbageCollectionPolicy`). */
  orphansDependents?: true;
  /** Whether a delete is graceful: the seconds, or undefined to delete at once (`RESTGracefulDeleteStrategy`). */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
  /** Finalizers beside `metadata.finalizers` that a delete waits for: a Namespace's are in its spec. */
  moreFinalizers?(object: T): readonly string[];
  /** What a delete that waits changes besides marking the metadata, in place: a Namespace's phase. */
  markDeleting?(object: T, old: T): void;
  /** PUT to a name that does not exist creates it (`AllowCreateOnUpdate`); of a Service so does one of its status. */
  createOnUpdate?: boolean;
  /** PUT without resourceVersion is allowed (`AllowUnconditionalUpdate`). Default true. */
  unconditionalUpdate?: boolean;
  /** What who deletes without saying what becomes of dependents is warned of. */
  deleteWarning?: string;
  /** A delete answers with the deleted object instead of a Status (`ReturnDeletedObject`). */
  returnsDeleted?: boolean;
  /** Objects of this kind have `metadata.generation`. Default: whether the object has a `spec`. `on update`: from their first change on. */
  generation?: boolean | 'on update';
  /**
   * How often upstream's own validation of an update looks at the whole metadata, and how often at its transition; each time
   * repeats the causes of what is wrong there. Default: once each.
   */
  metadataChecks?: MetadataChecks;
  /** Finalizers need not be qualified: upstream validates the metadata of such kinds without knowing what they are. */
  plainFinalizers?: boolean;
  /** An empty list counts as another spec than none (upstream compares with `reflect.DeepEqual`, not with `equality.Semantic`). */
  tellsEmpty?: boolean;
  /** Whether a change beside that of the spec counts as one. */
  generationChanged?(object: T, old: T): boolean;
}

/** How a subresource that is an update of the same object differs: `status`, `approval`, `ephemeralcontainers`, `resize`, `finalize`. */
export interface SubresourceStrategy<T extends KubeObject> {
  /** Takes from `old` all that this subresource may not change, in place. */
  prepareForUpdate(object: T, old: T): void;
  validateUpdate?(object: T, old: T): FieldError[];
}

export interface Subresource<T extends KubeObject> {
  name: string;
  /** The kind of its bodies, and its group and version where they are not the resource's. */
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly ('create' | 'delete' | 'get' | 'patch' | 'update')[];
  strategy?: SubresourceStrategy<T>;
}

/** A printed column (`metav1.TableColumnDefinition`) with what goes in its cells. */
export interface Column<T extends KubeObject> {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  /** `name` on the Name column. */
  format?: string;
  /** 1: only with `-o wide`. */
  priority?: 0 | 1;
  description?: string;
  /** `now` in ms, for ages. */
  cell(object: T, now: number): string | number | boolean | null;
}

/** What a CustomResourceDefinition says of a resource beyond what the built-in ones have. */
export interface CustomType {
  /** The definition's name, and as of when it is. */
  definition: string;
  resourceVersion: string;
  /** Counts the changes of what the definition says. */
  generation: number;
  /** Of the whole object; undefined: anything goes. */
  schema: StructuralSchema | undefined;
  /** The same resource in all its versions, and the one in which objects are kept. */
  versions: ReadonlyMap<string, Resource>;
  storage: string;
  /** Where the `scale` subresource finds its numbers; undefined without one. */
  scale: { replicas: readonly string[]; observed: readonly string[]; selector: readonly string[] } | undefined;
}

/** Between the version that is served and the one that is stored. Both directions are pure and return new objects. */
export interface Conversion {
  fromStored(object: KubeObject): KubeObject;
  toStored(object: KubeObject): KubeObject;
  /** Who is asked ahead of both; objects are of the version that they say then, in the store too. */
  webhook?: ConversionWebhook;
}

/** Who knows what objects of a definition are in its other versions. */
export interface ConversionWebhook {
  definition: string;
  client: WebhookClientConfig;
  /** Of ConversionReview, the best first. */
  reviewVersions: readonly string[];
}

export interface Resource<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  group: string;
  version: string;
  /** Plural, as in the path. */
  resource: string;
  singular: string;
  kind: string;
  /** `<kind>List` unless said. */
  listKind?: string;
  namespaced: boolean;
  shortNames?: readonly string[];
  categories?: readonly string[];
  /** Default: {@link ALL_VERBS}. Resources that are only created (reviews) are not stored. */
  verbs?: readonly Verb[];
  subresources?: readonly Subresource<T>[];
  /** The text of the warning that goes with every answer. */
  deprecation?: string;
  /** Where another resource's store keeps the objects: `events.k8s.io` events are core events, HPA v1 is v2. */
  storedAs?: ResourceId;
  /** Between this version and the stored one; with {@link storedAs}, and of custom resources. */
  conversion?: Conversion;
  /** Annotations that only this version's objects have, made of a field that the version lacks: tables and metadata alone are without them. */
  versionAnnotations?: readonly string[];
  strategy: Strategy<T>;
  /** Values of the field selectors beyond `metadata.name` and `metadata.namespace`; every key is always present. */
  selectableFields?(object: T): Record<string, string>;
  /** This version's names of selectable fields -> those of the stored version, where they differ; with {@link storedAs}. */
  storedFields?: Readonly<Record<string, string>>;
  columns?: readonly Column<T>[];
  /** Objects are made when they are asked for, and kept nowhere. */
  computed?: true;
  /** Only of custom resources. */
  custom?: CustomType;
}

/** Typed construction; the list holds them with their types erased. */
export function defineResource<T extends KubeObject>(resource: Resource<T>): Resource {
  return resource as unknown as Resource;
}

/** `core/pods`, `apps/deployments`: a resource's id, and the name of the store that keeps it. */
export function storeOf(resource: Resource): ResourceId {
  return resource.storedAs ?? `${resource.group === '' ? 'core' : resource.group}/${resource.resource}`;
}
