/** Guards of what clients choose freely: how deep values nest, and the names of keys. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';

/** Deeper objects are refused: everything that walks them is recursive. */
export const MAX_DEPTH = 500;

/** Throws BadRequest for a value that nests deeper than {@link MAX_DEPTH}, `depth` levels of it being spent already. */
export function checkDepth(value: Json, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw badRequest('the object is nested too deeply');
  if (Array.isArray(value)) for (const entry of value) checkDepth(entry, depth + 1);
  else for (const key in value) checkDepth(value[key] as Json, depth + 1);
}

/** Sets a key that a client named: `__proto__` is a key like any other. */
export function define(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else object[key] = value;
}
