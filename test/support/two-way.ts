/** What kubectl makes of two states of an object: a strategic merge patch from the one to the other (`CreateTwoWayMergePatch`). */
import { deepEqual } from '../../src/apimachinery/equal.ts';
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';
import type { Field, MessageSchema } from '../../src/apimachinery/schema/index.ts';

type Scope = MessageSchema | undefined;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const merges = (field: Field | undefined): boolean => field?.patchStrategy?.split(',').includes('merge') === true;
const replaces = (field: Field | undefined): boolean => field?.patchStrategy?.split(',').includes('replace') === true;

/** The patch that makes `modified` of `original`. Lists that merge must hold no key twice. */
export function twoWayPatch(original: JsonObject, modified: JsonObject, scope: Scope): JsonObject {
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(original), ...Object.keys(modified)])) {
    const before = original[key];
    const after = modified[key];
    if (after === undefined) patch[key] = null;
    else if (!deepEqual(before, after)) Object.assign(patch, changed(key, before, after, scope?.fields.get(key)));
  }
  return patch;
}

function changed(key: string, before: Json | undefined, after: Json, field: Field | undefined): JsonObject {
  if (isObject(before) && isObject(after) && !replaces(field)) {
    return {
      [key]: field?.shape === 'map' ? mapPatch(before, after, field) : twoWayPatch(before, after, field?.message),
    };
  }
  if (!Array.isArray(before) || !Array.isArray(after) || !merges(field)) return { [key]: after };
  const { patchMergeKey: by, message } = field as Field;
  if (by === undefined) {
    const gone = before.filter((item) => !after.includes(item));
    return {
      [`$setElementOrder/${key}`]: after,
      ...(gone.length === 0 ? {} : { [`$deleteFromPrimitiveList/${key}`]: gone }),
      [key]: after.filter((item) => !before.includes(item)),
    };
  }
  return {
    [`$setElementOrder/${key}`]: after.map((item) => ({ [by]: (item as JsonObject)[by] })),
    [key]: itemsPatch(before as JsonObject[], after as JsonObject[], by, message),
  };
}

/** A map has no fields of its own: its values are alike. */
function mapPatch(before: JsonObject, after: JsonObject, { message }: Field): JsonObject {
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[key];
    const value = after[key];
    if (value === undefined) patch[key] = null;
    else if (!deepEqual(old, value))
      patch[key] = isObject(old) && isObject(value) ? twoWayPatch(old, value, message) : value;
  }
  return patch;
}

function itemsPatch(before: JsonObject[], after: JsonObject[], by: string, scope: Scope): JsonObject[] {
  const patch: JsonObject[] = [];
  for (const item of after) {
    const old = before.find((other) => other[by] === item[by]);
    if (old === undefined) patch.push(item);
    else if (!deepEqual(old, item)) patch.push({ ...twoWayPatch(old, item, scope), [by]: item[by] });
  }
  for (const old of before) {
    if (!after.some((item) => item[by] === old[by])) patch.push({ $patch: 'delete', [by]: old[by] });
  }
  return patch;
}

/** The object as a patch can make it: without nulls, and with keys that are there, once each, in lists that merge. In place. */
export function patchable(object: JsonObject, scope: Scope): JsonObject {
  for (const [key, value] of Object.entries(object)) {
    const field = scope?.fields.get(key);
    if (value === null || value === undefined) delete object[key];
    else if (Array.isArray(value)) object[key] = patchableList(value, field);
    else if (isObject(value)) patchable(value, field?.shape === 'map' ? undefined : field?.message);
  }
  return object;
}

function patchableList(list: Json[], field: Field | undefined): Json[] {
  const items = list.filter((item) => item !== null);
  for (const item of items) if (isObject(item)) patchable(item, field?.message);
  if (!merges(field)) return items;
  const by = field?.patchMergeKey;
  if (by === undefined) return [...new Set(items)];
  const numbers = field?.message?.fields.get(by)?.kind !== 'string';
  const found = new Map<Json, JsonObject>();
  items.filter(isObject).forEach((item, i) => {
    item[by] ??= numbers ? i + 1 : `k${i}`;
    if (!found.has(item[by])) found.set(item[by], item);
  });
  return [...found.values()];
}
