/** cel-go's `ext.Lists` and `ext.Sets`, and Kubernetes' own `lists`. */
import { celEqual, compareValues, isNumber } from '../values.ts';
import { fail, functions, type Library } from './library.ts';
import { none, some } from './optionals.ts';

class Lists {}
class Sets {}

const MOST_IN_A_RANGE = 1_000_000n;

function sum(list: unknown[]): unknown {
  let total: unknown = list.length === 0 ? 0n : undefined;
  for (const item of list) {
    if (!isNumber(item)) fail(`no such overload: sum of ${typeof item}`);
    total = total === undefined ? item : (total as number) + (item as number);
  }
  return total;
}

function extreme(list: unknown[], sign: 1 | -1, name: string): unknown {
  if (list.length === 0) fail(`${name} called on empty list`);
  return list.reduce((best, item) => (compareValues(item, best) * sign > 0 ? item : best));
}

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

const members = functions({
  'list.sum(): dyn': sum,
  'list.min(): dyn': (list: unknown[]) => extreme(list, -1, 'min'),
  'list.max(): dyn': (list: unknown[]) => extreme(list, 1, 'max'),
  'list.isSorted(): bool': (list: unknown[]) =>
    list.every((item, index) => index === 0 || compareValues(list[index - 1], item) <= 0),
  'list.indexOf(dyn): int': indexOf,
  'list.lastIndexOf(dyn): int': (list: unknown[], wanted: unknown) =>
    BigInt(list.findLastIndex((item) => celEqual(item, wanted))),
  'list<V>.slice(int, int): list<V>': slice,
  'list.flatten(): list<dyn>': (list: unknown[]) => flatten(list, 1n),
  'list.flatten(int): list<dyn>': flatten,
  'list<V>.sort(): list<V>': (list: unknown[]) => [...list].sort(compareValues),
  'list<V>.distinct(): list<V>': distinct,
  'list<V>.reverse(): list<V>': (list: unknown[]) => [...list].reverse(),
  'list<V>.first(): optional<V>': (list: unknown[]) => (list.length === 0 ? none() : some(list[0])),
  'list<V>.last(): optional<V>': (list: unknown[]) => (list.length === 0 ? none() : some(list.at(-1))),
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
