/**
 * What calls cost, and how large their results are, by upstream's rules (`checker.Cost` of cel-go, `library.CostEstimator` of
 * Kubernetes). The numbers decide which rules a definition may have: they are part of the API.
 */
import { written } from './libraries/replaced.ts';
import { fixed, plus, type Range, scaled, times, UNKNOWN, ZERO } from './range.ts';

/** Of each character that is looked at. */
const TRAVERSAL = 0.1;
/** Of each character of a pattern. */
const PATTERN = 0.25;
/** Letters of the longest pattern of a named format. */
const FORMAT_PATTERN = 128;

/** What is called with: sizes where they are known, and the type. */
export interface Operand {
  /** `string`, `list<int>`, `dyn`. */
  type: string;
  size: Range;
  /** Of a list: the size and the type of its items. */
  items?: { size: Range; type: string };
  /** A number that is written there. */
  literal?: bigint;
}

/** A call's own cost, without that of what it is called with. */
export interface CallCost {
  cost: Range;
  size?: Range;
}

type Estimate = (operands: readonly Operand[]) => CallCost | undefined;

const traversal = (size: Range, factor = 1): Range => scaled(size, factor * TRAVERSAL);
const sizeOf = (operand: Operand | undefined): Range => operand?.size ?? UNKNOWN;

const constant: Estimate = () => ({ cost: fixed(1) });
const ofFirst: Estimate = ([text]) => ({ cost: traversal(sizeOf(text)) });
/** The result is no longer than the text. */
const shortened: Estimate = ([text]) => ({ cost: traversal(sizeOf(text)), size: sizeOf(text) });
const ofSecond: Estimate = ([, text]) => ({ cost: traversal(sizeOf(text)) });

/** A pattern's cost, had it as many states as letters; even an empty text costs. */
const matching = (text: Operand | undefined, pattern: Operand | undefined): Range =>
  times(traversal(plus(sizeOf(text), fixed(1))), scaled(sizeOf(pattern), PATTERN));

const perItem: Estimate = ([list]) => {
  if (list?.items === undefined) return { cost: traversal(sizeOf(list)) };
  const { type, size } = list.items;
  const each = type === 'string' || type === 'bytes' ? plus(fixed(1), traversal(size)) : fixed(1);
  return { cost: times(list.size, each) };
};

const replace: Estimate = ([text, from, to]) => {
  const [whole, part, by] = [sizeOf(text), sizeOf(from), sizeOf(to)];
  // An empty text stands around each character.
  const longest =
    part.min === 0
      ? times(fixed(whole.max + 1), by).max + whole.max
      : by.max <= part.min
        ? whole.max
        : times(fixed(Math.ceil(whole.max / part.min)), by).max;
  const shortest =
    part.max === 0
      ? times(fixed(whole.min + 1), by).min + whole.min
      : part.max <= by.min
        ? whole.min
        : times(fixed(Math.ceil(whole.min / part.max)), by).min;
  return { cost: traversal(whole, 2), size: { min: shortest, max: longest } };
};

const split: Estimate = ([text, , limit]) => ({
  cost: traversal(sizeOf(text), 2),
  size: { min: 0, max: limit?.literal === undefined || limit.literal < 0n ? sizeOf(text).max : Number(limit.literal) },
});

const join: Estimate = ([list, separator]) => {
  const count = sizeOf(list);
  const gaps: Range = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
  const texts = list?.items === undefined ? ZERO : times(count, list.items.size);
  const size = separator === undefined ? texts : plus(texts, times(separator.size, gaps));
  return { cost: traversal(size), size };
};

const find: Estimate = ([text, pattern]) => ({
  cost: matching(text, pattern),
  size: { min: 0, max: sizeOf(text).max },
});

const ADDRESS: Range = { min: 4, max: 16 };
const withinNetwork =
  (more: Range): Estimate =>
  ([, other]) => {
    const compared = plus(traversal(plus(ADDRESS, ADDRESS)), more);
    return { cost: other?.type === 'string' ? plus(compared, traversal(other.size)) : compared };
  };

const sets =
  (factor: number): Estimate =>
  ([, a, b]) => ({ cost: plus(scaled(times(sizeOf(a), sizeOf(b)), factor), fixed(1)) });

const toText: Estimate = ([value]) => {
  if (value?.type !== 'bytes') return constant([]);
  return { cost: traversal(value.size), size: { min: Math.floor(value.size.min / 4), max: value.size.max } };
};

const LIST_COST = 10;
/** A list that is made: so much for each item of it, and for the list. */
const made = (size: Range, factor: number, items = size): CallCost => ({
  cost: plus(scaled(items, factor), fixed(LIST_COST + 1)),
  size,
});

/** By keys of a type. */
function sorted(list: Operand | undefined, type: string | undefined): CallCost {
  const size = sizeOf(list);
  return made(times(size, size), type === 'string' || type === 'bytes' ? 2 + TRAVERSAL : 2);
}

const slice: Estimate = ([list, from, to]) => {
  const end = to?.literal === undefined ? sizeOf(list).max : Number(to.literal);
  return made(fixed(Math.max(0, end - Number(from?.literal ?? 0n))), 1);
};

const range: Estimate = ([, count]) => {
  return made(fixed(count?.literal === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(count.literal))), 1);
};

const flatten: Estimate = ([list, depth]) => made(sizeOf(list), depth === undefined ? 1 : Number(depth.literal ?? 0n));

/** By name; anything else costs one. */
const ESTIMATES: Record<string, Estimate> = {
  ...Object.fromEntries(
    ['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name) => [name, perItem] as const),
  ),
  ...Object.fromEntries(['lowerAscii', 'upperAscii', 'substring', 'trim'].map((name) => [name, shortened] as const)),
  ...Object.fromEntries(
    ['url', 'isURL', 'cidr', 'isCIDR', 'isIP', 'quantity', 'isQuantity', 'semver', 'isSemver'].map(
      (name) => [name, ofFirst] as const,
    ),
  ),
  check: () => ({ cost: fixed(350_000) }),
  type: () => ({ cost: fixed(1), size: fixed(1) }),
  sort: ([list]) => sorted(list, list?.items?.type),
  sortBy: ([list, , key]) => sorted(list, key?.type),
  distinct: ([list]) => made(times(sizeOf(list), sizeOf(list)), 2),
  reverse: ([list]) => (list?.type.startsWith('list') === true ? made(sizeOf(list), 1) : undefined),
  slice,
  range,
  flatten,
  ip: (operands) => (operands[0]?.type === 'string' ? ofFirst(operands) : constant(operands)),
  isCanonical: ([, text]) => ({ cost: traversal(sizeOf(text), 2) }),
  replace,
  split,
  join,
  find,
  findAll: find,
  containsIP: withinNetwork(ZERO),
  containsCIDR: withinNetwork(plus(traversal(ADDRESS), fixed(1))),
  format: ofFirst,
  validate: ([, text]) => ({ cost: scaled(traversal(sizeOf(text)), FORMAT_PATTERN * PATTERN) }),
  quote: ([, text]) => ({ cost: fixed(1), size: scaled(sizeOf(text), 2) }),
  bytes: ([text]) => ({ cost: traversal(sizeOf(text)), size: { min: sizeOf(text).min, max: sizeOf(text).max * 4 } }),
  string: toText,
  startsWith: ofSecond,
  endsWith: ofSecond,
  matches: ([text, pattern]) => ({ cost: matching(text, pattern) }),
  contains: ([text, part]) => ({ cost: times(traversal(sizeOf(text)), traversal(sizeOf(part))) }),
};

const SETS: Record<string, Estimate> = { contains: sets(1), intersects: sets(1), equivalent: sets(2) };

/** The cost of a function or method; of a method the first operand is what it is called on, of a namespace's that. */
export function callCost(called: string, operands: readonly Operand[]): CallCost {
  const name = written(called);
  const table = operands[0]?.type === 'Sets' ? SETS : ESTIMATES;
  return (Object.hasOwn(table, name) ? table[name]?.(operands) : undefined) ?? { cost: fixed(1) };
}

/** The cost of an operator between two values. */
export function operatorCost(operator: string, left: Operand, right: Operand): CallCost {
  const isText = [left.type, right.type].every((type) => type === 'string' || type === 'bytes' || type === 'dyn');
  switch (operator) {
    case '+':
      return addition(left, right, isText);
    case 'in':
      return { cost: right.type.startsWith('map') ? fixed(1) : right.size };
    case '==':
    case '!=':
      return { cost: isOpaque(left) && left.type === right.type ? fixed(1) : comparison(left, right) };
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { cost: isText ? comparison(left, right) : fixed(1) };
    default:
      return { cost: fixed(1) };
  }
}

/** What is compared without being looked through. */
const isOpaque = ({ type }: Operand): boolean => /^(?:net|kubernetes)\./.test(type);

function addition(left: Operand, right: Operand, isText: boolean): CallCost {
  const size = plus(left.size, right.size);
  if (isText) return { cost: traversal(size), size };
  const isList = left.type.startsWith('list') || right.type.startsWith('list');
  return isList ? { cost: fixed(1), size } : { cost: fixed(1) };
}

/** What is compared is no longer than the shorter. */
function comparison(left: Operand, right: Operand): Range {
  const max = Math.min(left.size.max, right.size.max);
  return traversal({ min: max > 0 ? 1 : 0, max });
}
