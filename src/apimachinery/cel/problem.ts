/** What is wrong with an expression, in the words and with the place that cel-go gives. */
import { written } from './libraries/replaced.ts';
import type { Node } from './nodes.ts';
import { syntaxProblem } from './syntax.ts';

/** An error of the base library, or one of ours that looks like it. */
interface Located {
  name?: string;
  code?: string;
  summary?: string;
  message?: string;
  node?: Node;
}

/** A problem before it is written out. */
export interface Problem {
  words: string;
  /** Index into the expression. */
  at: number;
}

const OPERATORS: Record<string, string> = { '!': '!_', '-': '-_', in: '@in', '?:': '_?_:_' };

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
  [/^Cannot index type '(.+)'$/, ([, type = '']) => `type '${typeText(type)}' does not support field selection`],
  [
    /^no such overload: ([!-])([\w<>., ]+)$/,
    ([, operator = '', type = '']) => overload(OPERATORS[operator] ?? operator, `(${typeText(type)})`),
  ],
  [
    /^no such overload: (.+) (\S+) (.+)$/,
    ([, left = '', operator = '', right = '']) =>
      overload(OPERATORS[operator] ?? `_${operator}_`, `(${typeText(left)}, ${typeText(right)})`),
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
    .replaceAll('google.protobuf.Duration', 'duration')
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('optional<', 'optional_type(')
    .replaceAll('<', '(')
    .replaceAll('>', ')');
}

function wordsOf(summary: string, node: Node | undefined, knows: (name: string) => boolean): string {
  const nodes = Array.isArray(node?.args) ? (node.args as Node[]) : [];
  const name = node?.op === 'call' || node?.op === 'rcall' ? String(Array.isArray(node.args) ? node.args[0] : '') : '';
  if (name !== '' && summary.startsWith('found no matching overload') && !knows(name)) return undeclared(written(name));
  if (node?.op === '?:' || node?.op === '&&' || node?.op === '||') {
    const types = nodes.map(({ checkedType }) => typeText(checkedType?.name ?? 'dyn')).join(', ');
    return overload(OPERATORS[node.op] ?? `_${node.op}_`, `(${types})`);
  }
  for (const [pattern, text] of WORDS) {
    const match = pattern.exec(summary);
    if (match !== null) return text(match);
  }
  return summary;
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

/** What the base library's parser refuses that can be read. */
const NO_SYNTAX = ['invalid_macro_argument', 'reserved_identifier', 'limit_exceeded'];

/** The problem that an error of the base library is; `knows` tells names of functions. */
export function problemOf(error: unknown, expression: string, knows: (name: string) => boolean): Problem {
  const { name, code, summary, message = '', node } = error as Located;
  const words = summary ?? message.split('\n', 1)[0] ?? '';
  if (name === 'ParseError' && !NO_SYNTAX.includes(code ?? '') && !words.startsWith('has()')) {
    const { words: said, at } = syntaxProblem(expression, node?.pos ?? 0);
    return { words: said, at };
  }
  return { words: wordsOf(words, node, knows), at: placeOf(node, expression) };
}

/** `ERROR: <input>:1:3: found no matching overload …`, with the line and a mark under the place. */
function text({ words, at }: Problem, expression: string): string {
  if (expression === '') return `ERROR: <input>:1:0: ${words}`;
  const before = expression.slice(0, at);
  const line = before.split('\n').length;
  const column = at - (before.lastIndexOf('\n') + 1);
  const shown = expression.split('\n')[line - 1] ?? '';
  return `ERROR: <input>:${line}:${column + 1}: ${words}\n | ${shown}\n | ${'.'.repeat(column)}^`;
}

/** All problems, in the order in which they stand. */
export function problemText(problems: readonly Problem[], expression: string): string {
  return [...problems]
    .sort((a, b) => a.at - b.at)
    .map((problem) => text(problem, expression))
    .join('\n');
}
