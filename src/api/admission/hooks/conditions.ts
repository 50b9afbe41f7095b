/** Match conditions of webhooks and policies (`matchconditions.Matcher`). */
import { failureOf } from '../../../apimachinery/cel/failure.ts';
import type { Bindings, PolicyCompiler } from '../../../apimachinery/cel/policy.ts';
import type { Budget, Compiled } from '../../../apimachinery/cel/program.ts';
import type { MatchCondition } from '../../../generated/types/admissionregistration.v1.ts';

/** What all expressions of a policy may cost together for one request (`RuntimeCELCostBudget`). */
export const COST_BUDGET = 10_000_000;
export const OUT_OF_BUDGET =
  'validation failed due to running out of cost budget, no further validation rules will be run';

export interface Condition {
  expression: string;
  compiled: Compiled;
}

/** Makes conditions into programs. */
export function compileConditions(conditions: readonly MatchCondition[] = [], compiler: PolicyCompiler): Condition[] {
  return conditions.map(({ expression = '' }) => ({ expression, compiled: compiler.condition(expression) }));
}

/** The value of an expression, or why it has none in upstream's words. */
export function evaluate(
  { expression, compiled }: Condition,
  bindings: Bindings,
  budget: Budget,
): { value: unknown } | { error: string } {
  if ('problem' in compiled) return { error: `compilation error: ${compiled.problem}` };
  try {
    return { value: compiled.program.evaluate(bindings, budget) };
  } catch (error) {
    return { error: `expression '${expression}' resulted in error: ${failureOf(error)}` };
  }
}

/** Whether all hold. One that does not outweighs those that cannot be told; the error of these is for the failure policy. */
export function meets(
  conditions: readonly Condition[],
  bindings: Bindings,
  budget: Budget,
): boolean | { error: string } {
  const errors: string[] = [];
  for (const condition of conditions) {
    const result = evaluate(condition, bindings, budget);
    if (budget.left < 0) return { error: OUT_OF_BUDGET };
    if ('error' in result) errors.push(result.error);
    else if (result.value !== true) return false;
  }
  if (errors.length === 0) return true;
  const distinct = [...new Set(errors)];
  return { error: distinct.length === 1 ? (distinct[0] as string) : `[${distinct.join(', ')}]` };
}
