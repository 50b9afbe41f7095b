/** Values of expressions: JSON made into what the library computes with, and compared. */
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { Json } from '../meta.ts';

/** Values that are compared by what they stand for. */
export interface Comparable {
  compareTo(other: this): number;
}

const isComparable = (value: unknown): value is Comparable =>
  typeof value === 'object' && value !== null && 'compareTo' in value && typeof value.compareTo === 'function';

/** JSON as expressions see it: whole numbers are ints, all others doubles. */
export function toCel(value: Json | undefined): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    const map = new Map<string, unknown>();
    for (const [key, inner] of Object.entries(value)) map.set(key, toCel(inner));
    return map;
  }
  return value ?? null;
}

/** Whether a value is an int, a uint or a double. */
export const isNumber = (value: unknown): boolean =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof UnsignedInt;

/** Whether two values are the same; numbers of different types are when they are as large. */
export function celEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: an int and a double may be equal
  if (isNumber(a) && isNumber(b)) return (a as number).valueOf() == (b as number).valueOf();
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => celEqual(item, b[index]));
  }
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && celEqual(value, b.get(key)));
  }
  if (isComparable(a) && isComparable(b) && a.constructor === b.constructor) return a.compareTo(b) === 0;
  return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
}

/** Negative, zero or positive; what has no order is equal. */
export function compareValues(a: unknown, b: unknown): number {
  if (isComparable(a) && isComparable(b)) return a.compareTo(b);
  const [x, y] = [(a as number).valueOf(), (b as number).valueOf()];
  return x < y ? -1 : x > y ? 1 : 0;
}
