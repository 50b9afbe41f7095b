/** JSON in which keys stand twice, as Go reads it: what comes later is read into what is there already. */
import type { Json, JsonObject } from '../meta.ts';
import { define } from './depth.ts';
import { isObject } from './values.ts';

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const SCALAR = /[^\s,[\]{}":]+/y;

/** The value of a text that `JSON.parse` takes and that does not nest without end: objects under one key are merged. */
export function parseMerged(text: string): Json {
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
  const value = (): Json => {
    if (passes('{')) return object();
    if (passes('[')) return array();
    return JSON.parse(text[at] === '"' ? take(STRING) : take(SCALAR)) as Json;
  };
  const object = (): JsonObject => {
    const found: JsonObject = {};
    while (!passes('}')) {
      take(SPACE);
      const key = JSON.parse(take(STRING)) as string;
      passes(':');
      put(found, key, value());
      passes(',');
    }
    return found;
  };
  const array = (): Json[] => {
    const found: Json[] = [];
    while (!passes(']')) {
      found.push(value());
      passes(',');
    }
    return found;
  };
  return value();
}

/** Null empties a map or a list, and leaves a plain value as it is. */
function put(object: JsonObject, key: string, value: Json): void {
  const before = Object.hasOwn(object, key) ? object[key] : undefined;
  if (before === undefined) define(object, key, value);
  else if (isObject(before) && isObject(value)) {
    for (const [inner, part] of Object.entries(value)) put(before, inner, part ?? null);
  } else if (value !== null || typeof before === 'object') define(object, key, value);
}
