/** JSON with its keys in the order of the text, twice where they stand twice: what `JSON.parse` does not tell. */
import type { Json, JsonObject } from '../meta.ts';
import { define } from './depth.ts';
import { isObject } from './values.ts';

/** The keys of an object, as they stand. */
export class Entries {
  readonly list: readonly (readonly [key: string, value: Ordered])[];

  constructor(list: readonly (readonly [key: string, value: Ordered])[]) {
    this.list = list;
  }
}

export type Ordered = null | boolean | number | string | Ordered[] | Entries;

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const SCALAR = /[^\s,[\]{}":]+/y;

/** Reads a text that `JSON.parse` takes and that does not nest without end. */
export function parseOrdered(text: string): Ordered {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ''] = pattern.exec(text) ?? [];
    at += found.length;
    return found;
  };
  /** Whether the next sign is this one; it is passed over then. */
  const passes = (sign: string): boolean => {
    take(SPACE);
    if (text[at] !== sign) return false;
    at++;
    return true;
  };
  const value = (): Ordered => {
    if (passes('{')) return object();
    if (passes('[')) return array();
    return JSON.parse(text[at] === '"' ? take(STRING) : take(SCALAR)) as string | number | boolean | null;
  };
  const object = (): Entries => {
    const found: [string, Ordered][] = [];
    while (!passes('}')) {
      take(SPACE);
      const key = JSON.parse(take(STRING)) as string;
      passes(':');
      found.push([key, value()]);
      passes(',');
    }
    return new Entries(found);
  };
  const array = (): Ordered[] => {
    const found: Ordered[] = [];
    while (!passes(']')) {
      found.push(value());
      passes(',');
    }
    return found;
  };
  return value();
}

/** A JSON value with its keys in the order that they have. */
export function orderedOf(value: Json): Ordered {
  if (Array.isArray(value)) return value.map(orderedOf);
  if (!isObject(value)) return value;
  return new Entries(Object.entries(value).map(([key, entry]) => [key, orderedOf(entry ?? null)]));
}

/** The value as Go reads it: what stands under a key again is read into what is there already, objects into objects. */
export function merged(value: Ordered): Json {
  if (Array.isArray(value)) return value.map(merged);
  if (!(value instanceof Entries)) return value;
  const object: JsonObject = {};
  for (const [key, entry] of value.list) put(object, key, merged(entry));
  return object;
}

/** Null empties a map or a list, and leaves a plain value as it is. */
function put(object: JsonObject, key: string, value: Json): void {
  const before = Object.hasOwn(object, key) ? object[key] : undefined;
  if (before === undefined) define(object, key, value);
  else if (isObject(before) && isObject(value)) {
    for (const [inner, part] of Object.entries(value)) put(before, inner, part ?? null);
  } else if (value !== null || typeof before === 'object') define(object, key, value);
}
