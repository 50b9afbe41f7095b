/** What an update added, removed and modified, found in one walk over both states (upstream's `typed.Compare`). */
import type { Json, JsonObject } from '../meta.ts';
import { compareElements, fieldElement } from './element.ts';
import { EMPTY, type FieldSet, isEmpty, nodeOf, recursiveDifference } from './fieldset.ts';
import type { ListType, MapType, Type } from './types.ts';
import { elementOf, fieldOf, heldOf, isMap, resolve, sameValue } from './value.ts';

export interface Comparison {
  added: FieldSet;
  removed: FieldSet;
  modified: FieldSet;
}

/** Per node; undefined where there is nothing. */
type Found = { added?: FieldSet | undefined; removed?: FieldSet | undefined; modified?: FieldSet | undefined };

/** Compares two states of an object as Go would hold them. */
export function compare(type: Type, before: Json, after: Json): Comparison {
  const found = compareValue(type, before, after);
  return { added: found?.added ?? EMPTY, removed: found?.removed ?? EMPTY, modified: found?.modified ?? EMPTY };
}

/** The comparison without what a strategy resets (upstream's `ExcludeFields`). */
export function excluding(found: Comparison, reset: FieldSet): Comparison {
  if (isEmpty(reset)) return found;
  return {
    added: recursiveDifference(found.added, reset),
    removed: recursiveDifference(found.removed, reset),
    modified: recursiveDifference(found.modified, reset),
  };
}

const MODIFIED: Found = { modified: EMPTY };

function compareValue(type: Type, before: Json | undefined, after: Json | undefined): Found | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: whole(type, after as Json) };
  if (after === undefined) return { removed: whole(type, before) };
  const was = resolve(type, before ?? after);
  const is = resolve(type, after ?? before);
  if (was.kind !== is.kind) return changedKind(type, before, after);
  switch (is.kind) {
    case 'scalar':
      return sameValue(is, before, after) ? undefined : MODIFIED;
    case 'list':
      return compareList(is, Array.isArray(before) ? before : null, Array.isArray(after) ? after : null);
    default:
      return compareMap(is, isMap(before) ? before : null, isMap(after) ? after : null);
  }
}

/** Of a deduced type only: a scalar became a map, or the other way round. */
function changedKind(type: Type, before: Json, after: Json): Found {
  const below = (value: Json): FieldSet | undefined => {
    const node = whole(type, value);
    if (isEmpty(node)) return undefined;
    const { '.': _, ...children } = node;
    return children;
  };
  return { modified: EMPTY, added: below(after), removed: below(before) };
}

function compareList(type: ListType, before: readonly Json[] | null, after: readonly Json[] | null): Found | undefined {
  const empty = (before === null || before.length === 0) && (after === null || after.length === 0);
  if (type.relation === 'atomic' || empty) {
    return sameValue(type, before as Json, after as Json) ? undefined : MODIFIED;
  }
  const was = byElement(type, before ?? []);
  const is = byElement(type, after ?? []);
  const children: [string, Found][] = [];
  for (const [element, items] of was) {
    const found = compareItems(type.item, items, is.get(element) ?? []);
    if (found !== undefined) children.push([element, found]);
  }
  for (const [element, items] of is) {
    if (!was.has(element)) children.push([element, compareItems(type.item, [], items) as Found]);
  }
  children.sort(([a], [b]) => compareElements(a, b));
  return gather(children);
}

/** Thrown for an item of a list map that has none of its keys: upstream gives up on the whole object then. */
export class Untypable extends Error {}

/** Items by their element, duplicates together. Throws {@link Untypable}. */
function byElement(type: ListType, list: readonly Json[]): Map<string, Json[]> {
  const map = new Map<string, Json[]>();
  for (const item of list) {
    const element = elementOf(type, item, true);
    if (element === undefined) throw new Untypable('an item without keys');
    const known = map.get(element);
    if (known === undefined) map.set(element, [item]);
    else known.push(item);
  }
  return map;
}

/** Duplicates count as one value. */
function compareItems(type: Type, before: readonly Json[], after: readonly Json[]): Found | undefined {
  if (before.length <= 1 && after.length <= 1) return compareValue(type, before[0], after[0]);
  if (before.length >= 2 && after.length >= 2) {
    const same = before.length === after.length && before.every((item, i) => sameValue(type, item, after[i]));
    return same ? undefined : MODIFIED;
  }
  if (before.length >= 2)
    return { removed: EMPTY, ...(after.length === 0 ? {} : { added: whole(type, after[0] as Json) }) };
  return { added: EMPTY, ...(before.length === 0 ? {} : { removed: whole(type, before[0] as Json) }) };
}

function compareMap(type: MapType, before: JsonObject | null, after: JsonObject | null): Found | undefined {
  const empty = hasNothing(type, before) && hasNothing(type, after);
  if (type.atomic || empty) return sameValue(type, before as Json, after as Json) ? undefined : MODIFIED;
  const children: [string, Found][] = [];
  for (const key of keysOf(before, after)) {
    const field = fieldOf(type, key);
    if (field === undefined || field.untracked) continue;
    const raw = type.fields === undefined;
    const was = before?.[key];
    const is = after?.[key];
    if (was === is && was !== undefined) continue;
    const found = compareValue(
      field.type,
      raw || before === null ? was : heldOf(was, field),
      raw || after === null ? is : heldOf(is, field),
    );
    if (found !== undefined) children.push([fieldElement(key), found]);
  }
  return gather(children);
}

function hasNothing(type: MapType, value: JsonObject | null): boolean {
  if (value === null) return true;
  if (type.zeros.length > 0) return false;
  for (const key in value) if (value[key] !== undefined) return false;
  return true;
}

/** The keys of both, in order. */
function keysOf(before: JsonObject | null, after: JsonObject | null): string[] {
  const keys = after === null ? [] : Object.keys(after);
  for (const key in before) if (after === null || !Object.hasOwn(after, key)) keys.push(key);
  return keys.sort();
}

/** Everything in a value with all that leads to it, as when it appears or goes. */
export function whole(type: Type, value: Json): FieldSet {
  const is = resolve(type, value);
  if (is.kind === 'list' && Array.isArray(value) && is.relation !== 'atomic') return wholeList(is, value);
  if (is.kind === 'map' && isMap(value) && !is.atomic) return wholeMap(is, value);
  return EMPTY;
}

function wholeList(type: ListType, list: readonly Json[]): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const [element, items] of byElement(type, list)) {
    children.push([element, items.length > 1 ? EMPTY : whole(type.item, items[0] as Json)]);
  }
  children.sort(([a], [b]) => compareElements(a, b));
  return nodeOf(true, children) as FieldSet;
}

function wholeMap(type: MapType, value: JsonObject): FieldSet {
  const keys = Object.keys(value);
  for (const [name] of type.zeros) if (!Object.hasOwn(value, name)) keys.push(name);
  const children: [string, FieldSet][] = [];
  for (const key of keys.sort()) {
    const field = fieldOf(type, key);
    if (field === undefined || field.untracked) continue;
    const held = type.fields === undefined ? value[key] : heldOf(value[key], field);
    if (held !== undefined) children.push([fieldElement(key), whole(field.type, held)]);
  }
  return nodeOf(true, children) as FieldSet;
}

/** The findings of a node's children as those of the node. */
function gather(children: readonly [string, Found][]): Found | undefined {
  if (children.length === 0) return undefined;
  const found: Found = {};
  for (const which of ['added', 'removed', 'modified'] as const) {
    const nodes: [string, FieldSet][] = [];
    for (const [element, child] of children) {
      const node = child[which];
      if (node !== undefined) nodes.push([element, node]);
    }
    if (nodes.length > 0) found[which] = nodeOf(false, nodes);
  }
  return found;
}
