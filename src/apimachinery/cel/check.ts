/** Expressions read and checked: what the base library finds, and what cel-go and Kubernetes find beside it. */
import { type Environment, parse } from '@marcbachmann/cel-js/evaluator';
import { literalProblem } from './literals.ts';
import { type Node, type NodeType, visit } from './nodes.ts';
import { ownProblems } from './own-problems.ts';
import { type Problem, problemsOf, problemText } from './problem.ts';
import type { Source } from './source.ts';
import { strictProblem } from './strict.ts';
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
  const strict = strictProblem(source.written);
  if (strict !== undefined) return { problem: problemText([strict], source.written) };
  const wrong = new Set<Node>();
  try {
    const parsed = environment.parse(expression);
    const root = parsed.ast as unknown as Node;
    visit(root, prepare);
    while (problems.length < MOST_PROBLEMS) {
      const { valid, type = 'dyn', error } = parsed.check();
      if (valid) {
        problems.push(...ownProblems(root, environment).flatMap((found) => problemsOf(found, expression, known)));
        if (problems.length > 0) break;
        const literals = literalProblems(root, (constant) => {
          const alone = environment.parse(expression.slice(constant.pos, constant.end));
          visit(alone.ast as unknown as Node, prepare);
          return alone();
        });
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

function literalProblems(root: Node, evaluate: (constant: Node) => unknown): (Problem & { internal?: true })[] {
  const problems: (Problem & { internal?: true })[] = [];
  visit(root, (node) => {
    const found = literalProblem(node, evaluate);
    if (found === undefined) return;
    const { words, node: where, at, internal } = found;
    problems.push({ words, at: at ?? where.pos ?? 0, ...(internal === undefined ? {} : { internal }) });
  });
  return problems;
}
