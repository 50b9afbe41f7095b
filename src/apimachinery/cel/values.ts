/** Values of expressions: JSON made into what the library computes with, and compared. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { Json } from '../meta.ts';
import { KeyedList } from './keyed-list.ts';
import { fail } from './libraries/library.ts';
import { nanosecondsOf, toTimestamp } from './time.ts';

/** Values that are compared by what they stand for. */
export interface Comparable {
  compareTo(other: this): number;
}

const isComparable = (value: unknown): value is Comparable =>
  typeof value === 'object' && value !== null && 'compareTo' in value && typeof value.compareTo === 'function';

/** A value that may be absent, as the base library makes it. */
interface Optional {
  hasValue(): boolean;
  value(): unknown;
}

const isOptional = (value: unknown): value is Optional =>
  typeof value === 'object' && value !== null && 'hasValue' in value && typeof value.hasValue === 'function';

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

/** The name of a value's type, as cel-go writes it without parameters; `opaque` of what expressions know by methods alone. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'object':
      return kindOfObject(value);
    default:
      return 'opaque';
  }
}

function kindOfObject(value: object | null): string {
  if (value === null) return 'null_type';
  if (value instanceof UnsignedInt) return 'uint';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Date) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (isOptional(value)) return 'optional_type';
  if (/^\[object Type</.test(Object.prototype.toString.call(value))) return 'type';
  const isPlain = value instanceof Map || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isPlain ? 'map' : 'opaque';
}

/** Whether a value is an int, a uint or a double. */
export const isNumber = (value: unknown): boolean =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof UnsignedInt;

/** The entries of a map, one of an object's or one that an expression made. */
export const entriesOf = (map: object): [unknown, unknown][] => (map instanceof Map ? [...map] : Object.entries(map));

/** The value of a map for a key; undefined for none. Numbers of different types are one key when they are as large. */
export function find(map: object, key: unknown): unknown {
  if (!(map instanceof Map)) {
    return typeof key === 'string' && Object.hasOwn(map, key) ? (map as Record<string, unknown>)[key] : undefined;
  }
  const found: unknown = map.get(key);
  if (found !== undefined || !isNumber(key)) return found;
  for (const [other, value] of map) if (isNumber(other) && celEqual(other, key)) return value;
  return undefined;
}

/** Whether two values are the same; numbers of different types are when they are as large. */
export function celEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: an int and a double may be equal
  if (isNumber(a) && isNumber(b)) return (a as number).valueOf() == (b as number).valueOf();
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  switch (kind) {
    case 'list':
      if (a instanceof KeyedList) return a.equals(b as unknown[]);
      return equalLists(a as unknown[], b as unknown[]);
    case 'bytes':
      return equalLists(a as unknown[], b as unknown[]);
    case 'map': {
      const entries = entriesOf(a as object);
      if (entries.length !== entriesOf(b as object).length) return false;
      return entries.every(([key, value]) => {
        const other = find(b as object, key);
        return other !== undefined && celEqual(value, other);
      });
    }
    case 'optional_type': {
      const [x, y] = [a as Optional, b as Optional];
      return x.hasValue() && y.hasValue() ? celEqual(x.value(), y.value()) : x.hasValue() === y.hasValue();
    }
    case 'google.protobuf.Timestamp':
      return toTimestamp(a as Date).nanoseconds === toTimestamp(b as Date).nanoseconds;
    case 'google.protobuf.Duration':
      return nanosecondsOf(a as Duration) === nanosecondsOf(b as Duration);
    default:
      if (isComparable(a) && isComparable(b)) return a.constructor === b.constructor && a.compareTo(b) === 0;
      return false;
  }
}

const equalLists = (a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean =>
  a.length === b.length && Array.from(a).every((item, index) => celEqual(item, b[index]));

/** Negative, zero or positive; what has no order is equal. Throws for a number that is none. */
export function compareValues(a: unknown, b: unknown): number {
  if (isComparable(a) && isComparable(b)) return a.compareTo(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  const [x, y] = [orderOf(a), orderOf(b)] as [number, number];
  if (Number.isNaN(x) || Number.isNaN(y)) fail('NaN values cannot be ordered');
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderOf(value: unknown): unknown {
  if (value instanceof Date) return toTimestamp(value).nanoseconds;
  return value instanceof Duration ? nanosecondsOf(value) : value?.valueOf();
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0) return a.length - b.length;
  return at >= b.length ? 1 : (a[at] as number) - (b[at] as number);
}
