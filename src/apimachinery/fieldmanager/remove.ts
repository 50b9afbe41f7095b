/** Paths taken out of an object (upstream's `typed.RemoveItems`), and what decides which go. */
import { define } from '../codec/depth.ts';
import type { Json, JsonObject } from '../meta.ts';
import { fieldElement } from './element.ts';
import { childOf, EMPTY, type FieldSet, isEmpty, isMember } from './fieldset.ts';
import type { ListType, MapType, Type } from './types.ts';
import { elementOf, fieldOf, isMap, resolve } from './value.ts';

/** The value without the paths of the set; null when nothing is left of a list or map. The value is not changed. */
export function removeItems(type: Type, value: Json, paths: FieldSet): Json {
  if (isEmpty(paths)) return value;
  const is = resolve(type, value);
  if (is.kind === 'scalar') return value;
  if (is.kind === 'list') return Array.isArray(value) ? fromList(is, value, paths) : null;
  return isMap(value) ? fromMap(is, value, paths) : null;
}

function fromList(type: ListType, list: readonly Json[], paths: FieldSet): Json {
  if (type.relation === 'atomic') return null;
  const kept: Json[] = [];
  for (const item of list) {
    const element = elementOf(type, item);
    const node = element === undefined ? undefined : childOf(paths, element);
    if (node === undefined) kept.push(item);
    else if (!isMember(node)) kept.push(removeItems(type.item, item, node));
  }
  return kept.length === 0 ? null : kept;
}

function fromMap(type: MapType, map: JsonObject, paths: FieldSet): Json {
  if (type.atomic) return null;
  const kept: JsonObject = {};
  for (const key in map) {
    const node = childOf(paths, fieldElement(key));
    const value = map[key] as Json;
    if (node === undefined) define(kept, key, value);
    else if (!isMember(node))
      define(kept, key, removeItems(fieldOf(type, key)?.type ?? { kind: 'deduced', atomic: false }, value, node));
  }
  return Object.keys(kept).length === 0 ? null : kept;
}

/** The set with the named fields that lead to its paths (upstream's `EnsureNamedFieldsAreMembers`): they go when all below goes. */
export function withNamedFields(set: FieldSet, type: Type): FieldSet {
  const out: Record<string, FieldSet> = {};
  if ('.' in set) out['.'] = EMPTY;
  for (const element in set) {
    if (element === '.') continue;
    const node = set[element] as FieldSet;
    const { below, named } = belowOf(type, element);
    const deep = isEmpty(node) ? node : withNamedFields(node, below);
    out[element] = named && !isMember(deep) ? { '.': EMPTY, ...deep } : deep;
  }
  return out;
}

function belowOf(type: Type, element: string): { below: Type; named: boolean } {
  const none = { below: { kind: 'deduced', atomic: false } as Type, named: false };
  if (type.kind === 'map' && element.startsWith('f:')) {
    const name = element.slice(2);
    const field = fieldOf(type, name);
    return field === undefined ? none : { below: field.type, named: type.fields?.has(name) ?? false };
  }
  if (type.kind === 'list' && element.startsWith('k:')) return { below: type.item, named: false };
  return none;
}
