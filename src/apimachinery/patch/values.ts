/** What all patches need: JSON values that a stranger wrote, read and changed without touching any prototype. */
import { badRequest, StatusError } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';

/** Nesting beyond this is no object of ours, and would exhaust the stack. */
const MAX_DEPTH = 500;

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own property; never one of the prototype. */
export function get(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets an own property, also where it is called `__proto__`. */
export function set(object: JsonObject, key: string, value: Json | undefined): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/** Throws BadRequest for a patch that is nested too deep to be worked on. */
export function assertShallow(patch: Json): void {
  let level: Json[] = [patch];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw badRequest(`the patch is nested more than ${MAX_DEPTH} levels deep`);
    const below: Json[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const part of Array.isArray(value) ? value : Object.values(value)) {
        if (typeof part === 'object' && part !== null) below.push(part);
      }
    }
    level = below;
  }
}

/** Go's name for what a JSON value is, in decoders' messages. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** A value as Go's `%v` prints it: `map[a:1 b:[x y]]`. */
export function goPrint(value: Json | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${goPrint(value[key])}`).join(' ')}]`;
}

/** An error that upstream does not dress up: code 500 and a message, no reason. */
export function plainError(message: string): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}
