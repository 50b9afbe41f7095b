/** JSONPath as printed columns use it (`k8s.io/client-go/util/jsonpath`, without templates around it): `.status.conditions[?(@.type=="Ready")].status`. */
import type { Json } from './meta.ts';

type Step =
  | { do: 'field'; name: string }
  | { do: 'all' }
  | { do: 'descend' }
  | { do: 'slice'; from: number | undefined; to: number | undefined; step: number }
  | { do: 'index'; index: number }
  | { do: 'filter'; left: Step[]; operator: string; right: Json | Step[] };

/** A path taken apart, ready to be asked of many objects. */
export interface JsonPath {
  steps: Step[];
}

/** Takes a path apart. Throws an Error that says where it cannot be read. */
export function parseJsonPath(path: string): JsonPath {
  const steps: Step[] = [];
  let rest = path.trim();
  while (rest !== '') {
    const [step, length] = nextStep(rest);
    if (step !== undefined) steps.push(step);
    rest = rest.slice(length);
  }
  return { steps };
}

function nextStep(rest: string): [Step | undefined, number] {
  if (rest.startsWith('..')) return [{ do: 'descend' }, rest[2] === '[' ? 2 : 1];
  const field = /^\.((?:[^.[\]\\\s]|\\.)+)/.exec(rest);
  if (field !== null) {
    const name = (field[1] as string).replaceAll(/\\(.)/g, '$1');
    return [name === '*' ? { do: 'all' } : { do: 'field', name }, field[0].length];
  }
  if (/^\.(?=\[|$)/.test(rest)) return [undefined, 1];
  if (rest.startsWith('[')) {
    const end = closing(rest);
    return [bracket(rest.slice(1, end).trim()), end + 1];
  }
  throw new Error(`expected [ or . but got: ${rest}`);
}

/** Where the bracket at the start ends; brackets within texts and within filters do not count. */
function closing(text: string): number {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (quote !== '') {
      if (character === '\\') i++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '[') depth++;
    else if (character === ']' && --depth === 0) return i;
  }
  throw new Error('unterminated array');
}

function bracket(inside: string): Step {
  if (inside === '*') return { do: 'all' };
  const quoted = /^(['"])(.*)\1$/s.exec(inside);
  if (quoted !== null) return { do: 'field', name: (quoted[2] as string).replaceAll(/\\(.)/g, '$1') };
  if (/^-?\d+$/.test(inside)) return { do: 'index', index: Number(inside) };
  const slice = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(inside);
  if (slice !== null) {
    const [, from = '', to = '', step = '1'] = slice;
    const number = (text: string): number | undefined => (text === '' ? undefined : Number(text));
    return { do: 'slice', from: number(from), to: number(to), step: Math.max(1, Number(step)) };
  }
  const filter = /^\?\((.*)\)$/s.exec(inside);
  if (filter !== null) return filterOf((filter[1] as string).trim());
  throw new Error(`invalid array index ${inside}`);
}

function filterOf(text: string): Step {
  const match = /^(@[^=!<>]*?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(text);
  if (match === null) return { do: 'filter', left: operandPath(text), operator: 'exists', right: null };
  const [, left = '', operator = '', right = ''] = match;
  return { do: 'filter', left: operandPath(left), operator, right: operand(right.trim()) };
}

function operandPath(text: string): Step[] {
  if (!text.startsWith('@')) throw new Error(`unrecognized filter ${text}`);
  return parseJsonPath(text.slice(1)).steps;
}

function operand(text: string): Json | Step[] {
  if (text.startsWith('@')) return operandPath(text);
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted !== null) return quoted[2] as string;
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  if (Number.isNaN(number)) throw new Error(`unrecognized operand ${text}`);
  return number;
}

/** All values that a path leads to, in order; none where it leads nowhere. */
export function findAll(root: Json, path: JsonPath): Json[] {
  return walk([root], path.steps);
}

function walk(from: Json[], steps: readonly Step[]): Json[] {
  let values = from;
  for (const step of steps) values = values.flatMap((value) => take(value, step));
  return values;
}

function take(value: Json, step: Step): Json[] {
  switch (step.do) {
    case 'field':
      return isMap(value) && Object.hasOwn(value, step.name) ? [value[step.name] as Json] : [];
    case 'all':
      return Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
    case 'descend':
      return [value, ...take(value, { do: 'all' }).flatMap((inner) => take(inner, step))];
    case 'index':
      return Array.isArray(value) ? value.slice(...single(step.index)) : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to).filter((_, i) => i % step.step === 0) : [];
    case 'filter':
      return Array.isArray(value) ? value.filter((item) => holds(item, step)) : [];
  }
}

const single = (index: number): [number, number | undefined] => [index, index === -1 ? undefined : index + 1];

function holds(item: Json, { left, operator, right }: Extract<Step, { do: 'filter' }>): boolean {
  const [a] = walk([item], left);
  if (operator === 'exists') return a !== undefined;
  const [b] = isSteps(right) ? walk([item], right) : [right];
  if (a === undefined || b === undefined) return false;
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false;
  const order = a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0;
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0;
}

/** An operand is a path or a plain value: never a list. */
const isSteps = (operand: Json | Step[]): operand is Step[] => Array.isArray(operand);

const isMap = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
