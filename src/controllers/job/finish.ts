/** Whether and how a Job ends. */
import type { JobSpec } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';
import { decidedFinish, type Finish } from './conditions.ts';
import { judgeFailure } from './failure-policy.ts';
import { Indexes } from './indexes.ts';
import { isFailed, isIndexed, isSuspended } from './pods.ts';
import type { Sync } from './sync.ts';

const failure = (reason: string, message: string): Finish => ({ target: 'FailureTarget', reason, message });

/** How the Job ends before all its completions are reached, if it does. */
export function earlyFinish(sync: Sync): Finish | undefined {
  return decidedFinish(sync.job) ?? policyFailure(sync) ?? limitFailure(sync) ?? indexFailure(sync) ?? success(sync);
}

/** How a Job ends whose work is done; `sync.active` counts the pods that still run. */
export function completion({ spec, succeeded, active }: Sync): Finish | undefined {
  const enough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
  if (!enough || active > 0) return undefined;
  const message = 'Reached expected number of succeeded pods';
  return { target: 'SuccessCriteriaMet', reason: 'CompletionsReached', message };
}

/** Milliseconds until `activeDeadlineSeconds` have passed; undefined where there is no deadline. */
export function deadlineMs({ job, spec, now }: Sync): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || job.status.startTime === undefined || isSuspended(job)) {
    return undefined;
  }
  return timeOf(job.status.startTime) + spec.activeDeadlineSeconds * 1000 - now;
}

function policyFailure({ job, pods }: Sync): Finish | undefined {
  if (job.spec?.podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? judgeFailure(job, pod).failsJob : undefined;
    if (message !== undefined) return failure('PodFailurePolicy', message);
  }
  return undefined;
}

function limitFailure(sync: Sync): Finish | undefined {
  const { spec, failed, pods } = sync;
  const limit = spec.backoffLimit ?? 6;
  if (failed > limit || restartsExceed(spec, limit, pods)) {
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if ((deadlineMs(sync) ?? 1) <= 0) {
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  return undefined;
}

/** Containers that are started again in their pod count as failures too. */
function restartsExceed(spec: JobSpec, limit: number, pods: readonly Pod[]): boolean {
  if (spec.template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    for (const { restartCount = 0 } of containers) restarts += restartCount;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function indexFailure({ spec, failedIndexes, succeededIndexes }: Sync): Finish | undefined {
  const failed = failedIndexes?.total ?? 0;
  if (failed === 0) return undefined;
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) {
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  const ended = failed + succeededIndexes.total;
  return ended >= (spec.completions ?? 0) ? failure('FailedIndexes', 'Job has failed indexes') : undefined;
}

/** The first rule of the success policy that is met (`matchSuccessPolicy`). */
function success({ job, spec, succeededIndexes }: Sync): Finish | undefined {
  if (!isIndexed(job)) return undefined;
  for (const [index, { succeededIndexes: text, succeededCount }] of (spec.successPolicy?.rules ?? []).entries()) {
    const wanted = text === undefined ? undefined : Indexes.parse(text, spec.completions ?? 0);
    const reached = wanted === undefined ? succeededIndexes.total : wanted.sharedWith(succeededIndexes);
    const needed = succeededCount ?? wanted?.total ?? 0;
    if (needed === 0 || reached < needed) continue;
    return { target: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` };
  }
  return undefined;
}
