/** JSON as values of the types that its schema declares (upstream's `UnstructuredToVal`). */
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { fromBase64 } from '../codec/base64.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isMap } from '../structural/schema.ts';
import type { Declared } from './declared.ts';
import { KeyedList } from './keyed-list.ts';
import { parseTimestamp } from './time.ts';
import { celEqual, toCel } from './values.ts';

/**
 * A value for expressions. Of lists whose order does not count, `like` gives the value to compare with: one that differs in
 * order alone becomes that very list.
 */
export function toTyped(value: Json, declared: Declared, like?: { value: Json; typed: unknown }): unknown {
  if (value === null) return null;
  switch (declared.kind) {
    case 'list':
      return Array.isArray(value) ? typedList(value, declared, like) : toCel(value);
    case 'map':
    case 'object':
      return isMap(value) ? typedMap(value, declared, like) : toCel(value);
    case 'double':
      return value;
    case 'bytes':
      return typeof value === 'string' ? bytesOf(value) : value;
    case 'duration':
      return typeof value === 'string' ? durationOf(value) : value;
    case 'timestamp':
      return typeof value === 'string' ? (parseTimestamp(value) ?? new Date(value)) : value;
    default:
      return toCel(value);
  }
}

type Like = { value: Json; typed: unknown } | undefined;

function typedList(list: Json[], { element, listType, keys = [] }: Declared, like: Like): unknown {
  if (listType !== 'atomic' && Array.isArray(like?.value) && sameItems(list, like.value)) return like.typed;
  const items = element === undefined ? [] : list.map((item) => toTyped(item, element));
  if (listType === 'set') return new KeyedList(items, (item) => [item], celEqual);
  if (listType === 'map') return new KeyedList(items, (item) => keys.map((key) => fieldOf(item, key)), celEqual);
  return items;
}

const fieldOf = (item: unknown, name: string): unknown => (item instanceof Map ? (item.get(name) ?? null) : null);

function typedMap(map: JsonObject, { kind, fields, element, constructs }: Declared, like: Like): unknown {
  const inner = (property: string, name: string): Like =>
    isMap(like?.value) && Object.hasOwn(like.value, property) && like.typed instanceof Map
      ? { value: like.value[property] as Json, typed: like.typed.get(name) }
      : undefined;
  if (kind === 'object' && constructs !== undefined) {
    const typed = new constructs();
    for (const [name, { property, declared }] of fields ?? []) {
      if (!Object.hasOwn(map, property)) continue;
      typed.set(name, toTyped(map[property] as Json, declared, inner(property, name)));
    }
    return typed;
  }
  const typed = new Map<string, unknown>();
  if (element === undefined) return typed;
  for (const key of Object.keys(map)) typed.set(key, toTyped(map[key] as Json, element, inner(key, key)));
  return typed;
}

/** Whether two lists hold the same, in whatever order. */
function sameItems(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length) return false;
  const texts = (list: readonly Json[]): string[] => list.map(canonical).sort();
  const others = texts(b);
  return texts(a).every((text, index) => text === others[index]);
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function bytesOf(text: string): unknown {
  try {
    return fromBase64(text);
  } catch {
    return text;
  }
}

/** Nanoseconds in the units of durations, by the letters that tell them apart. */
const UNITS: [pattern: RegExp, nanoseconds: bigint][] = [
  [/^(ns|nano)/, 1n],
  [/^(us|µs|μs|micro)/, 1_000n],
  [/^(ms|milli)/, 1_000_000n],
  [/^m/, 60_000_000_000n],
  [/^s/, 1_000_000_000n],
  [/^h/, 3_600_000_000_000n],
  [/^d/, 86_400_000_000_000n],
  [/^w/, 604_800_000_000_000n],
];

/** `1h30m` and `3 days`, as upstream's `strfmt` reads durations; any other text stays what it is. */
function durationOf(text: string): unknown {
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)(?:\.(\d*))?\s*([a-zµμ]+)/gi)) {
    const nanoseconds = UNITS.find(([pattern]) => pattern.test(unit.toLowerCase()))?.[1];
    if (nanoseconds === undefined) return text;
    const part = fraction.slice(0, 18);
    total += BigInt(whole || '0') * nanoseconds + (BigInt(part || '0') * nanoseconds) / 10n ** BigInt(part.length);
  }
  if (text.startsWith('-')) total = -total;
  return new Duration(total / 1_000_000_000n, Number(total % 1_000_000_000n));
}
