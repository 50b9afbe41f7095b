/** What one look at a Job and its pods tells. */
import type { Job, JobSpec, JobStatus } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../pods.ts';
import { judgeFailure } from './failure-policy.ts';
import { Indexes } from './indexes.ts';
import {
  countsPerIndex,
  finishedAt,
  ignoredIndexFailures,
  indexFailures,
  indexOf,
  isFailed,
  isIndexed,
  isSucceeded,
  isTracked,
} from './pods.ts';

/** One pass over one Job. Numbers follow what the pass does. */
export interface Sync {
  /** A copy, whose `status` the pass works on. */
  readonly job: Job & { status: JobStatus };
  readonly spec: JobSpec;
  readonly pods: readonly Pod[];
  readonly activePods: readonly Pod[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  active: number;
  ready: number;
  terminating: number;
  /** Counted ones and those that wait to be. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of an Indexed Job: what the status says, and with the pods that ended since. */
  readonly countedIndexes: Indexes;
  readonly succeededIndexes: Indexes;
  /** Only where failures are counted by index. */
  readonly failedIndexes?: Indexes;
  /** By index, the failed pod whose count of failures its successor must take over before it may go. */
  readonly predecessors: ReadonlyMap<number, Pod>;
}

/** Looks at a Job and the pods that it controls. `now` in ms since the epoch. */
export function look(read: Job, pods: readonly Pod[], now: number): Sync {
  const job = { ...read, status: structuredClone(read.status ?? {}) };
  const { spec = {}, status } = job;
  const activePods = pods.filter(isPodActive);
  const { succeeded: countedSoon = [], failed: failedSoon = [] } = status.uncountedTerminatedPods ?? {};
  const isNew = (pod: Pod, known: readonly string[]): boolean =>
    isTracked(pod) && !known.includes(pod.metadata.uid ?? '') && (!isIndexed(job) || indexOf(pod, job) !== undefined);
  const newFailures = pods.filter((pod) => isFailed(pod, job) && isNew(pod, failedSoon));
  const counting = newFailures.filter((pod) => judgeFailure(job, pod).counts);
  const succeeded = pods.filter((pod) => isSucceeded(pod) && isNew(pod, countedSoon));

  const completions = spec.completions ?? 0;
  const countedIndexes = Indexes.parse(status.completedIndexes, completions);
  const succeededIndexes = countedIndexes.with(succeeded.flatMap((pod) => indexOf(pod, job) ?? []));
  const failedIndexes = countsPerIndex(job) ? failedIndexesOf(job, pods) : undefined;
  return {
    job,
    spec,
    pods,
    activePods,
    now,
    active: activePods.length,
    ready: activePods.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: isIndexed(job)
      ? succeededIndexes.total
      : (status.succeeded ?? 0) + succeeded.length + countedSoon.length,
    failed: (status.failed ?? 0) + counting.length + failedSoon.length,
    countedIndexes,
    succeededIndexes,
    ...(failedIndexes === undefined ? {} : { failedIndexes }),
    predecessors:
      failedIndexes === undefined
        ? new Map()
        : predecessorsOf(job, newFailures, indexesOf(job, activePods), succeededIndexes.and(failedIndexes)),
  };
}

/** The indexes on which pods work. */
export const indexesOf = (job: Job, pods: readonly Pod[]): Indexes =>
  Indexes.of(pods.flatMap((pod) => indexOf(pod, job) ?? []));

/** Indexes that will not be tried again (`calculateFailedIndexes`). */
function failedIndexesOf(job: Job, pods: readonly Pod[]): Indexes {
  const failed = pods.filter((pod) => isTracked(pod) && failsIndex(job, pod));
  const completions = job.spec?.completions ?? 0;
  return Indexes.parse(job.status?.failedIndexes, completions).and(indexesOf(job, failed));
}

function failsIndex(job: Job, pod: Pod): boolean {
  if (!isFailed(pod, job)) return false;
  const { action, counts } = judgeFailure(job, pod);
  return action === 'FailIndex' || (counts && indexFailures(pod) >= (job.spec?.backoffLimitPerIndex ?? 0));
}

function predecessorsOf(job: Job, failures: readonly Pod[], active: Indexes, ended: Indexes): Map<number, Pod> {
  const latest = new Map<number, Pod>();
  const tries = (pod: Pod): number => indexFailures(pod) + ignoredIndexFailures(pod);
  for (const pod of failures) {
    const index = indexOf(pod, job);
    if (index === undefined || active.has(index) || ended.has(index)) continue;
    const before = latest.get(index);
    if (before === undefined || (tries(before) <= tries(pod) && finishedAt(before) <= finishedAt(pod))) {
      latest.set(index, pod);
    }
  }
  return latest;
}
