/** The condition DisruptionAllowed of a PodDisruptionBudget, as the eviction and the controller keep it. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Condition } from '../../generated/types/meta.v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../generated/types/policy.v1.ts';

const TYPE = 'DisruptionAllowed';

/** How many pods' evictions a budget may wait for (`MaxDisruptedPodSize`). */
export const MAX_DISRUPTED_PODS = 2000;

/** Sets the condition, in place; its time changes with its status alone (`SetStatusCondition`). */
export function setDisruptionAllowed(
  status: PodDisruptionBudgetStatus,
  condition: Pick<Condition, 'status' | 'reason' | 'message'>,
): void {
  const others = [...(status.conditions ?? [])];
  const at = others.findIndex(({ type }) => type === TYPE);
  const before = others[at];
  const lastTransitionTime = before?.status === condition.status ? before?.lastTransitionTime : now();
  const { observedGeneration } = status;
  const next = { type: TYPE, ...condition, lastTransitionTime, ...(observedGeneration ? { observedGeneration } : {}) };
  if (at < 0) others.push(next as Condition);
  else others[at] = next as Condition;
  status.conditions = others;
}

/** The condition that follows from the disruptions that are allowed. */
export function expectedCondition(disruptionsAllowed: number): Pick<Condition, 'status' | 'reason' | 'message'> {
  return disruptionsAllowed > 0
    ? { status: 'True', reason: 'SufficientPods', message: '' }
    : { status: 'False', reason: 'InsufficientPods', message: '' };
}

/** Whether the condition says what the rest of the status does (`ConditionsAreUpToDate`). */
export function conditionIsUpToDate({ metadata, status }: PodDisruptionBudget): boolean {
  const condition = findCondition(status?.conditions, TYPE);
  if (condition === undefined || status?.observedGeneration !== metadata.generation) return false;
  const expected = expectedCondition(status?.disruptionsAllowed ?? 0);
  return condition.status === expected.status && condition.reason === expected.reason;
}
