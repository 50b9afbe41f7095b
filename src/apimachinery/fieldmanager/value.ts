/** Values seen through their types: what is there, and what is the same. */
import type { Json, JsonObject } from '../meta.ts';
import { keyElement, valueElement } from './element.ts';
import {
  ATOMIC,
  DEDUCED,
  type FieldType,
  type ListType,
  type MapType,
  type ScalarType,
  type Type,
  UNTYPED,
} from './types.ts';

/** Whether a value is a JSON object, and so neither a list nor null. */
export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const DEDUCED_LIST: ListType = { kind: 'list', relation: 'atomic', keys: [], defaults: {}, zeros: {}, item: ATOMIC };
const anyMap = (atomic: boolean): MapType => ({
  kind: 'map',
  atomic,
  fields: undefined,
  values: atomic ? ATOMIC : DEDUCED,
  zeros: [],
});
const DEDUCED_MAP = anyMap(false);
const ATOMIC_MAP = anyMap(true);

/** What a value of the type is: itself, or of a deduced type what the value says. */
export function resolve(type: Type, value: Json | undefined): ScalarType | ListType | MapType {
  if (type.kind !== 'deduced') return type;
  if (typeof value !== 'object' || value === null) return UNTYPED;
  if (Array.isArray(value)) return DEDUCED_LIST;
  return type.atomic ? ATOMIC_MAP : DEDUCED_MAP;
}

/** The type of a map's key; undefined where the schema has none. */
export function fieldOf(type: MapType, key: string): FieldType | undefined {
  const field = type.fields?.get(key);
  if (field !== undefined) return field;
  return type.values === undefined ? undefined : { type: type.values, zero: undefined };
}

/** A field of an object as Go would hold it: empty lists and maps are absent, what it always writes is there. */
export function heldOf(value: Json | undefined, field: FieldType): Json | undefined {
  if (field.keepsEmpty) return value;
  if (value === undefined || value === null || isEmptyContainer(value)) {
    if (field.zero !== undefined) return value ?? field.zero;
    return field.type.kind === 'list' || isFreeMap(field.type) ? undefined : (value ?? undefined);
  }
  if (field.omitsZero && (value === '' || value === 0 || value === false)) return undefined;
  return value;
}

/** Go leaves out an empty map of free keys, but not an empty struct. */
const isFreeMap = (type: Type): boolean => type.kind === 'map' && type.fields === undefined;

function isEmptyContainer(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

/** A key of an item as Go would hold it: an empty one may be as good as absent. */
function heldKey(item: Type, name: string, value: Json | undefined): Json | undefined {
  const field = item.kind === 'map' ? item.fields?.get(name) : undefined;
  return field === undefined ? value : heldOf(value, field);
}

/** The path element of a list's item; undefined when it has none of the keys. `held`: keys are there that Go always holds. */
export function elementOf(type: ListType, item: Json, held = false): string | undefined {
  if (type.relation === 'set') return valueElement(item);
  if (!isMap(item)) return undefined;
  const keys: [string, Json][] = [];
  for (const name of type.keys) {
    const given = held ? heldKey(type.item, name, item[name]) : item[name];
    const value = given ?? type.defaults[name] ?? (held ? type.zeros[name] : undefined);
    if (value !== undefined && value !== null) keys.push([name, value]);
  }
  return keys.length === 0 ? undefined : keyElement(keys);
}

/** Whether two values mean the same once Go holds them; the order of lists counts. */
export function sameValue(type: Type, a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    const list = resolve(type, a);
    const item = list.kind === 'list' ? list.item : ATOMIC;
    return a.every((value, index) => sameValue(item, value, b[index]));
  }
  if (Array.isArray(b)) return false;
  const map = resolve(type, a);
  return map.kind === 'map' ? sameMap(map, a, b) : sameMap(DEDUCED_MAP, a, b);
}

function sameMap(type: MapType, a: JsonObject, b: JsonObject): boolean {
  for (const key in a) if (!sameField(type, key, a[key], b[key])) return false;
  for (const key in b) if (a[key] === undefined && !sameField(type, key, a[key], b[key])) return false;
  return true;
}

function sameField(type: MapType, key: string, a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  const field = fieldOf(type, key);
  if (field === undefined) return sameValue(DEDUCED, a, b);
  if (type.fields === undefined) return sameValue(field.type, a, b);
  return sameValue(field.type, heldOf(a, field), heldOf(b, field));
}
