/** Conditions of a status, as most kinds have them. */
import { now } from './meta.ts';

/** What conditions of all kinds have in common; `metav1.Condition` and its older relatives. */
export interface Condition {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

/** The condition of a type (`meta.FindStatusCondition`). */
export function findCondition<T extends { type?: string }>(
  conditions: readonly T[] | null | undefined,
  type: string | undefined,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The list with one condition set, in its old place; its time is that of the last change of its status (`meta.SetStatusCondition`). `at` in
 * ms since the epoch.
 */
export function withCondition<T extends Condition>(
  conditions: readonly T[] | null | undefined,
  wanted: T,
  at: number,
): T[] {
  const list = [...(conditions ?? [])];
  const index = list.findIndex(({ type }) => type === wanted.type);
  const before = list[index];
  const stays = before !== undefined && before.status === wanted.status;
  const condition = { ...before, ...wanted, lastTransitionTime: stays ? before.lastTransitionTime : now(at) } as T;
  if (index < 0) list.push(condition);
  else list[index] = condition;
  return list;
}
