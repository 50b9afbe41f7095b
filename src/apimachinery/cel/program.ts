/** Expressions compiled once and evaluated often, within a budget. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { CelFailure } from './libraries/library.ts';
import { turns } from './libraries/two-variables.ts';
import { type Comprehension, countNodes, type Node, visit } from './nodes.ts';
import { problemOf } from './problem.ts';

/** What one evaluation may cost (`PerCallLimit`); a turn of a loop costs what there is to do in it. */
export const COST_LIMIT = 1_000_000;
/** How the message of an evaluation begins that cost more. */
export const TOO_MUCH = 'operation cancelled: actual cost limit exceeded';

/** What several evaluations may cost together; each takes off what it did. */
export interface Budget {
  left: number;
}

export interface Program {
  /** The type of its value: `bool`, `string`, `dyn`. */
  type: string;
  /** The checked syntax tree. */
  root: Node;
  /** The value for these variables. Throws an Error with cel-go's words. */
  evaluate(variables: Readonly<Record<string, unknown>>, budget?: Budget): unknown;
}

/** A program, or what is wrong with the expression, in cel-go's words with the place. */
export type Compiled = { program: Program } | { problem: string };

let left = 0;

/** Counts against the evaluation under way. */
function spend(cost: number): void {
  left -= cost;
  if (left < 0) throw new CelFailure(TOO_MUCH);
}

/** Compiles an expression. */
export function compile(expression: string, environment: Environment): Compiled {
  try {
    const parsed = environment.parse(expression);
    const root = parsed.ast as unknown as Node;
    visit(root, prepare);
    const { valid, type = 'dyn', error } = parsed.check();
    if (!valid) return { problem: problemOf(error, expression) };
    const mixed = mixedLiteral(root);
    if (mixed !== undefined) return { problem: problemOf(mixed, expression) };
    const size = countNodes(root);
    return {
      program: {
        type,
        root,
        evaluate(variables, budget) {
          // A variable may be worked out while another expression is.
          const outer = left;
          left = COST_LIMIT - size;
          turns.spend = () => spend(1);
          try {
            return parsed({ ...variables });
          } finally {
            if (budget !== undefined) budget.left -= COST_LIMIT - left;
            left = outer;
          }
        },
      },
    };
  } catch (error) {
    return { problem: problemOf(error, expression) };
  }
}

/** Patterns must not burn time, and loops must end: what the base library does without is put in before it looks. */
function prepare(node: Node): void {
  if (node.op === 'rcall' && Array.isArray(node.args) && node.args[0] === 'matches') node.args[0] = 'matchesRe2';
  if (node.op !== 'comprehension') return;
  const loop = node.args as Comprehension;
  const cost = 1 + countNodes(loop.step);
  const { condition } = loop;
  loop.condition = (accumulated) => {
    spend(cost);
    return condition?.(accumulated) ?? true;
  };
}

/** Kubernetes wants lists and maps of one type, but for what is formatted (`HomogeneousAggregateLiterals`). */
function mixedLiteral(root: Node): { summary: string; node: Node } | undefined {
  let found: { summary: string; node: Node } | undefined;
  visit(root, (node, parents) => {
    if (found !== undefined || node.op !== 'list' || !Array.isArray(node.args)) return;
    const isFormatted = parents.some(({ op, args }) => op === 'rcall' && Array.isArray(args) && args[0] === 'format');
    if (isFormatted) return;
    const items = node.args as Node[];
    const types = items.map(({ checkedType }) => checkedType);
    const first = types[0];
    const odd = types.findIndex((type) => type?.name !== first?.name && type?.kind !== 'dyn' && first?.kind !== 'dyn');
    if (odd > 0) {
      const summary = `expected type '${first?.name}' but found '${types[odd]?.name}'`;
      found = { summary, node: items[odd] as Node };
    }
  });
  return found;
}
