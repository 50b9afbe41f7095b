/** JSON merge patch, RFC 7386. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { assertShallow, get, goKind, isObject, set } from './values.ts';

export { isObject, set as setKey } from './values.ts';

/**
 * The target with the patch merged in: null removes, objects merge, all else replaces. Neither argument is changed.
 * Throws BadRequest when the patch is no object.
 */
export function mergePatch(target: Json, patch: Json): Json {
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isObject(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  assertShallow(patch);
  return merge(target, patch);
}

function merge(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete merged[key];
    else set(merged, key, merge(get(merged, key), value));
  }
  return merged;
}
