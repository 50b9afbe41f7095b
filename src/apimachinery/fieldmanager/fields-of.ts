/** The fields that an applied configuration speaks of (upstream's `ToFieldSet`). */
import type { Json, JsonObject } from '../meta.ts';
import { compareElements, fieldElement } from './element.ts';
import { EMPTY, type FieldSet, nodeOf } from './fieldset.ts';
import type { ListType, MapType, Type } from './types.ts';
import { elementOf, fieldOf, isMap, resolve } from './value.ts';

/** The leaves of a value: scalars, atomics, items, nulls and empty maps, but not the fields that lead to them. */
export function fieldsOf(type: Type, value: Json): FieldSet {
  return childrenOf(type, value) ?? EMPTY;
}

/** The node of a value; undefined when it has no leaf. */
function childrenOf(type: Type, value: Json): FieldSet | undefined {
  const is = resolve(type, value);
  if (is.kind === 'scalar' || is.kind === 'list' ? is.kind === 'scalar' || is.relation === 'atomic' : is.atomic)
    return EMPTY;
  if (is.kind === 'list') return Array.isArray(value) ? ofList(is, value) : undefined;
  return is.kind === 'map' && isMap(value) ? ofMap(is, value) : undefined;
}

function ofList(type: ListType, list: readonly Json[]): FieldSet | undefined {
  const nodes = new Map<string, FieldSet>();
  for (const item of list) {
    const element = elementOf(type, item);
    if (element === undefined) continue;
    nodes.set(element, nodes.has(element) ? EMPTY : asMember(childrenOf(type.item, item)));
  }
  return nodeOf(
    false,
    [...nodes].sort(([a], [b]) => compareElements(a, b)),
  );
}

function ofMap(type: MapType, value: JsonObject): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const key of Object.keys(value).sort()) {
    const field = fieldOf(type, key);
    const part = value[key];
    if (field === undefined || part === undefined) continue;
    const below = childrenOf(field.type, part);
    const leaf = part === null || (isMap(part) && Object.keys(part).length === 0) || !type.fields?.has(key);
    const node = leaf ? asMember(below) : below;
    if (node !== undefined) children.push([fieldElement(key), node]);
  }
  return nodeOf(false, children);
}

/** The node, standing for its own path too. */
function asMember(node: FieldSet | undefined): FieldSet {
  if (node === undefined || '.' in node) return node ?? EMPTY;
  for (const _ in node) return { '.': EMPTY, ...node };
  return node;
}
