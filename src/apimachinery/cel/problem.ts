/** What is wrong with an expression, in the words and with the place that cel-go gives. */
import type { Node } from './nodes.ts';

interface Located {
  summary?: string;
  message?: string;
  node?: { pos?: number; op?: string } | Node;
}

const OPERATORS: Record<string, string> = { '!': '!_', '-': '-_', in: '@in', '?:': '_?_:_' };

/** The base library's words made into cel-go's. */
const WORDS: readonly [pattern: RegExp, text: (match: RegExpExecArray) => string][] = [
  [/^Unknown variable: (.+)$/, ([, name]) => `undeclared reference to '${name}' (in container '')`],
  [/^No such key: (.+)$/, ([, name]) => `undefined field '${name}'`],
  [
    /^no such overload: ([!-])([\w<>., ]+)$/,
    ([, operator = '', type]) => overload(OPERATORS[operator] ?? operator, `(${type})`),
  ],
  [
    /^no such overload: (.+) (\S+) (.+)$/,
    ([, left, operator = '', right]) => overload(OPERATORS[operator] ?? `_${operator}_`, `(${left}, ${right})`),
  ],
  [
    /^found no matching overload for '(?:([\w.<>, ]+)\.)?(\w+)(\(.*\))'$/,
    ([, receiver, name = '', types = '']) => overload(name, receiver === undefined ? types : `${receiver}.${types}`),
  ],
];

const overload = (name: string, types: string): string =>
  `found no matching overload for '${name}' applied to '${types}'`;

function wordsOf(summary: string): string {
  for (const [pattern, text] of WORDS) {
    const match = pattern.exec(summary);
    if (match !== null) return text(match);
  }
  return summary;
}

/** Where cel-go says that a node is: a field at its dot. */
function placeOf(node: Located['node'], expression: string): number {
  const position = node?.pos ?? 0;
  if (node?.op === '.' || node?.op === '.?') return Math.max(0, expression.lastIndexOf('.', position));
  return position;
}

/** `ERROR: <input>:1:3: found no matching overload …`, with the line and a mark under the place. */
export function problemOf(error: unknown, expression: string): string {
  const { summary, message = '', node } = error as Located;
  const words = wordsOf(summary ?? message.split('\n', 1)[0] ?? '');
  const position = placeOf(node, expression);
  const before = expression.slice(0, position);
  const line = before.split('\n').length;
  const column = position - (before.lastIndexOf('\n') + 1);
  const text = expression.split('\n')[line - 1] ?? '';
  return `ERROR: <input>:${line}:${column + 1}: ${words}\n | ${text}\n | ${'.'.repeat(column)}^`;
}
