/** What an update added, removed and modified, found in one walk over both states (upstream's `typed.Compare`). */
import type { Json, JsonObject } from '../meta.ts';
import { compareElements, fieldElement } from './element.ts';
import { EMPTY, type FieldSet, isEmpty, nodeOf, recursiveDifference } from './fieldset.ts';
import type { ListType, MapType, Type } from './types.ts';
import { elementOf, fieldOf, heldOf, isMap, type Reading, readField, resolve, sameValue } from './value.ts';

export interface Comparison {
  added: FieldSet;
  removed: FieldSet;
  modified: FieldSet;
}

/** Per node; undefined where there is nothing. */
type Found = { added?: FieldSet | undefined; removed?: FieldSet | undefined; modified?: FieldSet | undefined };

/** Compares two states of an object: the first as Go would hold it, the second as it is to be read. */
export function compare(type: Type, before: Json, after: Json, reading: Reading = 'held'): Comparison {
  const found = compareValue(type, before, after, reading);
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

function compareValue(
  type: Type,
  before: Json | undefined,
  after: Json | undefined,
  reading: Reading,
): Found | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: whole(type, after as Json, reading === 'held') };
  if (after === undefined) return { removed: whole(type, before, true) };
  const was = resolve(type, before ?? after);
  const is = resolve(type, after ?? before);
  if (was.kind !== is.kind) return changedKind(type, before, after, reading);
  switch (is.kind) {
    case 'scalar':
      return sameValue(is, before, after) ? undefined : MODIFIED;
    case 'list':
      return compareList(is, before, after, reading);
    default:
      return compareMap(is, before, after, reading);
  }
}

/** Of a deduced type only: a scalar became a map, or the other way round. */
function changedKind(type: Type, before: Json, after: Json, reading: Reading): Found {
  const below = (value: Json, held: boolean): FieldSet | undefined => {
    const node = whole(type, value, held);
    if (isEmpty(node)) return undefined;
    const { '.': _, ...children } = node;
    return children;
  };
  return { modified: EMPTY, added: below(after, reading === 'held'), removed: below(before, true) };
}

function compareList(type: ListType, before: Json, after: Json, reading: Reading): Found | undefined {
  const old = Array.isArray(before) ? before : [];
  const next = Array.isArray(after) ? after : [];
  if (type.relation === 'atomic' || (old.length === 0 && next.length === 0)) {
    return sameValue(type, before, after, reading) ? undefined : MODIFIED;
  }
  const was = byElement(type, old, true);
  const is = byElement(type, next, reading === 'held');
  const children: [string, Found][] = [];
  for (const [element, items] of was) {
    const found = compareItems(type.item, items, is.get(element) ?? [], reading);
    if (found !== undefined) children.push([element, found]);
  }
  for (const [element, items] of is) {
    if (!was.has(element)) children.push([element, compareItems(type.item, [], items, reading) as Found]);
  }
  children.sort(([a], [b]) => compareElements(a, b));
  return gather(children);
}

/** Thrown for an item of a list map that has none of its keys: upstream gives up on the whole object then. */
export class Untypable extends Error {}

/** Items by their element, duplicates together. Throws {@link Untypable}. */
function byElement(type: ListType, list: readonly Json[], held: boolean): Map<string, Json[]> {
  const map = new Map<string, Json[]>();
  for (const item of list) {
    const element = elementOf(type, item, held);
    if (element === undefined) throw new Untypable('an item without keys');
    const known = map.get(element);
    if (known === undefined) map.set(element, [item]);
    else known.push(item);
  }
  return map;
}

/** Duplicates count as one value. */
function compareItems(
  type: Type,
  before: readonly Json[],
  after: readonly Json[],
  reading: Reading,
): Found | undefined {
  const [was] = before;
  const [is] = after;
  if (before.length <= 1 && after.length <= 1) return compareValue(type, was, is, reading);
  if (before.length >= 2 && after.length >= 2) {
    const same = before.length === after.length && before.every((item, i) => sameValue(type, item, after[i], reading));
    return same ? undefined : MODIFIED;
  }
  if (before.length >= 2)
    return { removed: EMPTY, ...(is === undefined ? {} : { added: whole(type, is, reading === 'held') }) };
  return { added: EMPTY, ...(was === undefined ? {} : { removed: whole(type, was, true) }) };
}

function compareMap(type: MapType, old: Json, next: Json, reading: Reading): Found | undefined {
  const before = isMap(old) ? old : null;
  const after = isMap(next) ? next : null;
  const empty = hasNothing(type, before, true) && hasNothing(type, after, reading === 'held');
  if (type.atomic || empty) return sameValue(type, old, next, reading) ? undefined : MODIFIED;
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
      raw || after === null
        ? is
        : readField(
            is,
            before === null ? undefined : was,
            field,
            before === null && reading === 'merged' ? 'raw' : reading,
          ),
      reading,
    );
    if (found !== undefined) children.push([fieldElement(key), found]);
  }
  return gather(children);
}

function hasNothing(type: MapType, value: JsonObject | null, held: boolean): boolean {
  if (value === null) return true;
  if (held && type.zeros.length > 0) return false;
  for (const key in value) if (value[key] !== undefined) return false;
  return true;
}

/** The keys of both, in order. */
function keysOf(before: JsonObject | null, after: JsonObject | null): string[] {
  const keys = after === null ? [] : Object.keys(after);
  for (const key in before) if (after === null || !Object.hasOwn(after, key)) keys.push(key);
  return keys.sort();
}

/** Everything in a value with all that leads to it, as when it appears or goes. `held`: with what Go always writes. */
function whole(type: Type, value: Json, held: boolean): FieldSet {
  const is = resolve(type, value);
  if (is.kind === 'list' && Array.isArray(value) && is.relation !== 'atomic') return wholeList(is, value, held);
  if (is.kind === 'map' && isMap(value) && !is.atomic) return wholeMap(is, value, held);
  return EMPTY;
}

function wholeList(type: ListType, list: readonly Json[], held: boolean): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const [element, items] of byElement(type, list, held)) {
    children.push([element, items.length > 1 ? EMPTY : whole(type.item, items[0] as Json, held)]);
  }
  children.sort(([a], [b]) => compareElements(a, b));
  return nodeOf(true, children) as FieldSet;
}

function wholeMap(type: MapType, value: JsonObject, held: boolean): FieldSet {
  const keys = Object.keys(value);
  if (held) for (const [name] of type.zeros) if (!Object.hasOwn(value, name)) keys.push(name);
  const children: [string, FieldSet][] = [];
  for (const key of keys.sort()) {
    const field = fieldOf(type, key);
    if (field === undefined || field.untracked) continue;
    const part = held && type.fields !== undefined ? heldOf(value[key], field) : value[key];
    if (part !== undefined) children.push([fieldElement(key), whole(field.type, part, held)]);
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
