/**
 * What operators make of values, as cel-go has it: numbers that overflow, keys of any type, equality across types. The base library says
 * which types go together; the rest of its operators is not used.
 */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { KeyedList } from './keyed-list.ts';
import { fail, type Library } from './libraries/library.ts';
import type { Optional } from './libraries/optionals.ts';
import type { Checker, Evaluator, Scope, Type } from './libraries/two-variables.ts';
import type { Node, NodeType } from './nodes.ts';
import { fits } from './own-problems.ts';
import { OPTIONAL_ITEM, OPTIONAL_KEY } from './source.ts';
import { durationOf, nanosecondsOf, Timestamp, toTimestamp } from './time.ts';
import { celEqual, compareValues, find, isNumber, kindOf } from './values.ts';

/** Of the base library, as far as it is used. */
interface Operated extends Node {
  left: Node;
  right: Node;
  /** What the base library itself would do. */
  handle(left: unknown, right: unknown, node: Operated, evaluator: Evaluator): unknown;
}
type Evaluate = (evaluator: Evaluator, node: Operated, scope: Scope) => unknown;
type Binary = (left: unknown, right: unknown) => unknown;

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -MAX_INT - 1n;
const MAX_UINT = 2n ** 64n - 1n;

const big = (value: UnsignedInt): bigint => value.valueOf() as unknown as bigint;
const int = (value: bigint): bigint => (value > MAX_INT || value < MIN_INT ? fail('integer overflow') : value);
const uint = (value: bigint): UnsignedInt =>
  value < 0n || value > MAX_UINT ? fail('unsigned integer overflow') : new UnsignedInt(value);

/** Values that know the operator say less of what they do not take. */
const noOverload = (name: string, left: unknown, kinds: readonly string[]): never =>
  fail(kinds.includes(kindOf(left)) ? 'no such overload' : `no such overload: ${name}`);

const TIMES = ['google.protobuf.Timestamp', 'google.protobuf.Duration'];
const SUBTRACTED = ['int', 'uint', 'double', ...TIMES];
const ADDED = [...SUBTRACTED, 'string', 'bytes', 'list'];
const ORDERED = [...SUBTRACTED, 'string', 'bytes', 'bool'];

/** An operator of numbers; `more` of other values. */
function arithmetic(
  name: string,
  ofInts: (a: bigint, b: bigint) => bigint,
  ofDoubles: ((a: number, b: number) => number) | undefined,
  more: Binary = () => undefined,
  kinds: readonly string[] = ['int', 'uint', 'double'],
): Binary {
  return (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return int(ofInts(a, b));
    if (typeof a === 'number' && typeof b === 'number' && ofDoubles !== undefined) return ofDoubles(a, b);
    if (a instanceof UnsignedInt && b instanceof UnsignedInt) return uint(ofInts(big(a), big(b)));
    return more(a, b) ?? noOverload(name, a, kinds);
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const moved = (time: Date, nanoseconds: bigint): Timestamp => {
  const from = toTimestamp(time);
  return new Timestamp(from.nanoseconds + nanoseconds, from.offset);
};

function addOthers(a: unknown, b: unknown): unknown {
  if (isText(a) && isText(b)) return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return a instanceof KeyedList ? a.plus(b) : [...a, ...b];
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (a instanceof Duration && b instanceof Duration) return durationOf(nanosecondsOf(a) + nanosecondsOf(b));
  if (a instanceof Date && b instanceof Duration) return moved(a, nanosecondsOf(b));
  return a instanceof Duration && b instanceof Date ? moved(b, nanosecondsOf(a)) : undefined;
}

function subtractOthers(a: unknown, b: unknown): unknown {
  if (a instanceof Duration && b instanceof Duration) return durationOf(nanosecondsOf(a) - nanosecondsOf(b));
  if (a instanceof Date && b instanceof Duration) return moved(a, -nanosecondsOf(b));
  if (!(a instanceof Date && b instanceof Date)) return undefined;
  return durationOf(toTimestamp(a).nanoseconds - toTimestamp(b).nanoseconds);
}

const add = arithmetic(
  '_+_',
  (a, b) => a + b,
  (a, b) => a + b,
  addOthers,
  ADDED,
);

/** The sum of two values, as `+` makes it. */
export const sumOf: Binary = add;

/** Whether two values have an order between them. */
export function areOrdered(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return true;
  const kind = kindOf(a);
  return ORDERED.includes(kind) && kind === kindOf(b);
}

const ordered =
  (name: string, holds: (order: number) => boolean): Binary =>
  (a, b) =>
    areOrdered(a, b) ? holds(compareValues(a, b)) : noOverload(name, a, ORDERED);

function isIn(value: unknown, container: unknown): boolean {
  if (Array.isArray(container)) return container.some((item) => celEqual(item, value));
  return kindOf(container) === 'map' ? find(container as object, value) !== undefined : fail('no such overload');
}

const BINARY: Record<string, Binary> = {
  '+': add,
  '-': arithmetic(
    '_-_',
    (a, b) => a - b,
    (a, b) => a - b,
    subtractOthers,
    SUBTRACTED,
  ),
  '*': arithmetic(
    '_*_',
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '/': arithmetic(
    '_/_',
    (a, b) => (b === 0n ? fail('division by zero') : a / b),
    (a, b) => a / b,
  ),
  '%': arithmetic('_%_', (a, b) => remainder(a, b), undefined),
  '==': celEqual,
  '!=': (a, b) => !celEqual(a, b),
  '<': ordered('_<_', (order) => order < 0),
  '<=': ordered('_<=_', (order) => order <= 0),
  '>': ordered('_>_', (order) => order > 0),
  '>=': ordered('_>=_', (order) => order >= 0),
  in: isIn,
};

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) fail('modulus by zero');
  return a === MIN_INT && b === -1n ? fail('integer overflow') : a % b;
}

function negated(value: unknown): unknown {
  if (typeof value === 'bigint') return int(-value);
  return typeof value === 'number' ? -value : fail('no such overload: -_');
}

/** The item at a place that a number of any type names. */
function itemAt(list: readonly unknown[], place: unknown): unknown {
  if (!isNumber(place)) fail(`unsupported index type '${kindOf(place)}' in list`);
  const index = Number((place as number).valueOf());
  if (!Number.isInteger(index)) fail(`unsupported index value ${index} in list`);
  return index < 0 || index >= list.length ? fail(`index out of bounds: ${index}`) : list[index];
}

const index: Evaluate = (evaluator, node, scope) => {
  const [target, place] = [evaluator.run(node.left, scope), evaluator.run(node.right, scope)];
  if (Array.isArray(target)) return itemAt(target, place);
  const isPlain = target instanceof Map ? target.constructor === Map : kindOf(target) === 'map';
  if (!isPlain) return node.handle(target, place, node, evaluator);
  return find(target as object, place) ?? fail(`no such key: ${String(place)}`);
};

/** A side that decides makes up for what the other fails with; of two failures the first is told. */
function logical(decisive: boolean): Evaluate {
  return (evaluator, { left, right }, scope) => {
    const a = evaluator.tryEval(left, scope);
    if (a === decisive) return decisive;
    const b = evaluator.tryEval(right, scope);
    if (b === decisive) return decisive;
    const failure = [a, b].find((side) => side instanceof Error);
    if (failure !== undefined) throw failure;
    return typeof a === 'boolean' && typeof b === 'boolean' ? !decisive : fail('no such overload');
  };
}

/** What stands after a question mark counts when it is there. */
function optionally(node: Node): Node | undefined {
  const [name, args] = node.op === 'call' ? (node.args as [string, Node[]]) : ['', []];
  return name === OPTIONAL_ITEM || name === OPTIONAL_KEY ? args[0] : undefined;
}

const listOf: Evaluate = (evaluator, node, scope) =>
  (node.args as Node[]).flatMap((item) => {
    const wanted = optionally(item);
    if (wanted === undefined) return [evaluator.run(item, scope)];
    const optional = evaluator.run(wanted, scope) as Optional;
    return optional.hasValue() ? [optional.value()] : [];
  });

const mapOf: Evaluate = (evaluator, node, scope) => {
  const map = new Map<unknown, unknown>();
  for (const [left, right] of node.args as [Node, Node][]) {
    const wanted = optionally(left);
    const key = evaluator.run(wanted ?? left, scope);
    const value = evaluator.run(optionally(right) ?? right, scope);
    if (wanted === undefined) map.set(key, value);
    else if ((value as Optional).hasValue()) map.set(key, (value as Optional).value());
  }
  return map;
};

/** What a node does when it is evaluated, where the base library's own way is not cel-go's. */
export function evaluationOf({ op, args }: Node): Evaluate | undefined {
  const binary = Object.hasOwn(BINARY, op) ? BINARY[op] : undefined;
  if (binary !== undefined) {
    return (evaluator, { left, right }, scope) => binary(evaluator.run(left, scope), evaluator.run(right, scope));
  }
  switch (op) {
    case '||':
      return logical(true);
    case '&&':
      return logical(false);
    case '-_':
      return (evaluator, node, scope) => negated(evaluator.run(node.args as Node, scope));
    case '[]':
      return index;
    case 'list':
      return (args as Node[]).length > 0 ? listOf : undefined;
    case 'map':
      return mapOf;
    default:
      return undefined;
  }
}

type Check = (checker: Checker, node: Operated, scope: Scope) => Type;

/** Values of one type can be compared, whichever it is; to be called before the node is checked. */
export function widenEquality(node: Node): void {
  const check = node.meta?.check as Check;
  const widened: Check = (checker, self, scope) => {
    try {
      return check(checker, self, scope);
    } catch (error) {
      const [left, right] = (self.args as Node[]).map(({ checkedType }) => checkedType);
      if (left === undefined || right === undefined) throw error;
      const isObject = ({ name }: NodeType): boolean =>
        Object.keys(checker.objectTypes.get(name)?.fields ?? {}).length > 0;
      const isNull = (left.name === 'null' && isObject(right)) || (right.name === 'null' && isObject(left));
      if (!isNull && !fits(left, right)) throw error;
      return checker.getType('bool');
    }
  };
  node.setMeta?.('check', widened);
}

/** The types that only ours compares. */
export const operators: Library = (environment) => {
  for (const [name, holds] of Object.entries(BINARY).filter(([name]) => /^[<>]/.test(name))) {
    environment.registerOperator(`bytes ${name} bytes`, holds as (...values: unknown[]) => unknown);
  }
};
