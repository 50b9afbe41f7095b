/** Expressions compiled once and evaluated often, within a budget. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { check, type Unfit } from './check.ts';
import { type HasMacro, widenHas } from './libraries/has.ts';
import { CelFailure } from './libraries/library.ts';
import { replacing } from './libraries/replaced.ts';
import { turns } from './libraries/two-variables.ts';
import { type Comprehension, countNodes, type Node } from './nodes.ts';
import { evaluationOf, widenEquality } from './operators.ts';
import { readable, type Source } from './source.ts';

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
export type Compiled = { program: Program } | Unfit;

/** What upstream says of an expression that is none. */
export const unfitText = ({ problem, internal }: Unfit): string =>
  `${internal === true ? 'program instantiation' : 'compilation'} failed: ${problem}`;

/** What it costs in each turn to make the list that a loop gives. */
const LIST_COST = 10;

let left = 0;

/** Counts against the evaluation under way. */
function spend(cost: number): void {
  left -= cost;
  if (left < 0) throw new CelFailure(TOO_MUCH);
}

/** Compiles an expression. */
export function compile(expression: string | Source, environment: Environment): Compiled {
  const checked = check(typeof expression === 'string' ? readable(expression) : expression, environment, prepare);
  if ('problem' in checked) return checked;
  const { run, root, type } = checked;
  const size = countNodes(root);
  return {
    program: {
      type,
      root,
      evaluate(variables, budget) {
        // A variable may be worked out while another expression is.
        const outer = left;
        left = COST_LIMIT - size;
        turns.spend = (cost = 1) => spend(cost);
        try {
          return run({ ...variables });
        } finally {
          if (budget !== undefined) budget.left -= COST_LIMIT - left;
          left = outer;
        }
      },
    },
  };
}

/** Patterns must not burn time, loops must end, and `has` looks at more: what the base library does without is put in before it checks. */
function prepare(node: Node): void {
  const isCall = node.op === 'call' || node.op === 'rcall';
  if (isCall && Array.isArray(node.args)) node.args[0] = replacing(String(node.args[0]));
  if (node.op === 'call' && (node.args as unknown[])[0] === 'has' && node.meta?.macro !== undefined) {
    widenHas(node, node.meta.macro as HasMacro);
  }
  const evaluation = evaluationOf(node);
  if (evaluation !== undefined) node.setMeta?.('evaluate', evaluation);
  if (node.op === '==' || node.op === '!=') widenEquality(node);
  if (node.op !== 'comprehension') return;
  const loop = node.args as Comprehension;
  const cost = (loop.kind === 'quantifier' ? 2 : LIST_COST) + countNodes(loop.step);
  const { condition } = loop;
  loop.condition = (accumulated) => {
    spend(cost);
    return condition?.(accumulated) ?? true;
  };
}
