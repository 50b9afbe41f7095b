/** Updates and patches, worked out inside the store: read, change, validate and commit are one step. */
import {
  type Decoded,
  decodeJson,
  duplicateFields,
  strictError,
  unrestorable,
} from '../../apimachinery/codec/index.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import {
  badRequest,
  conflict,
  invalidObject,
  MODIFIED,
  notFound,
  StatusError,
  unsupportedMediaType,
} from '../../apimachinery/errors.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../apimachinery/patch/index.ts';
import { type MessageSchema, schemaFor } from '../../apimachinery/schema/index.ts';
import { validateObjectMetaUpdate } from '../../apimachinery/validation/meta.ts';
import type { ChangeRequest } from '../../durable-objects/rpc.ts';
import type { Resource, Subresource } from '../../resources/resource.ts';
import { withResourceVersion } from '../../store/text.ts';
import type { Decide, Outcome, Row } from '../../store/types.ts';
import { restrictUpdate } from '../admission/node-restriction/change.ts';
import { decideBind } from './bind.ts';
import { carryMetadata, checkVersion } from './change-metadata.ts';
import { fromStored } from './conversion.ts';
import { applyDefaults, hasGeneration, settleObject } from './create.ts';
import { decodeCustom } from './custom.ts';
import { decideDelete } from './delete.ts';
import { decodeText, encodeStored, splitKey } from './encode.ts';
import { decideDisrupt, decideEvict } from './evict.ts';
import { applyTo, carryScaleOwners, toManagedScale, trackChange } from './managed-fields.ts';
import { dropRepeatedOwners } from './owners.ts';
import { invalidPatch } from './patch-error.ts';
import { settlePatchedKind } from './patched-kind.ts';
import { resourceNamed, storedResource } from './resource-name.ts';
import { applyScale } from './scale.ts';

/** The decision for a change request; pure, so that it runs wherever the row is. `known`: the resource that the request names, where it is custom. */
export function decideChange(request: ChangeRequest, key: string, known?: Resource): Decide {
  if (request.do === 'bind') return decideBind(request, key);
  if (request.do === 'evict') return decideEvict(request.options, key);
  if (request.do === 'disrupt') return decideDisrupt(request, key);
  const resource = known ?? resourceNamed(request.resource);
  if (request.do === 'commit') return decideCommit(resource, request, key);
  if (request.do === 'delete') return decideDelete(resource, key, request.options);
  return (current) => {
    try {
      if (current === undefined) throw notFound(resource, splitKey(key).name);
      const revision = revise(resource, request, current);
      settleRevision(revision);
      return outcomeOf(revision);
    } catch (error) {
      if (error instanceof StatusError) return { do: 'fail', status: error.status };
      throw error;
    }
  };
}

/** What was worked out elsewhere, from the row as it was. Conflict when it is another by now. */
function decideCommit(resource: Resource, { from, outcome }: ChangeRequest & { do: 'commit' }, key: string): Decide {
  return (current) => {
    if (current === undefined) return { do: 'fail', status: notFound(resource, splitKey(key).name).status };
    if (current.resourceVersion === from) return outcome;
    return { do: 'fail', status: conflict(resource, splitKey(key).name, MODIFIED).status };
  };
}

/** An update or a patch. */
export type Rewrite = Extract<ChangeRequest, { do: 'update' | 'patch' }>;

/** The row that a change is worked out from. */
export type Current = Pick<Row, 'text' | 'resourceVersion'>;

/** A change on its way: between its steps others may look at `next`, and change it. */
export interface Revision {
  resource: Resource;
  subresource: Subresource<KubeObject> | undefined;
  request: Rewrite;
  current: Current;
  old: KubeObject;
  next: KubeObject;
  warnings: string[];
}

/** First step: what the request makes of the object, with what the server owns carried over, and defaulted. Throws a StatusError. */
export function revise(resource: Resource, request: Rewrite, current: Current): Revision {
  const old = decodeText(fromStored(resource, current.text));
  const warnings: string[] = [];
  const scales = request.subresource === 'scale';
  const next = scales
    ? scaled(resource, request, old, warnings)
    : rewrite(resource, formatApiVersion(resource), resource.kind, request, old, warnings);
  checkVersion(resource, next, old, request.do === 'patch');
  carryMetadata(next, old);
  warnings.push(...dropRepeatedOwners(next));
  applyDefaults(resource, next);
  if (!applies(request) && !scales) trackChange(resource, request.subresource, old, next, request.options);
  const subresource = scales ? undefined : resource.subresources?.find((s) => s.name === request.subresource);
  const { node } = request.options;
  if (node !== undefined) {
    restrictUpdate({ resource, subresource: request.subresource ?? '', node, object: next, old });
  }
  return { resource, subresource, request, current, old, next, warnings };
}

/** The old object with its Scale written, and the owners of the replicas that follow from it. */
function scaled(resource: Resource, request: Rewrite, old: KubeObject, warnings: string[]): KubeObject {
  const before = toManagedScale(resource, old);
  const scale = rewrite(resource, 'autoscaling/v1', 'Scale', request, before, warnings);
  if (!applies(request)) trackChange(resource, 'scale', before, scale, request.options);
  const next = applyScale(resource, old, scale);
  carryScaleOwners(resource, next, scale);
  return next;
}

const applies = (request: Rewrite): boolean => request.do === 'patch' && request.type === 'apply';

/** The body of an update, or the old object with the patch applied; decoded against the schema either way. */
function rewrite(
  resource: Resource,
  apiVersion: string,
  kind: string,
  request: Rewrite,
  old: KubeObject,
  warnings: string[],
): KubeObject {
  const schema = schemaFor(apiVersion, kind);
  if (request.do === 'update') return decodeText(request.body);
  const patch = JSON.parse(request.body) as Json;
  if (request.type === 'apply') return applyTo(resource, request.subresource, old, patch, request.options);
  const target = structuredClone(old) as unknown as Json;
  const patched = applyPatch(request.type, target, patch, schema);
  const custom = kind === resource.kind ? resource.custom : undefined;
  settlePatchedKind(request.type, patch, patched, { apiVersion, kind }, old.metadata.name);
  const decode = (input: Json, options: { strict: boolean }): Decoded =>
    custom === undefined ? decodeJson(input, schema, options) : decodeCustom(input, kind, custom, options);
  const object = decodePatched(request, patch, patched, schema, decode, warnings) as unknown as KubeObject;
  object.metadata ??= {} as KubeObject['metadata'];
  return object;
}

function decodePatched(
  { type, body, options }: Extract<ChangeRequest, { do: 'patch' }>,
  patch: Json,
  patched: Json,
  schema: MessageSchema | undefined,
  decode: (input: Json, options: { strict: boolean }) => Decoded,
  warnings: string[],
): JsonObject {
  const { fieldValidation } = options;
  try {
    const decoded = decode(patched, { strict: fieldValidation !== 'Ignore' });
    if (fieldValidation === 'Ignore') return decoded.object;
    // A strategic patch is read along its fields in no order.
    const problems = type === 'strategic' ? decoded.problems.sort() : decoded.problems;
    problems.unshift(...duplicateFields(body));
    if (fieldValidation === 'Strict' && problems.length > 0) throw badRequest(strictError(problems));
    warnings.push(...problems);
    return decoded.object;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    // Upstream decodes the result without the words that go before a body's own mistakes.
    const told = error.message.replace(/^\w+ in version "\w+" cannot be handled as a \w+: /, '');
    // A strategic patch is not decoded, but converted field by field.
    const why = type === 'strategic' && schema !== undefined ? unrestorable(schema, patched) : undefined;
    throw invalidPatch(type, patch, patched, why ?? told);
  }
}

function applyPatch(type: string, target: Json, patch: Json, schema: ReturnType<typeof schemaFor>): Json {
  switch (type) {
    case 'merge':
      return mergePatch(target, patch);
    case 'strategic':
      return strategicMergePatch(target, patch, schema);
    case 'json':
      return jsonPatch(target, patch);
    default:
      throw unsupportedMediaType([
        'application/json-patch+json',
        'application/merge-patch+json',
        'application/strategic-merge-patch+json',
      ]);
  }
}

/** Second step, upstream's `rest.BeforeUpdate`: the strategy has its say. Throws Invalid. */
export function settleRevision({ resource, subresource, old, next, warnings }: Revision): void {
  const { strategy } = resource;
  if (subresource?.strategy !== undefined) subresource.strategy.prepareForUpdate(next, old);
  else strategy.prepareForUpdate?.(next, old);

  const bumps =
    subresource === undefined || subresource.name === 'resize' || subresource.name === 'ephemeralcontainers';
  // Most kinds do not tell an empty list from none, which the settled form does not have.
  const exactly = bumps && strategy.tellsEmpty === true && changesGeneration(resource, next, old);
  const validate = subresource?.strategy === undefined ? strategy.validateUpdate : subresource.strategy.validateUpdate;
  const errors = [
    ...validateObjectMetaUpdate(
      next.metadata,
      old.metadata,
      resource.namespaced,
      strategy.metadataChecks,
      strategy.plainFinalizers,
      strategy.nameErrors,
    ),
    ...(validate?.(next, old) ?? (subresource === undefined ? strategy.validate?.(next) : undefined) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(storedResource(resource), old.metadata.name, errors);
  settleObject(resource, next);
  if (exactly || (bumps && changesGeneration(resource, next, old))) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  if (subresource === undefined) warnings.push(...(strategy.warnings?.(next, old) ?? []));
}

/** Last step, of upstream's `Store.Update`: what is to be done to the row. */
export function outcomeOf({ resource, request, current, old, next, warnings }: Revision): Outcome {
  const { dryRun } = request.options;
  const said = warnings.length === 0 ? {} : { warnings };
  if (isDone(resource, next, old)) {
    if (dryRun) return { do: 'answer', text: current.text, ...said };
    return { do: 'delete', final: encodeStored(resource, next) };
  }
  next.metadata.resourceVersion = old.metadata.resourceVersion as string;
  if (isUnchanged(next, old)) {
    if (!isKeptAsBefore(resource, current)) return { do: 'answer', text: current.text, ...said };
    const { managedFields } = old.metadata;
    if (managedFields !== undefined) next.metadata.managedFields = managedFields;
  }
  const encoded = encodeStored(resource, next);
  if (dryRun) return { do: 'answer', text: withResourceVersion(encoded.text, current.resourceVersion), ...said };
  return { do: 'write', object: encoded, ...said };
}

/** Whether nothing has changed but times of managers (upstream's `IgnoreManagedFieldsTimestampsTransformer`). */
function isUnchanged({ metadata: next, ...rest }: KubeObject, { metadata: old, ...before }: KubeObject): boolean {
  return deepEqual(rest, before) && deepEqual(timeless(next), timeless(old));
}

const timeless = ({ managedFields, ...metadata }: KubeObject['metadata']): unknown => ({
  ...metadata,
  managedFields: managedFields?.map(({ time: _, ...entry }) => entry),
});

/** Whether an object is kept in a version that its definition kept objects in once: a write that changes nothing brings it up to date. */
function isKeptAsBefore({ custom, group }: Resource, { text }: Current): boolean {
  if (custom === undefined || custom.versions.size === 1) return false;
  return decodeText(text).apiVersion !== `${group}/${custom.storage}`;
}

function changesGeneration(resource: Resource, next: KubeObject, old: KubeObject): boolean {
  const { generation, generationChanged } = resource.strategy;
  if (!hasGeneration(resource, next) && generation !== 'on update') return false;
  return !deepEqual(wanted(next), wanted(old)) || generationChanged?.(next, old) === true;
}

/** What a client wants of an object: the spec, or where there is none, all but metadata and status. */
function wanted(object: KubeObject): unknown {
  if ('spec' in object) return object['spec'];
  const { metadata: _, status: __, ...rest } = object as KubeObject & { status?: unknown };
  return rest;
}

/** Whether the last finalizer of an object that is being deleted has gone, and no grace is left. */
function isDone(resource: Resource, next: KubeObject, old: KubeObject): boolean {
  const held = (object: KubeObject): boolean =>
    (object.metadata.finalizers ?? []).length > 0 || (resource.strategy.moreFinalizers?.(object) ?? []).length > 0;
  const deleting = old.metadata.deletionTimestamp !== undefined;
  return deleting && (old.metadata.deletionGracePeriodSeconds ?? 0) === 0 && held(old) && !held(next);
}
