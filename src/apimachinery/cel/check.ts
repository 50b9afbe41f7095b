/** Expressions read and checked: what the base library finds, and what cel-go and Kubernetes find beside it. */
import { type Environment, parse } from '@marcbachmann/cel-js/evaluator';
import { literalProblem } from './literals.ts';
import { type Node, type NodeType, visit } from './nodes.ts';
import { type Problem, problemsOf, problemText } from './problem.ts';
import type { Source } from './source.ts';
import { syntaxProblems } from './syntax/recognizer.ts';

/** An expression in which nothing is wrong. */
export interface Checked {
  /** The value for these variables. */
  run(variables: Record<string, unknown>): unknown;
  root: Node;
  type: string;
}

/** What is wrong with an expression; `internal` is what is not found before a program is made of it. */
export interface Unfit {
  problem: string;
  internal?: true;
}

/** How many problems are told at once (`maxErrorsToReport`). */
const MOST_PROBLEMS = 100;

/** Reads and checks an expression; `prepare` sees each node before it is checked. */
export function check(source: Source, environment: Environment, prepare: (node: Node) => void): Checked | Unfit {
  const expression = source.text;
  const known = (name: string): boolean => environment.getDefinitions().functions.some((one) => one.name === name);
  const problems: Problem[] = [];
  const wrong = new Set<Node>();
  try {
    const parsed = environment.parse(expression);
    const root = parsed.ast as unknown as Node;
    visit(root, prepare);
    while (problems.length < MOST_PROBLEMS) {
      const { valid, type = 'dyn', error } = parsed.check();
      if (valid) {
        problems.push(...ownProblems(root, expression, known));
        if (problems.length > 0) break;
        const literals = literalProblems(root, expression, environment);
        problems.push(...literals.filter(({ internal }) => internal !== true));
        if (problems.length > 0) break;
        const [first] = literals;
        if (first !== undefined) return { problem: first.words, internal: true };
        return { run: (variables) => parsed(variables), root, type };
      }
      problems.push(...problemsOf(error, expression, known, wrong));
      const { node } = error as { node?: Node };
      if (node === undefined || wrong.has(node)) break;
      // Whatever it were, the rest is looked at as well.
      wrong.add(node);
      node.checkedType = anyType();
    }
  } catch (error) {
    const unread = syntaxProblems(source.written);
    if (unread.length > 0) return { problem: problemText(unread, source.written) };
    // What only the base library cannot read is told in its own words.
    problems.push(...problemsOf(error, expression, known));
  }
  const once = new Map(problems.map((problem) => [`${problem.at} ${problem.words}`, problem]));
  const written = [...once.values()].map((problem) => ({ ...problem, at: source.at(problem.at) }));
  return { problem: problemText(written, source.written) };
}

let any: NodeType | undefined;

/** The base library's type of what can be anything. */
function anyType(): NodeType {
  if (any === undefined) {
    const parsed = parse('dyn(1)');
    parsed.check();
    any = (parsed.ast as unknown as Node).checkedType as NodeType;
  }
  return any;
}

function literalProblems(root: Node, expression: string, environment: Environment): (Problem & { internal?: true })[] {
  const problems: (Problem & { internal?: true })[] = [];
  visit(root, (node) => {
    const found = literalProblem(node, expression, environment);
    if (found === undefined) return;
    const { words, node: where, internal } = found;
    problems.push({ words, at: where.pos ?? 0, ...(internal === undefined ? {} : { internal }) });
  });
  return problems;
}

function ownProblems(root: Node, expression: string, known: (name: string) => boolean): Problem[] {
  const problems: Problem[] = [];
  const add = (summary: string, node: Node): void => {
    problems.push(...problemsOf({ summary, node }, expression, known));
  };
  visit(root, (node, parents) => {
    if (node.op === 'list') {
      const odd = oddItem(node, parents);
      if (odd !== undefined) add(odd.summary, odd.node);
    } else if (node.op === 'rcall') {
      const wrong = wrongCall(node);
      if (wrong !== undefined) add(wrong, node);
    } else if (node.op === 'id' && node.args === 'cel') add('Unknown variable: cel', node);
  });
  return problems;
}

/** Of a value of any type the base library asks only when it is there; that no function takes such arguments is known before. */
function wrongCall({ args, candidates, argTypes }: Node): string | undefined {
  const [name, receiver] = args as [string, Node];
  const type = receiver.checkedType;
  if (type?.kind !== 'dyn' || candidates === undefined || argTypes === undefined) return undefined;
  if (candidates.findFunction(argTypes, type) !== null) return undefined;
  return `found no matching overload for '${type.name}.${name}(${argTypes.map((one) => one.name).join(', ')})'`;
}

/** Kubernetes wants lists of one type, but for what is formatted (`HomogeneousAggregateLiterals`). */
function oddItem({ args }: Node, parents: readonly Node[]): { summary: string; node: Node } | undefined {
  const isFormatted = parents.some(({ op, args }) => op === 'rcall' && Array.isArray(args) && args[0] === 'format');
  if (isFormatted || !Array.isArray(args)) return undefined;
  const items = args as Node[];
  const types = items.map(({ checkedType }) => checkedType);
  const first = types[0];
  const odd = types.findIndex((type) => type?.name !== first?.name && type?.kind !== 'dyn' && first?.kind !== 'dyn');
  if (odd <= 0) return undefined;
  return { summary: `expected type '${first?.name}' but found '${types[odd]?.name}'`, node: items[odd] as Node };
}
