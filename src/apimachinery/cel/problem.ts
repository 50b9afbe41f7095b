/** What is wrong with an expression, in the words and with the place that cel-go gives. */
import { written } from './libraries/replaced.ts';
import type { Node } from './nodes.ts';

/** An error of the base library, or one of ours that looks like it. */
interface Located {
  summary?: string;
  message?: string;
  node?: Node;
}

/** Nodes in which a problem was found: what is around them takes them for anything. */
type Wrong = ReadonlySet<Node>;

/** A problem before it is written out. */
export interface Problem {
  words: string;
  /** Index into the expression. */
  at: number;
}

const OPERATORS: Record<string, string> = { in: '@in', '?:': '_?_:_', '[]': '_[_]', '[?]': '_[?_]' };
/** What makes other expressions of them: no functions, however they are called. */
const MACROS = ['has', 'all', 'exists', 'exists_one', 'existsOne', 'map', 'filter', 'bind'];

/** The base library's words made into cel-go's. */
const WORDS: readonly [pattern: RegExp, text: (match: RegExpExecArray) => string][] = [
  [/^Unknown variable: (.+)$/, ([, name]) => undeclared(name)],
  [/^No such key: (.+)$/, ([, name]) => `undefined field '${name}'`],
  [
    /^expected type '(.+)' but found '(.+)'$/,
    ([, a = '', b = '']) => `expected type '${typeText(a)}' but found '${typeText(b)}'`,
  ],
  [/^Reserved identifier: (.+)$/, ([, name]) => `reserved identifier: ${name}`],
  [/^has\(\) invalid argument$/, () => 'invalid argument to has() macro'],
  [/^Cannot index type '(kubernetes\..+)'$/, ([, type = '']) => `unexpected failed resolution of '${type}'`],
  [/^Cannot index type '(.+)'$/, ([, type = '']) => `type '${typeText(type)}' does not support field selection`],
  [
    /^no such overload: ([!-])([\w<>., ]+)$/,
    ([, operator = '', type = '']) => overload(`${operator}_`, `(${typeText(type)})`),
  ],
  [
    /^no such overload: (.+) (\S+) (.+)$/,
    ([, left = '', operator = '', right = '']) =>
      overload(OPERATORS[operator] ?? `_${operator}_`, `(${typeText(left)}, ${typeText(right)})`),
  ],
  [
    /^found no matching overload for '(.+)' applied to '(.+)'$/,
    ([, name = '', types = '']) => overload(name, typeText(types)),
  ],
  [
    /^found no matching overload for '(?:([\w.<>, ]+)\.)?(\w+)\((.*)\)'$/,
    ([, receiver, name = '', types = '']) =>
      overload(written(name), `${receiver === undefined ? '' : `${typeText(receiver)}.`}(${typeText(types)})`),
  ],
];

const undeclared = (name = ''): string => `undeclared reference to '${name}' (in container '')`;
const overload = (name: string, types: string): string =>
  `found no matching overload for '${name}' applied to '${types}'`;

/** `list(dyn)` for the base library's `list<dyn>`. */
export function typeText(type: string): string {
  return type
    .replaceAll(/\b[A-Z]\b/g, 'dyn')
    .replaceAll('google.protobuf.Duration', 'duration')
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('optional<', 'optional_type(')
    .replaceAll('<', '(')
    .replaceAll('>', ')');
}

/** A method that does not take what it is called with; a namespace belongs to the name. */
function methodText({ args }: Node): string {
  const [name, receiver, operands] = args as [string, Node, Node[]];
  const types = operands.map(({ checkedType }) => checkedType?.name ?? 'dyn').join(', ');
  const type = receiver.checkedType?.name ?? 'dyn';
  if (isNamespace(type)) return overload(`${String(receiver.args)}.${written(name)}`, `(${typeText(types)})`);
  return overload(written(name), `${typeText(type)}.(${typeText(types)})`);
}

/** The base library's name for what stands only before functions. */
const isNamespace = (type: string): boolean => /^(?:Lists|Sets|Strings|\w+Namespace)$/.test(type);

function wordsOf(summary: string, node: Node | undefined, knows: (name: string) => boolean, wrong: Wrong): string {
  const nodes = Array.isArray(node?.args) ? (node.args as Node[]) : [];
  const name = node?.op === 'call' || node?.op === 'rcall' ? String(Array.isArray(node.args) ? node.args[0] : '') : '';
  const receiver = node?.op === 'rcall' ? (nodes[1] as Node) : undefined;
  const isNoOverload = summary.startsWith('found no matching overload') && !summary.includes('applied to');
  if (name !== '' && isNoOverload && (!knows(name) || MACROS.includes(name))) {
    const isMember = receiver !== undefined && isNamespace(receiver.checkedType?.name ?? '');
    return undeclared(isMember ? `${String(receiver.args)}.${written(name)}` : written(name));
  }
  if (node?.op === 'rcall' && isNoOverload) return methodText(node);
  const isOperator = summary.startsWith('no such overload') && nodes.length === 2;
  if (node?.op === '?:' || isOperator || (node?.op === '[]' && summary.startsWith('Cannot index'))) {
    const types = nodes.map((part) => (wrong.has(part) ? '!error!' : typeText(part.checkedType?.name ?? 'dyn')));
    return overload(OPERATORS[node?.op ?? ''] ?? `_${node?.op}_`, `(${types.join(', ')})`);
  }
  for (const [pattern, text] of WORDS) {
    const match = pattern.exec(summary);
    if (match !== null) return text(match);
  }
  return summary;
}

/** Of an operator of logic each side that is none of `bool` is told by itself. */
function sideProblems(node: Node, expression: string): Problem[] {
  return (node.args as Node[])
    .filter(({ checkedType }) => checkedType?.name !== 'bool' && checkedType?.kind !== 'dyn')
    .map((side) => ({
      words: `expected type 'bool' but found '${typeText(side.checkedType?.name ?? 'dyn')}'`,
      at: placeOf(side, expression),
    }));
}

/** Where cel-go says that a node is: an operator where it stands, a call at its bracket, a field at its dot. */
function placeOf(node: Node | undefined, expression: string): number {
  const position = node?.pos ?? 0;
  if (node === undefined || !Array.isArray(node.args)) return position;
  const [first, second] = node.args as [unknown, unknown];
  const after = (sign: string, from: unknown): number => {
    const found = expression.indexOf(sign, typeof from === 'number' ? from : position);
    return found < 0 ? position : found;
  };
  const endOf = (part: unknown): number | undefined => (part as Node | undefined)?.end;
  switch (node.op) {
    case '.':
    case '.?':
      return Math.max(0, expression.lastIndexOf('.', position));
    case 'call':
      return after('(', position);
    case 'rcall':
      return after('(', endOf(second));
    case '[]':
    case '[?]':
      return after('[', endOf(first));
    case '?:':
      return after('?', endOf(first));
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case 'comprehension':
      return position;
    default:
      return after(node.op, endOf(first));
  }
}

/** The problems that an error of the base library stands for; `knows` tells names of functions. */
export function problemsOf(
  error: unknown,
  expression: string,
  knows: (name: string) => boolean,
  wrong: Wrong = new Set(),
): Problem[] {
  const { summary, message = '', node } = error as Located;
  const words = summary ?? message.split('\n', 1)[0] ?? '';
  if (node?.op === '&&' || node?.op === '||') return sideProblems(node, expression);
  return [{ words: wordsOf(words, node, knows, wrong), at: placeOf(node, expression) }];
}

/** `ERROR: <input>:1:3: found no matching overload …`, with the line and a mark under the place. */
function text({ words, at }: Problem, expression: string): string {
  if (expression === '') return `ERROR: <input>:1:0: ${words}`;
  const before = expression.slice(0, at);
  const line = before.split('\n').length;
  const passed = [...before.slice(before.lastIndexOf('\n') + 1)];
  const shown = (expression.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
  const marks = passed.map((character) => (isWide(character) ? '\uff0e' : '.')).join('');
  const [marked = ''] = expression.slice(at);
  return `ERROR: <input>:${line}:${passed.length + 1}: ${words}\n | ${shown}\n | ${marks}${isWide(marked) ? '\uff3e' : '^'}`;
}

const isWide = (character: string): boolean => character > '\x7f';

/** All problems, in the order in which they stand. */
export function problemText(problems: readonly Problem[], expression: string): string {
  return [...problems]
    .sort((a, b) => a.at - b.at)
    .map((problem) => text(problem, expression))
    .join('\n');
}
