/** The field manager at work: which managedFields a request leaves behind, and what an apply makes of an object. */
import { decodeJson } from '../../apimachinery/codec/index.ts';
import { badRequest, internalError } from '../../apimachinery/errors.ts';
import {
  applyConfiguration,
  EMPTY,
  type MapType,
  type Subject,
  trackUpdate,
  typeOfObject,
  typeOfOpenApi,
} from '../../apimachinery/fieldmanager/index.ts';
import { parentEntries, scaleEntries } from '../../apimachinery/fieldmanager/scale.ts';
import { formatApiVersion, type Json, type KubeObject, now, parseApiVersion } from '../../apimachinery/meta.ts';
import { schemaFor } from '../../apimachinery/schema/index.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import { findResource } from '../../resources/index.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';
import { inVersion as convert } from './conversion.ts';
import { decodeCustom } from './custom.ts';
import { resetFields } from './reset-fields.ts';
import { toScale } from './scale.ts';

const SCALE_VERSION = 'autoscaling/v1';
const subjects = new WeakMap<Resource, Map<string, Subject | undefined>>();

/** Of these upstream tracks nothing. */
const UNTRACKED = new Set(['certificatesigningrequests']);

/** Undefined for a kind whose schema is not known: nobody's fields are tracked of it. */
function subjectOf(resource: Resource, subresource: string): Subject | undefined {
  let known = subjects.get(resource);
  if (known === undefined) {
    known = new Map();
    subjects.set(resource, known);
  }
  if (!known.has(subresource)) known.set(subresource, makeSubject(resource, subresource));
  return known.get(subresource);
}

function makeSubject(resource: Resource, subresource: string): Subject | undefined {
  const scales = subresource === 'scale';
  const apiVersion = scales ? SCALE_VERSION : formatApiVersion(resource);
  const type = scales ? typeOfKind(SCALE_VERSION, 'Scale') : typeOf(resource);
  if (type === undefined) return undefined;
  if (scales) return { type, apiVersion, subresource, resetFields: EMPTY };
  return {
    type,
    apiVersion,
    subresource,
    resetFields: resetFields(resource, subresource),
    inVersion: (object, version) => inVersion(resource, object as unknown as KubeObject, version),
  };
}

const METADATA = 'metadata';

/** The type of a resource's objects, or of the bodies of a subresource of another kind; undefined for one whose schema is not known. */
export function typeOfBody(resource: Resource, apiVersion: string, kind: string): MapType | undefined {
  return kind === resource.kind ? typeOf(resource) : typeOfKind(apiVersion, kind);
}

/** The type of a resource's objects. */
function typeOf(resource: Resource): MapType | undefined {
  if (resource.custom === undefined) return typeOfKind(formatApiVersion(resource), resource.kind);
  const metadata = typeOfKind('v1', 'ConfigMap')?.fields?.get(METADATA)?.type;
  return metadata?.kind === 'map' ? typeOfOpenApi(resource.custom.schema, metadata) : undefined;
}

function typeOfKind(apiVersion: string, kind: string): MapType | undefined {
  const schema = schemaFor(apiVersion, kind);
  return schema === undefined ? undefined : typeOfObject(schema);
}

/** An object of the resource in another version of it; undefined where there is none. */
function inVersion(
  resource: Resource,
  object: KubeObject,
  apiVersion: string,
): ReturnType<Required<Subject>['inVersion']> {
  const { group, version } = parseApiVersion(apiVersion);
  const { custom } = resource;
  const other = custom === undefined ? findResource(group, version, resource.resource) : custom.versions.get(version);
  const type = other === undefined ? undefined : typeOf(other);
  if (other === undefined || type === undefined || storeOf(other) !== storeOf(resource)) return undefined;
  return { type, object: convert(resource, other, object) as unknown as Json };
}

/** For what the API server itself changes. */
export const BY_API_SERVER: RequestOptions = {
  fieldManager: 'kube-apiserver',
  dryRun: false,
  fieldValidation: 'Ignore',
};

/** Sets the managedFields of a new object, in place: after defaulting, before admission. */
export function trackCreate(resource: Resource, object: KubeObject, options: RequestOptions, subresource = ''): void {
  if (UNTRACKED.has(resource.resource)) return;
  const subject = subjectOf(resource, subresource);
  if (subject !== undefined) trackUpdate(subject, undefined, object, options.fieldManager, now());
}

/** Sets the managedFields of an object that is answered and never stored, in place; `subresource` is empty for a review. */
export function trackAnswered(object: KubeObject, subresource: string, manager: string): void {
  const { apiVersion = '', kind = '' } = object;
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) return;
  const subject: Subject = { type: typeOfObject(schema), apiVersion, subresource, resetFields: EMPTY };
  trackUpdate(subject, undefined, object, manager, now());
}

/** Sets the managedFields of an updated or patched object, in place: after defaulting, before the strategy has its say. */
export function trackChange(
  resource: Resource,
  subresource: string | undefined,
  old: KubeObject,
  next: KubeObject,
  options: RequestOptions,
): void {
  if (UNTRACKED.has(resource.resource)) return;
  const subject = subjectOf(resource, subresource ?? '');
  if (subject !== undefined) trackUpdate(subject, old, next, options.fieldManager, now());
}

/**
 * The old object with the configuration applied, or what the configuration makes of nothing; not yet defaulted. Throws BadRequest for
 * a configuration that is no object, and as `applyConfiguration`.
 */
export function applyTo(
  resource: Resource,
  subresource: string | undefined,
  old: KubeObject | undefined,
  config: Json,
  { fieldManager: manager, force = false }: RequestOptions,
): KubeObject {
  const subject = subjectOf(resource, subresource ?? '');
  if (subject === undefined) throw internalError(`no schema of ${resource.resource}`);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw badRequest('error decoding YAML: the configuration is no object');
  }
  const kind = subresource === 'scale' ? 'Scale' : resource.kind;
  const applied = applyConfiguration(subject, kind, old, config, { manager, force, at: now() });
  const options = { strict: false };
  const { object } =
    resource.custom !== undefined && kind === resource.kind
      ? decodeCustom(applied as unknown as Json, kind, resource.custom, options)
      : decodeJson(applied as unknown as Json, schemaFor(subject.apiVersion, kind), options);
  return object as unknown as KubeObject;
}

const replicasOf = (resource: Resource) => ({
  apiVersion: formatApiVersion(resource),
  path: (resource.custom?.scale?.replicas ?? ['spec', 'replicas']).map((name) => `f:${name}`),
});

/** The Scale of a workload with its managedFields. */
export function toManagedScale(resource: Resource, object: KubeObject): KubeObject {
  const scale = toScale(resource, object);
  const entries = scaleEntries(object.metadata.managedFields, replicasOf(resource));
  if (entries !== undefined) scale.metadata.managedFields = entries;
  return scale;
}

/** Gives a workload the managedFields that follow from its Scale's, in place. */
export function carryScaleOwners(resource: Resource, object: KubeObject, scale: KubeObject): void {
  const entries = parentEntries(object.metadata.managedFields, scale.metadata.managedFields, replicasOf(resource));
  if (entries === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}
