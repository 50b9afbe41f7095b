/**
 * Sets of field paths, after upstream's `fieldpath.Set`. A set is kept in the form in which `fieldsV1` is written, so that nothing is
 * converted on the way in or out: `{"f:spec":{"f:replicas":{}}}`. A node without children is a member, one with children only when it
 * has the key `.`. Sets are never changed once they are made; an operation that changes nothing returns its first argument.
 */
import { compareElements, isElement } from './element.ts';

export type FieldSet = { readonly [element: string]: FieldSet };

/** The set of nothing, and the node that is a member without children. */
export const EMPTY: FieldSet = Object.freeze({});
const SELF = '.';

/** Whether the set has no path. */
export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether a node stands for its own path too. Not for the root of a set. */
export function isMember(node: FieldSet): boolean {
  return SELF in node || isEmpty(node);
}

/** A node out of its children, in order; undefined when it stands for nothing. */
export function nodeOf(member: boolean, children: [string, FieldSet][]): FieldSet | undefined {
  if (children.length === 0) return member ? EMPTY : undefined;
  const node: Record<string, FieldSet> = member ? { [SELF]: EMPTY } : {};
  for (const [element, child] of children) node[element] = child;
  return node;
}

/** Whether the set has the path. */
export function has(set: FieldSet, path: readonly string[]): boolean {
  let node = set;
  for (const element of path) {
    const child = childOf(node, element);
    if (child === undefined) return false;
    node = child;
  }
  return isMember(node);
}

/** The node below an element. */
export function childOf(set: FieldSet, element: string): FieldSet | undefined {
  return Object.hasOwn(set, element) ? set[element] : undefined;
}

/** The set of the given paths. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => {
    let node = EMPTY;
    for (const element of path.toReversed()) node = { [element]: node };
    return union(set, node);
  }, EMPTY);
}

/** Every path of either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const children: [string, FieldSet][] = [];
  let changed = false;
  for (const element in a) {
    if (element === SELF) continue;
    const mine = a[element] as FieldSet;
    const theirs = childOf(b, element);
    const both = theirs === undefined ? mine : unionNodes(mine, theirs);
    if (both !== mine) changed = true;
    children.push([element, both]);
  }
  const before = children.length;
  for (const element in b) {
    if (element !== SELF && !Object.hasOwn(a, element)) children.push([element, b[element] as FieldSet]);
  }
  if (!changed && children.length === before) return a;
  if (children.length > before) children.sort(([x], [y]) => compareElements(x, y));
  return nodeOf(SELF in a, children) ?? EMPTY;
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const member = isMember(a) || isMember(b);
  const merged = union(a, b);
  if (!member || isMember(merged)) return merged;
  return { [SELF]: EMPTY, ...merged };
}

type Keep = (inA: boolean, inB: boolean) => boolean;

/** The paths of `a` that are not in `b`; what is below a path of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB, true);
}

/** The paths of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB, false);
}

function combine(a: FieldSet, b: FieldSet, keep: Keep, keepRest: boolean): FieldSet {
  if (isEmpty(a) || (keepRest && isEmpty(b))) return a;
  const children: [string, FieldSet][] = [];
  let changed = false;
  for (const element in a) {
    if (element === SELF) continue;
    const mine = a[element] as FieldSet;
    const theirs = childOf(b, element);
    const kept = theirs === undefined ? (keepRest ? mine : undefined) : combineNodes(mine, theirs, keep, keepRest);
    if (kept !== mine) changed = true;
    if (kept !== undefined) children.push([element, kept]);
  }
  return changed ? (nodeOf(SELF in a, children) ?? EMPTY) : a;
}

function combineNodes(a: FieldSet, b: FieldSet, keep: Keep, keepRest: boolean): FieldSet | undefined {
  const was = isMember(a);
  const member = keep(was, isMember(b));
  const rest = combine(a, b, keep, keepRest);
  if (rest === a && member === was) return a;
  const children = Object.entries(rest).filter(([element]) => element !== SELF);
  return nodeOf(member, children);
}

/** The paths of `a` that are not in `b` nor below a path of `b` (upstream's `RecursiveDifference`). */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  const children: [string, FieldSet][] = [];
  let changed = false;
  for (const element in a) {
    if (element === SELF) continue;
    const mine = a[element] as FieldSet;
    const theirs = childOf(b, element);
    let kept: FieldSet | undefined = mine;
    if (theirs !== undefined) {
      if (isMember(theirs)) kept = undefined;
      else if (!isEmpty(mine)) {
        kept = recursiveDifference(mine, theirs);
        if (isEmpty(kept)) kept = undefined;
      }
    }
    if (kept !== mine) changed = true;
    if (kept !== undefined) children.push([element, kept]);
  }
  return changed ? (nodeOf(SELF in a, children) ?? EMPTY) : a;
}

/** Calls `visit` with every path, as upstream does: those of a node before those below it. */
export function forEachPath(set: FieldSet, visit: (path: readonly string[]) => void, at: readonly string[] = []): void {
  for (const element in set) {
    if (element !== SELF && isMember(set[element] as FieldSet)) visit([...at, element]);
  }
  for (const element in set) {
    if (element !== SELF) forEachPath(set[element] as FieldSet, visit, [...at, element]);
  }
}

/** A client's `fieldsV1` as a set, in upstream's order; undefined for what is none. */
export function parseFieldsV1(value: unknown, depth = 0): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 200) return undefined;
  const children: [string, FieldSet][] = [];
  let member = false;
  for (const [element, raw] of Object.entries(value)) {
    if (element === SELF) {
      member = depth > 0;
      continue;
    }
    const node = isElement(element) ? parseFieldsV1(raw, depth + 1) : undefined;
    if (node === undefined) return undefined;
    children.push([element, node]);
  }
  children.sort(([x], [y]) => compareElements(x, y));
  return nodeOf(member, children) ?? EMPTY;
}
