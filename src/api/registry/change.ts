/** Updates and patches, worked out inside the store: read, change, validate and commit are one step. */
import { decodeJson } from '../../apimachinery/codec/index.ts';
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
import { invalid } from '../../apimachinery/field.ts';
import type { Json, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../apimachinery/patch/index.ts';
import { schemaFor } from '../../apimachinery/schema/index.ts';
import { validateObjectMetaUpdate } from '../../apimachinery/validation/meta.ts';
import type { ChangeRequest, RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource, Subresource } from '../../resources/resource.ts';
import { withResourceVersion } from '../../store/text.ts';
import type { Decide, Outcome, Row } from '../../store/types.ts';
import { strictWarnings } from '../decode.ts';
import { decideBind } from './bind.ts';
import { fromStored } from './conversion.ts';
import { hasGeneration } from './create.ts';
import { decideDelete } from './delete.ts';
import { decodeText, encodeStored, splitKey } from './encode.ts';
import { resourceNamed } from './resource-name.ts';
import { applyScale, toScale } from './scale.ts';

/** The decision for a change request; pure, so that it runs wherever the row is. */
export function decideChange(request: ChangeRequest, key: string): Decide {
  if (request.do === 'bind') return decideBind(request, key);
  const resource = resourceNamed(request.resource);
  if (request.do === 'delete') return decideDelete(resource, key, request.options);
  return (current) => {
    try {
      if (current === undefined) throw notFound(resource, splitKey(key).name);
      return change(resource, request, current);
    } catch (error) {
      if (error instanceof StatusError) return { do: 'fail', status: error.status };
      throw error;
    }
  };
}

type Rewrite = Extract<ChangeRequest, { do: 'update' | 'patch' }>;

function change(resource: Resource, request: Rewrite, current: Row): Outcome {
  const old = decodeText(fromStored(resource, current.text));
  const warnings: string[] = [];
  if (request.subresource === 'scale') {
    const scale = rewrite(resource, 'autoscaling/v1', 'Scale', request, toScale(resource, old), warnings);
    return finish(resource, undefined, applyScale(resource, old, scale), old, current, request.options, warnings);
  }
  const apiVersion = formatApiVersion(resource);
  const next = rewrite(resource, apiVersion, resource.kind, request, old, warnings);
  const subresource = resource.subresources?.find((s) => s.name === request.subresource);
  return finish(resource, subresource, next, old, current, request.options, warnings);
}

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
  const target = structuredClone(old) as unknown as Json;
  const patched = applyPatch(request.type, target, patch, schema);
  const strict = request.options.fieldValidation !== 'Ignore';
  const decoded = decodeJson(patched, schema, { strict });
  warnings.push(...strictWarnings(decoded, request.options.fieldValidation));
  const object = decoded.object as unknown as KubeObject;
  if (object.metadata === undefined || object.kind !== kind || object.apiVersion !== apiVersion) {
    throw badRequest(`a patch may not change apiVersion, kind or remove metadata of ${resource.resource}`);
  }
  return object;
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

/** After upstream's `rest.BeforeUpdate` and `Store.Update`: metadata is carried over, the strategy has its say, then the commit. */
function finish(
  resource: Resource,
  subresource: Subresource<KubeObject> | undefined,
  next: KubeObject,
  old: KubeObject,
  current: Row,
  options: RequestOptions,
  warnings: string[],
): Outcome {
  const { strategy } = resource;
  checkVersion(resource, next, old);
  carryMetadata(next, old);
  strategy.default?.(next);
  if (subresource?.strategy !== undefined) subresource.strategy.prepareForUpdate(next, old);
  else strategy.prepareForUpdate?.(next, old);

  const bumps =
    subresource === undefined || subresource.name === 'resize' || subresource.name === 'ephemeralcontainers';
  if (bumps && hasGeneration(resource, next) && !deepEqual(specOf(next), specOf(old))) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  const validate = subresource?.strategy === undefined ? strategy.validateUpdate : subresource.strategy.validateUpdate;
  const errors = [
    ...validateObjectMetaUpdate(next.metadata, old.metadata, resource.namespaced),
    ...(validate?.(next, old) ?? (subresource === undefined ? strategy.validate?.(next) : undefined) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(resource, old.metadata.name, errors);
  if (subresource === undefined) warnings.push(...(strategy.warnings?.(next, old) ?? []));

  const said = warnings.length === 0 ? {} : { warnings };
  if (isDone(resource, next, old)) {
    if (options.dryRun) return { do: 'answer', text: current.text, ...said };
    return { do: 'delete', final: encodeStored(resource, next) };
  }
  next.metadata.resourceVersion = old.metadata.resourceVersion as string;
  if (deepEqual(next, old)) return { do: 'answer', text: current.text, ...said };
  const encoded = encodeStored(resource, next);
  if (options.dryRun)
    return { do: 'answer', text: withResourceVersion(encoded.text, current.resourceVersion), ...said };
  return { do: 'write', object: encoded, ...said };
}

const specOf = (object: KubeObject): unknown => (object as { spec?: unknown }).spec;

/** Whether the last finalizer of an object that is being deleted has gone, and no grace is left. */
function isDone(resource: Resource, next: KubeObject, old: KubeObject): boolean {
  const held = (object: KubeObject): boolean =>
    (object.metadata.finalizers ?? []).length > 0 || (resource.strategy.moreFinalizers?.(object) ?? []).length > 0;
  const deleting = old.metadata.deletionTimestamp !== undefined;
  return deleting && (old.metadata.deletionGracePeriodSeconds ?? 0) === 0 && held(old) && !held(next);
}

function checkVersion(resource: Resource, next: KubeObject, old: KubeObject): void {
  const { name, uid, resourceVersion } = next.metadata;
  if (name !== undefined && name !== '' && name !== old.metadata.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${old.metadata.name})`);
  }
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
    throw conflict(resource, old.metadata.name, why);
  }
  if (resourceVersion === undefined || resourceVersion === '') {
    if (resource.strategy.unconditionalUpdate === false) {
      throw invalidObject(resource, old.metadata.name, [
        { ...invalid('metadata.resourceVersion', '', ''), body: 'Invalid value: 0x0: must be specified for an update' },
      ]);
    }
  } else if (resourceVersion !== old.metadata.resourceVersion) {
    throw conflict(resource, old.metadata.name, MODIFIED);
  }
}

/** What the server owns stays as it was. */
function carryMetadata(next: KubeObject, old: KubeObject): void {
  const meta = next.metadata;
  const was = old.metadata;
  meta.name = was.name;
  for (const field of [
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
  ] as const) {
    if (was[field] === undefined) delete meta[field];
    else Object.assign(meta, { [field]: was[field] });
  }
  delete meta.selfLink;
}
