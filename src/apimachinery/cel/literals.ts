/** What can be told to fail without being evaluated: conversions of what is written there, and texts with values that do not fit. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { compilePattern } from '../structural/regex.ts';
import { written } from './libraries/replaced.ts';
import type { Node } from './nodes.ts';

/** What is wrong, and where; `internal` when it is found when the program is made, after the checks. */
interface LiteralProblem {
  words: string;
  node: Node;
  internal?: true;
}

const CONVERSIONS = ['bool', 'int', 'uint', 'double'];
const CHECKED = ['duration', 'timestamp'];

const isLiteral = (node: Node | undefined): boolean =>
  node?.op === 'value' || (node?.op === '-_' && (node.args as Node).op === 'value');

/** The problem of a call of literals; undefined of any other. */
export function literalProblem(node: Node, expression: string, environment: Environment): LiteralProblem | undefined {
  if ((node.op !== 'call' && node.op !== 'rcall') || !Array.isArray(node.args)) return undefined;
  const name = written(String(node.args[0]));
  if (node.op === 'rcall') return methodProblem(name, node.args[1] as Node, node.args[2] as Node[]);
  const [value, ...more] = node.args[1] as Node[];
  if (value === undefined || more.length > 0 || !isLiteral(value)) return undefined;
  const isChecked = CHECKED.includes(name) && value.checkedType?.name === 'string';
  if (!isChecked && !CONVERSIONS.includes(name)) return undefined;
  try {
    const result: unknown = environment.evaluate(expression.slice(node.pos, node.end));
    if (typeof result !== 'bigint' || BigInt.asIntN(64, result) === result) return undefined;
    return { words: 'integer overflow', node, internal: true };
  } catch (error) {
    if (isChecked) return { words: `invalid ${name} argument`, node: value };
    const summary = String((error as { summary?: string }).summary);
    return { words: conversionText(name, value, summary), node, internal: true };
  }
}

function conversionText(name: string, value: Node, summary: string): string {
  if (value.checkedType?.name === 'string') {
    if (name === 'bool') return "type conversion error from 'string' to 'bool'";
    const parser = { int: 'ParseInt', uint: 'ParseUint', double: 'ParseFloat' }[name];
    return `strconv.${parser}: parsing ${JSON.stringify(value.args)}: invalid syntax`;
  }
  if (name === 'uint') return 'unsigned integer overflow';
  return name === 'int' ? 'integer overflow' : summary;
}

function methodProblem(name: string, receiver: Node, args: readonly Node[]): LiteralProblem | undefined {
  const [first] = args;
  if (first === undefined) return undefined;
  if (name === 'matches' && first.op === 'value' && typeof first.args === 'string') {
    return compilePattern(first.args) === undefined ? { words: 'invalid matches argument', node: first } : undefined;
  }
  const isFormat = name === 'format' && receiver.op === 'value' && typeof receiver.args === 'string';
  return isFormat && first.op === 'list' ? formatProblem(receiver, first.args as Node[]) : undefined;
}

/** What each clause takes, and what cel-go says of anything else. */
const CLAUSES: Record<string, { takes: readonly string[]; words: string }> = {
  d: { takes: ['int', 'uint', 'double'], words: 'decimal clause can only be used on integers' },
  b: { takes: ['int', 'uint', 'bool'], words: 'only integers and bools can be formatted as binary' },
  o: { takes: ['int', 'uint'], words: 'octal clause can only be used on integers' },
  x: {
    takes: ['int', 'uint', 'string', 'bytes'],
    words: 'only integers, byte buffers, and strings can be formatted as hex',
  },
  f: { takes: ['double', 'int', 'uint'], words: 'fixed-point clause can only be used on doubles' },
  e: { takes: ['double', 'int', 'uint'], words: 'scientific clause can only be used on doubles' },
};

function formatProblem(receiver: Node, values: readonly Node[]): LiteralProblem | undefined {
  let next = 0;
  for (const [whole, verb = ''] of String(receiver.args).matchAll(/%(?:%|(?:\.\d+)?(.))/gs)) {
    if (whole === '%%') continue;
    const value = values[next++];
    if (value === undefined) return { words: `index ${next - 1} out of range`, node: receiver };
    const clause = CLAUSES[verb.toLowerCase()];
    const type = value.checkedType;
    if (clause === undefined || type === undefined || type.kind !== 'primitive' || clause.takes.includes(type.name))
      continue;
    return { words: `error during formatting: ${clause.words}, was given ${type.name}`, node: value };
  }
  if (next === values.length) return undefined;
  const words = `too many arguments supplied to string.format (expected ${next}, got ${values.length})`;
  return { words, node: receiver };
}
