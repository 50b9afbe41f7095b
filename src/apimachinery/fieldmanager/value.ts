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

/**
 * A key of an item; undefined where it has none. A configuration may say null, which is a key like any other. `held`: the key as Go
 * holds it, where an empty one may be as good as absent.
 */
function keyOf(type: ListType, name: string, item: JsonObject, held: boolean): Json | undefined {
  const given = item[name];
  if (!held && given !== undefined) return given;
  const field = type.item.kind === 'map' ? type.item.fields?.get(name) : undefined;
  const value = field === undefined ? given : heldOf(given, field);
  return value ?? type.defaults[name] ?? type.zeros[name] ?? undefined;
}

/** The path element of a list's item; undefined when it has none of the keys. `held`: the item is as Go holds it. */
export function elementOf(type: ListType, item: Json, held = false): string | undefined {
  if (type.relation === 'set') return valueElement(item);
  if (!isMap(item)) return undefined;
  const keys: [string, Json][] = [];
  for (const name of type.keys) {
    const value = keyOf(type, name, item, held);
    if (value !== undefined) keys.push([name, value]);
  }
  return keys.length === 0 ? undefined : keyElement(keys);
}

/**
 * How an object is read that is compared to one that Go holds. `held`: as Go would hold it, too. `merged`: as a configuration was merged
 * into the other one, so that empty values are there; what the other one always has is told apart in atomic values alone, which
 * the configuration brings as a whole. `raw`: as somebody wrote it.
 */
export type Reading = 'held' | 'merged' | 'raw';

/** Whether two values mean the same, the first as Go holds it; the order of lists counts. */
export function sameValue(type: Type, a: Json | undefined, b: Json | undefined, reading: Reading = 'held'): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    const list = resolve(type, a);
    const item = list.kind === 'list' ? list.item : ATOMIC;
    const inner = list.kind === 'list' && list.relation === 'atomic' ? within(reading) : reading;
    return a.every((value, index) => sameValue(item, value, b[index], inner));
  }
  if (Array.isArray(b)) return false;
  const map = resolve(type, a);
  return sameMap(map.kind === 'map' ? map : DEDUCED_MAP, a, b, reading);
}

/** Inside an atomic value. */
const within = (reading: Reading): Reading => (reading === 'merged' ? 'raw' : reading);

function sameMap(type: MapType, a: JsonObject, b: JsonObject, around: Reading): boolean {
  const reading = type.atomic ? within(around) : around;
  for (const key in a) if (!sameField(type, key, a[key], b[key], reading)) return false;
  for (const key in b) if (a[key] === undefined && !sameField(type, key, a[key], b[key], reading)) return false;
  if (reading !== 'raw') return true;
  return type.zeros.every(([key]) => a[key] !== undefined || b[key] !== undefined);
}

function sameField(type: MapType, key: string, a: Json | undefined, b: Json | undefined, reading: Reading): boolean {
  if (a === b) return true;
  const field = fieldOf(type, key);
  if (field === undefined) return sameValue(DEDUCED, a, b, reading);
  if (type.fields === undefined) return sameValue(field.type, a, b, reading);
  return sameValue(field.type, heldOf(a, field), readField(b, a, field, reading), reading);
}

/** A field of the second object of a comparison; `first` is that of the first. */
export function readField(
  value: Json | undefined,
  first: Json | undefined,
  field: FieldType,
  reading: Reading,
): Json | undefined {
  if (reading === 'held') return heldOf(value, field);
  // What Go writes where nobody has set anything came with the first object.
  return value === undefined && reading === 'merged' && first == null ? heldOf(first, field) : value;
}
