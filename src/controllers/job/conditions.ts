/** Conditions of a Job's status. */
import { now } from '../../apimachinery/meta.ts';
import type { Job, JobCondition } from '../../generated/types/batch.v1.ts';

/** How a Job ends. It is said twice: as a target before its last pods are let go, as a fact after. */
export interface Finish {
  target: 'SuccessCriteriaMet' | 'FailureTarget';
  reason: string;
  message: string;
}

/** The condition of this type, if it holds. */
export const holding = (job: Job, type: string): JobCondition | undefined =>
  job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');

/** Whether a Job has ended, one way or the other (`IsJobFinished`). */
export const isFinished = (job: Job): boolean =>
  holding(job, 'Complete') !== undefined || holding(job, 'Failed') !== undefined;

/** The end that an earlier look decided on. */
export function decidedFinish(job: Job): Finish | undefined {
  for (const target of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = holding(job, target);
    if (condition !== undefined) return { target, reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

/**
 * The conditions with the one of this type as said, and whether that changed anything (`ensureJobConditionStatus`). What was never there is
 * not added as False.
 */
export function ensureCondition(
  conditions: readonly JobCondition[] = [],
  type: string,
  status: 'True' | 'False',
  { reason, message }: { reason: string; message: string },
  at: number,
): { conditions: JobCondition[]; changed: boolean } {
  const index = conditions.findIndex((condition) => condition.type === type);
  const before = conditions[index];
  const same = before?.status === status && before.reason === reason && before.message === message;
  if (same || (before === undefined && status === 'False')) return { conditions: [...conditions], changed: false };
  const time = now(at);
  const condition = { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
  const changed = before === undefined ? [...conditions, condition] : conditions.with(index, condition);
  return { conditions: changed, changed: true };
}
