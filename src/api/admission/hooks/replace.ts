/** What a webhook or a policy has made of an object, put in its place. */
import { decodeJson, strictError } from '../../../apimachinery/codec/index.ts';
import { deepEqual } from '../../../apimachinery/equal.ts';
import { internalError, StatusError } from '../../../apimachinery/errors.ts';
import type { Json, KubeObject } from '../../../apimachinery/meta.ts';
import { schemaFor } from '../../../apimachinery/schema/index.ts';
import type { Resource } from '../../../resources/resource.ts';
import { applyDefaults, ensureNamespace } from '../../registry/create.ts';
import { decodeCustom } from '../../registry/custom.ts';
import { applyScale } from '../../registry/scale.ts';
import type { Attributes } from '../plugin.ts';
import { inVersionOf } from './match.ts';
import type { Reinvocation } from './reinvocation.ts';
import { type Review, reviewOf } from './review.ts';

/** A request whose object webhooks and policies may change. */
export interface Mutable {
  /** The request as it is by now. */
  review(): Review;
  /** Puts a new state of the object in the place of the old. */
  accept(patched: KubeObject): void;
  reinvocation?: Reinvocation | undefined;
}

/** A create or an update, whose object is changed in place. */
export const mutableWrite = (attributes: Attributes): Mutable => ({
  review: () => reviewOf(attributes),
  accept: (patched) => accept(attributes, patched),
  reinvocation: attributes.reinvocation,
});

/**
 * Puts the patched object, in the version that was matched, in the place of the one under review; whether it is another. Throws
 * InternalError for one of another kind, for one that cannot be read, and where it is `strict` for fields that nobody knows.
 */
export async function replaceObject(
  mutable: Mutable,
  matched: Resource,
  patched: Json,
  strict: boolean,
): Promise<boolean> {
  const review = mutable.review();
  const { context, resource } = review;
  const before = await inVersionOf(context, matched, resource, review.object as KubeObject);
  const after = decodePatched(review, matched, before, patched, strict);
  if (deepEqual(after, before)) return false;
  mutable.accept(await inVersionOf(context, resource, matched, after));
  return true;
}

/** What is left of the patched object once it is read as what it is to be. */
function decodePatched(
  review: Review,
  matched: Resource,
  before: KubeObject,
  patched: Json,
  strict: boolean,
): KubeObject {
  const { kind = '', apiVersion = '' } = before;
  const custom = review.subresource === 'scale' ? undefined : matched.custom;
  try {
    const { object, problems } =
      custom === undefined
        ? decodeJson(patched, schemaFor(apiVersion, kind), { strict })
        : decodeCustom(patched, kind, custom, { strict: false });
    if (strict && custom === undefined && problems.length > 0) throw internalError(strictError(problems));
    // Options of a connection have no metadata.
    const isBare = before.metadata !== undefined && object['metadata'] === undefined;
    if (object['kind'] !== kind || object['apiVersion'] !== apiVersion || isBare) {
      throw internalError(`a mutation may not change the kind of ${kind} in version ${JSON.stringify(apiVersion)}`);
    }
    return object as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code === 500) throw error;
    throw internalError(error.message);
  }
}

/** Puts the new state in the place of the old. What the server gave the object, it keeps; who changes what may not change is told later. */
function accept({ context, resource, subresource, operation, object, old }: Attributes, patched: KubeObject): void {
  const { uid, creationTimestamp } = object.metadata;
  const next = subresource === 'scale' ? applyScale(resource, object, patched) : patched;
  for (const key of Object.keys(object)) Reflect.deleteProperty(object, key);
  Object.assign(object, next);
  if (subresource !== '') return;
  if (operation === 'CREATE') {
    Object.assign(object.metadata, { uid, creationTimestamp });
    ensureNamespace(resource, object, context.info.namespace);
  } else {
    const { generation } = old?.metadata ?? {};
    if (generation === undefined) delete object.metadata.generation;
    else object.metadata.generation = generation;
  }
  applyDefaults(resource, object);
}
