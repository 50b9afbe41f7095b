/** What an expression may cost at most, told from it and from how large its values can be (`checker.Cost` of cel-go). */
import { callCost, type Operand, operatorCost } from './cost-functions.ts';
import type { Declared } from './declared.ts';
import type { Node } from './nodes.ts';
import { either, fixed, plus, type Range, times, UNKNOWN, ZERO } from './range.ts';

/** What is known of a part of an expression. */
interface Estimate {
  cost: Range;
  size: Range | undefined;
  /** Sizes of keys (or indices) and values of a list or map that the expression makes. */
  entries: { key: Range; value: Range } | undefined;
  /** What the part is in the schema. */
  declared: Declared | undefined;
}

type Known = Partial<Omit<Estimate, 'cost'>>;
type Scope = ReadonlyMap<string, Known>;

const LIST_COST = 10;
const MAP_COST = 30;
const SCALARS = ['bool', 'double', 'int', 'uint', 'google.protobuf.Duration', 'google.protobuf.Timestamp'];
/** Names that only stand before functions. */
const NAMESPACES = ['sets', 'lists', 'optional', 'format', 'ip', 'cel', 'math', 'strings', 'semver'];
const KEY: Declared = { kind: 'string', type: 'string', nullable: false, maxElements: 0, minSize: 2 };

/** The highest cost of a checked expression about these variables. Infinite where nothing bounds it. */
export function estimatedCost(root: Node, variables: Readonly<Record<string, Declared>>): number {
  const scope = new Map(Object.entries(variables).map(([name, declared]) => [name, { declared }]));
  return estimate(root, scope).cost.max;
}

const typeOf = ({ checkedType }: Node): string => checkedType?.name.replace(/^dyn<(.*)>$/, '$1') ?? 'dyn';

/** A cost with all that is known; what comes first in upstream's order decides of the size. */
function known(node: Node, cost: Range, { size, entries, declared }: Known = {}): Estimate {
  const bySchema = declared === undefined ? undefined : { min: 0, max: declared.maxElements };
  const isScalar = SCALARS.includes(typeOf(node).replace(/^optional<(.*)>$/, '$1'));
  return { cost, size: size ?? bySchema ?? (isScalar ? fixed(1) : undefined), entries, declared };
}

function operand(node: Node, { size, declared }: Estimate): Operand {
  const type = typeOf(node);
  const item = /^list<(.*)>$/.exec(type)?.[1];
  const literal = node.op === 'value' && typeof node.args === 'bigint' ? { literal: node.args } : {};
  if (item === undefined) return { type, size: size ?? UNKNOWN, ...literal };
  const bound = declared?.element?.maxElements;
  const items = { type: item, size: bound === undefined ? UNKNOWN : { min: 0, max: bound } };
  return { type, size: size ?? UNKNOWN, items };
}

function estimate(node: Node, scope: Scope): Estimate {
  const nodes = node.args as Node[];
  switch (node.op) {
    case 'value':
      return { cost: ZERO, size: literalSize(node.args), entries: undefined, declared: undefined };
    case 'id':
      return known(node, fixed(1), scope.get(node.args as string));
    case '.':
    case '.?':
      return selection(node, scope);
    case '[]':
    case '[?]':
      return index(node, scope);
    case 'list':
      return collection(
        nodes,
        nodes.map(() => fixed(1)),
        LIST_COST,
        scope,
      );
    case 'map':
      return mapLiteral(node.args as [Node, Node][], scope);
    case '?:':
      return conditional(nodes, scope);
    case '||':
    case '&&': {
      const [left, right] = nodes.map((part) => estimate(part, scope).cost) as [Range, Range];
      return known(node, { min: left.min, max: left.max + right.max });
    }
    case '-_':
      // A negative number is written as one.
      if ((node.args as Node).op === 'value') return estimate(node.args as Node, scope);
      return known(node, plus(fixed(1), estimate(node.args as Node, scope).cost));
    case '!_':
      return known(node, plus(fixed(1), estimate(node.args as Node, scope).cost));
    case 'call':
      return call(node, scope);
    case 'rcall':
      return method(node, scope);
    default:
      return binary(node, scope);
  }
}

function literalSize(value: unknown): Range | undefined {
  if (typeof value === 'string') return fixed([...value].length);
  if (value instanceof Uint8Array) return fixed(value.length);
  return fixed(1);
}

function selection(node: Node, scope: Scope): Estimate {
  const [target, name] = node.args as [Node, string];
  const { cost, declared } = estimate(target, scope);
  if (node.op === '.?') return known(node, plus(cost, fixed(1)));
  const type = target.checkedType;
  const isCharged = type?.kind === 'map' || type?.kind === 'message';
  const field = declared?.fields?.get(name)?.declared;
  return known(node, isCharged ? plus(cost, fixed(1)) : cost, field === undefined ? {} : { declared: field });
}

function index(node: Node, scope: Scope): Estimate {
  const [target, place] = node.args as [Node, Node];
  const whole = estimate(target, scope);
  const cost = plus(plus(whole.cost, estimate(place, scope).cost), fixed(1));
  if (node.op === '[?]') return known(node, cost);
  return known(node, cost, { size: whole.entries?.value, declared: whole.declared?.element });
}

function collection(values: readonly Node[], keys: readonly Range[], base: number, scope: Scope): Estimate {
  const inner = values.map((value) => estimate(value, scope));
  const sizes = inner.map(({ size }) => size ?? UNKNOWN);
  return {
    cost: inner.reduce((sum, { cost }) => plus(sum, cost), fixed(base)),
    size: fixed(values.length),
    entries: { key: keys.reduce(either, keys[0] ?? ZERO), value: sizes.reduce(either, sizes[0] ?? ZERO) },
    declared: undefined,
  };
}

function mapLiteral(pairs: readonly [Node, Node][], scope: Scope): Estimate {
  const keys = pairs.map(([key]) => estimate(key, scope));
  const made = collection(
    pairs.map(([, value]) => value),
    keys.map(({ size }) => size ?? UNKNOWN),
    MAP_COST,
    scope,
  );
  return { ...made, cost: keys.reduce((sum, { cost }) => plus(sum, cost), made.cost) };
}

const bothEntries = (a: Estimate, b: Estimate): Estimate['entries'] =>
  a.entries === undefined || b.entries === undefined
    ? undefined
    : { key: either(a.entries.key, b.entries.key), value: either(a.entries.value, b.entries.value) };

function conditional(nodes: readonly Node[], scope: Scope): Estimate {
  const [condition, yes, no] = nodes.map((part) => estimate(part, scope)) as [Estimate, Estimate, Estimate];
  return {
    cost: plus(condition.cost, either(yes.cost, no.cost)),
    size: either(yes.size ?? UNKNOWN, no.size ?? UNKNOWN),
    entries: bothEntries(yes, no),
    declared: undefined,
  };
}

function binary(node: Node, scope: Scope): Estimate {
  const [left, right] = node.args as [Node, Node];
  const [a, b] = [estimate(left, scope), estimate(right, scope)];
  const { cost, size } = operatorCost(node.op, operand(left, a), operand(right, b));
  const entries = node.op === '+' ? bothEntries(a, b) : undefined;
  return known(node, plus(plus(a.cost, b.cost), cost), { size, entries });
}

function call(node: Node, scope: Scope): Estimate {
  const [name, args] = node.args as [string, Node[]];
  const [first] = args;
  if (name === 'has' && first !== undefined) {
    // Looking whether a field is there is free, but for getting where it would be.
    const [target] = first.args as [Node];
    return known(node, estimate(target, scope).cost);
  }
  const inner = args.map((arg) => estimate(arg, scope));
  const sum = inner.reduce((total, { cost }) => plus(total, cost), ZERO);
  if (name === 'dyn' && inner[0] !== undefined) return { ...inner[0], cost: plus(sum, fixed(1)) };
  const { cost, size } = callCost(
    name,
    args.map((arg, at) => operand(arg, inner[at] as Estimate)),
  );
  return known(node, plus(sum, cost), { size });
}

function method(node: Node, scope: Scope): Estimate {
  const [name, receiver, args] = node.args as [string, Node, Node[]];
  const loop = comprehension(name, receiver, args, scope);
  if (loop !== undefined) return known(node, loop.cost, loop);
  const isNamespace =
    receiver.op === 'id' && NAMESPACES.includes(receiver.args as string) && !scope.has(receiver.args as string);
  const inner = [receiver, ...args].map((arg) => estimate(arg, scope));
  const sum = inner.slice(isNamespace ? 1 : 0).reduce((total, { cost }) => plus(total, cost), ZERO);
  const operands = [receiver, ...args].map((arg, at) => operand(arg, inner[at] as Estimate));
  const { cost, size } = callCost(name, operands);
  return known(node, plus(sum, cost), { size });
}

/** What the loop of a macro does each time beside the given, and around: upstream's expansions, counted. */
const LOOPS: Record<string, { turn: number; once: number; makes: 'bool' | 'list' | 'map' }> = {
  all: { turn: 3, once: 1, makes: 'bool' },
  exists: { turn: 4, once: 1, makes: 'bool' },
  exists_one: { turn: 2, once: 2, makes: 'bool' },
  existsOne: { turn: 2, once: 2, makes: 'bool' },
  map: { turn: LIST_COST + 2, once: LIST_COST + 1, makes: 'list' },
  filter: { turn: LIST_COST + 3, once: LIST_COST + 1, makes: 'list' },
  transformList: { turn: LIST_COST + 2, once: LIST_COST + 1, makes: 'list' },
  transformMap: { turn: 3, once: MAP_COST + 1, makes: 'map' },
  transformMapEntry: { turn: 2, once: MAP_COST + 1, makes: 'map' },
};

function comprehension(name: string, receiver: Node, args: Node[], scope: Scope): Estimate | undefined {
  const macro = Object.hasOwn(LOOPS, name) ? LOOPS[name] : undefined;
  const names = variablesOf(name, args);
  if (macro === undefined || names === 0) return undefined;
  const range = estimate(receiver, scope);
  const count = range.size ?? UNKNOWN;
  const inside = new Map(scope);
  const isList = receiver.checkedType?.kind === 'list';
  const value: Known = { size: range.entries?.value, declared: range.declared?.element };
  const key: Known = { size: range.entries?.key, declared: range.declared === undefined || isList ? undefined : KEY };
  const bound = names === 2 ? [key, value] : [isList || range.declared?.kind === 'list' ? value : key];
  bound.forEach((what, at) => {
    inside.set(args[at]?.args as string, what);
  });
  const steps = args.slice(names).map((step) => estimate(step, inside));
  const turn = steps.reduce((sum, { cost }) => plus(sum, cost), fixed(macro.turn));
  const cost = plus(plus(range.cost, fixed(macro.once)), times(count, turn));
  const result = name === 'filter' ? value.size : steps.at(-1)?.size;
  const entries = { key: fixed(1), value: either(result ?? UNKNOWN, ZERO) };
  return macro.makes === 'bool'
    ? { cost, size: fixed(1), entries: undefined, declared: undefined }
    : { cost, size: count, entries, declared: undefined };
}

/** How many variables a macro has; 0 when the call is none. */
function variablesOf(name: string, args: readonly Node[]): number {
  if (name.startsWith('transform') || name === 'existsOne') return args.length >= 3 ? 2 : 0;
  if (name === 'map' || name === 'filter') return args.length >= 2 ? 1 : 0;
  return args.length === 3 ? 2 : args.length === 2 && args[0]?.op === 'id' ? 1 : 0;
}
