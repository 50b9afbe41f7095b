/** Why an evaluation failed, in cel-go's words: the base library's own are made into them. */
import { written } from './libraries/replaced.ts';

const GO_NAMES: Record<string, string> = {
  string: 'String',
  int: 'Int',
  uint: 'Uint',
  double: 'Double',
  bool: 'Bool',
  bytes: 'Bytes',
  null: 'Null',
};
/** Methods that cel-go leaves to the value that they are called on. */
const OWN =
  /^(?:startsWith|endsWith|contains|matches|get(?:FullYear|Month|Date|DayOf\w+|Hours|Minutes|Seconds|Milliseconds))$/;

const plain = (type: string): string => type.replace(/<.*$/, '').replace(/^null$/, 'null_type');

function overload(receiver: string | undefined, called: string, types: string): string {
  const name = written(called);
  if (receiver !== undefined && OWN.test(name)) return 'no such overload';
  if (name === 'size') return 'no such overload: size';
  const operands = types.replaceAll(/<[^()]*>/g, '').split(', ');
  const all = [...(receiver === undefined ? [] : [receiver]), ...operands].filter((type) => type !== '').map(plain);
  return `no such overload: ${name}(${all.join(', ')})`;
}

const WORDS: readonly [pattern: RegExp, text: (match: RegExpExecArray) => string][] = [
  [/^No such key: (.+)$/, ([, key]) => `no such key: ${key}`],
  [/must (?:return bool|be bool)|requires bool operands/, () => 'no such overload'],
  [/^Optional value is not present/, () => 'optional.none() dereference'],
  [
    /^Expression of type '(\w+).*' cannot be range of a comprehension/,
    ([, type = '']) => `got 'types.${GO_NAMES[type] ?? type}', expected iterable type`,
  ],
  [
    /^found no matching overload for '(?:([\w.]+?(?:<.*>)?)\.)?(\w+)\((.*)\)'/,
    ([, receiver, name = '', types = '']) => overload(receiver, name, types),
  ],
];

/** Why an evaluation failed, in one line. */
export function failureOf(error: unknown): string {
  const { summary, message = String(error) } = error as { summary?: string; message?: string };
  const words = summary ?? message.split('\n', 1)[0] ?? '';
  for (const [pattern, text] of WORDS) {
    const match = pattern.exec(words);
    if (match !== null) return text(match);
  }
  return words;
}
