/** cel-go's `ext.Lists` and `ext.Sets`, and Kubernetes' own `lists`. */
import { areOrdered, sumOf } from '../operators.ts';
import { celEqual, compareValues, kindOf } from '../values.ts';
import { fail, functions, type Library } from './library.ts';
import { none, type Optional, some } from './optionals.ts';

class Lists {}
class Sets {}

const MOST_IN_A_RANGE = 1_000_000n;

const SUMMABLE = ['int', 'uint', 'double', 'google.protobuf.Duration'];
const ORDERED = [...SUMMABLE, 'bool', 'string', 'bytes', 'google.protobuf.Timestamp'];

const sum = (list: unknown[]): unknown => (list.length === 0 ? 0n : list.reduce(sumOf));

function extreme(list: unknown[], sign: 1 | -1, name: string): unknown {
  if (list.length === 0) fail(`${name} called on empty list`);
  return list.reduce((best, item) => (orderOf(item, best, name) * sign > 0 ? item : best));
}

function orderOf(a: unknown, b: unknown, name: string): number {
  return areOrdered(a, b) ? compareValues(a, b) : fail(`no such overload: ${name}(list)`);
}

function sort(list: unknown[]): unknown[] {
  const [first] = list;
  if (list.length === 0) return list;
  if (!areOrdered(first, first)) fail('list elements must be comparable');
  if (list.some((item) => kindOf(item) !== kindOf(first))) fail('list elements must have the same type');
  return [...list].sort(compareValues);
}

/** A method for each type of items that it knows. */
const each = (
  types: readonly string[],
  name: string,
  result: (type: string) => string,
  handler: (list: unknown[]) => unknown,
) => Object.fromEntries(types.map((type) => [`list<${type}>.${name}(): ${result(type)}`, handler] as const));
const same = (type: string): string => type;

const indexOf = (list: unknown[], wanted: unknown): bigint => BigInt(list.findIndex((item) => celEqual(item, wanted)));

function slice(list: unknown[], from: bigint, to: bigint): unknown[] {
  if (from < 0n || to < 0n) fail(`cannot slice(${from}, ${to}), negative indexes not supported`);
  if (from > to) fail(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`);
  if (to > BigInt(list.length)) fail(`cannot slice(${from}, ${to}), list is length ${list.length}`);
  return list.slice(Number(from), Number(to));
}

function flatten(list: unknown[], depth: bigint): unknown[] {
  if (depth < 0n) fail('level must be non-negative');
  return list.flat(Number(depth));
}

const contains = (list: unknown[], item: unknown): boolean => list.some((other) => celEqual(other, item));
const distinct = (list: unknown[]): unknown[] =>
  list.filter((item, index) => list.findIndex((other) => celEqual(other, item)) === index);

function range(count: bigint): bigint[] {
  if (count > MOST_IN_A_RANGE) fail('operation cancelled: actual cost limit exceeded');
  return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index));
}

const unwrapped = (list: Optional[]): unknown[] => list.filter((item) => item.hasValue()).map((item) => item.value());

const members = functions({
  ...each(SUMMABLE, 'sum', same, sum),
  ...each(ORDERED, 'min', same, (list) => extreme(list, -1, 'min')),
  ...each(ORDERED, 'max', same, (list) => extreme(list, 1, 'max')),
  ...each(
    ORDERED,
    'isSorted',
    () => 'bool',
    (list) => list.every((item, at) => at === 0 || orderOf(list[at - 1], item, 'isSorted') <= 0),
  ),
  ...each(ORDERED, 'sort', (type) => `list<${type}>`, sort),
  'list.indexOf_(dyn): int': indexOf,
  'list.lastIndexOf_(dyn): int': (list: unknown[], wanted: unknown) =>
    BigInt(list.findLastIndex((item) => celEqual(item, wanted))),
  'list<V>.slice(int, int): list<V>': slice,
  'list<list<V>>.flatten(): list<V>': (list: unknown[]) => flatten(list, 1n),
  'list.flatten(): list<dyn>': (list: unknown[]) => flatten(list, 1n),
  'list.flatten(int): list<dyn>': flatten,
  'list<V>.distinct(): list<V>': distinct,
  'list<V>.reverse(): list<V>': (list: unknown[]) => [...list].reverse(),
  'list<V>.first(): optional<V>': (list: unknown[]) => (list.length === 0 ? none() : some(list[0])),
  'list<V>.last(): optional<V>': (list: unknown[]) => (list.length === 0 ? none() : some(list.at(-1))),
  'list<optional<V>>.unwrapOpt(): list<V>': unwrapped,
  'OptionalNamespace.unwrap(list<optional<V>>): list<V>': (_: unknown, list: Optional[]) => unwrapped(list),
  'Lists.range(int): list<int>': (_: Lists, count: bigint) => range(count),
  'Sets.contains(list, list): bool': (_: Sets, list: unknown[], part: unknown[]) =>
    part.every((item) => contains(list, item)),
  'Sets.equivalent(list, list): bool': (_: Sets, a: unknown[], b: unknown[]) =>
    a.every((item) => contains(b, item)) && b.every((item) => contains(a, item)),
  'Sets.intersects(list, list): bool': (_: Sets, a: unknown[], b: unknown[]) => a.some((item) => contains(b, item)),
});

export const lists: Library = (environment) => {
  environment.registerType('Lists', Lists).registerConstant('lists', 'Lists', new Lists());
  environment.registerType('Sets', Sets).registerConstant('sets', 'Sets', new Sets());
  members(environment);
};
