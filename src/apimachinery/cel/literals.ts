/** What can be told to fail without being evaluated: conversions of constants, patterns, and texts with values that do not fit. */
import { compilePattern, patternProblem } from '../structural/regex.ts';
import { CLAUSES, eachClause } from './format-text.ts';
import { written } from './libraries/replaced.ts';
import type { Node } from './nodes.ts';

/** What is wrong, and where; `internal` when it is found when the program is made, after the checks. */
interface LiteralProblem {
  words: string;
  node: Node;
  /** Where, when it is not where the node begins. */
  at?: number;
  internal?: true;
}

const CONVERSIONS = ['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'uint'];
const CHECKED = ['duration', 'timestamp'];
const PATTERNS = ['matches', 'find', 'findAll'];

const isLiteral = (node: Node): boolean =>
  node.op === 'value' || (node.op === '-_' && (node.args as Node).op === 'value');

/** What upstream works out when it makes a program: literals, lists and maps of such, and conversions of them. */
function isConstant(node: Node): boolean {
  if (isLiteral(node)) return true;
  if (node.op === 'list') return (node.args as Node[]).every(isConstant);
  if (node.op === 'map') return (node.args as [Node, Node][]).every((pair) => pair.every(isConstant));
  return node.op === 'call' && isConversion(node);
}

function isConversion({ args }: Node): boolean {
  const [name, operands] = args as [string, Node[]];
  return CONVERSIONS.includes(written(name)) && operands.length === 1 && isConstant(operands[0] as Node);
}

/** The problem of a call of constants, which `evaluate` works out; undefined of any other. */
export function literalProblem(node: Node, evaluate: (constant: Node) => unknown): LiteralProblem | undefined {
  if (!Array.isArray(node.args)) return undefined;
  if (node.op === 'rcall') return methodProblem(node, evaluate);
  if (node.op !== 'call') return undefined;
  const name = written(String(node.args[0]));
  const [value, ...more] = node.args[1] as Node[];
  if (name === 'matches' && more[0] !== undefined) return patternOf(more[0], node, evaluate);
  if (value === undefined || !isConversion(node)) return undefined;
  try {
    evaluate(node);
    return undefined;
  } catch (error) {
    if (CHECKED.includes(name) && isLiteral(value)) return { words: `invalid ${name} argument`, node: value };
    // What is within is told of itself.
    if (!isLiteral(value) && fails(value, evaluate)) return undefined;
    return { words: failureText(name, error as { summary?: string; message: string }), node, internal: true };
  }
}

function fails(node: Node, evaluate: (constant: Node) => unknown): boolean {
  try {
    evaluate(node);
    return false;
  } catch {
    return true;
  }
}

function failureText(name: string, { summary, message }: { summary?: string; message: string }): string {
  const words = summary ?? message.split('\n', 1)[0] ?? '';
  const type = /^found no matching overload for '\w+\(([\w.]+)/.exec(words)?.[1];
  return type === undefined ? words : `no such overload: ${name}(${type === 'null' ? 'null_type' : type})`;
}

function methodProblem(node: Node, evaluate: (constant: Node) => unknown): LiteralProblem | undefined {
  const [called, receiver, [first]] = node.args as [string, Node, Node[]];
  const name = written(called);
  if (first === undefined) return undefined;
  if (name === 'matches' && first.op === 'value' && typeof first.args === 'string') {
    return compilePattern(first.args) === undefined ? { words: 'invalid matches argument', node: first } : undefined;
  }
  if (PATTERNS.includes(name)) return patternOf(first, node, evaluate);
  const isFormat = name === 'format' && receiver.op === 'value' && typeof receiver.args === 'string';
  return isFormat && first.op === 'list' ? formatProblem(node, receiver, first.args as Node[]) : undefined;
}

function patternOf(pattern: Node, node: Node, evaluate: (constant: Node) => unknown): LiteralProblem | undefined {
  if (!isConstant(pattern) || fails(pattern, evaluate)) return undefined;
  const text = evaluate(pattern);
  const words = typeof text === 'string' ? patternProblem(text) : undefined;
  return words === undefined ? undefined : { words, node, internal: true };
}

/** The name of a type without its parameters, as cel-go says it. */
function typeName({ checkedType: type }: Node): string {
  if (type?.kind === 'list' || type?.kind === 'map') return type.kind;
  if (type?.kind === 'optional') return 'optional_type';
  return type?.name === 'null' ? 'null_type' : (type?.name ?? 'dyn');
}

/** The first part of a value that a clause does not take. */
function misfit(verb: string, value: Node): Node | undefined {
  const isOpen = ['dyn', 'param'].includes(value.checkedType?.kind ?? 'dyn');
  if (!isOpen && !(CLAUSES[verb]?.takes.includes(typeName(value)) ?? false)) return value;
  if (verb !== 's') return undefined;
  const parts =
    value.op === 'list' ? (value.args as Node[]) : value.op === 'map' ? (value.args as Node[][]).flat() : [];
  for (const part of parts) {
    const found = misfit(verb, part);
    if (found !== undefined) return found;
  }
  return undefined;
}

function formatProblem(node: Node, receiver: Node, values: readonly Node[]): LiteralProblem | undefined {
  // Of a method cel-go gives the place of its bracket.
  const at = (receiver.end ?? 0) + '.format'.length;
  let count = 0;
  let odd: { node: Node; words: string } | undefined;
  try {
    eachClause(
      String(receiver.args),
      values.length,
      (verb, _, index) => {
        count = index + 1;
        const part = misfit(verb.toLowerCase(), values[index] as Node);
        const words = `error during formatting: ${CLAUSES[verb.toLowerCase()]?.words}, was given`;
        if (part !== undefined) odd ??= { node: part, words: `${words} ${typeName(part)}` };
        return '';
      },
      'written',
    );
  } catch (error) {
    if (odd === undefined) return { words: (error as Error).message, node, at };
  }
  if (odd !== undefined) return odd;
  if (count === values.length) return undefined;
  const words = `too many arguments supplied to string.format (expected ${count}, got ${values.length})`;
  return { words, node, at };
}
