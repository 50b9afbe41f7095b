/** What a Job's controller asks of its pods, and of the Job about them. */
import type { Job } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';
import { podCondition } from '../pods.ts';

export const JOBS = 'batch/jobs';
/** On a pod until its end is counted: without it the pod could vanish before. */
export const TRACKING = 'batch.kubernetes.io/job-tracking';
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';
export const INDEX_IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** Whether each pod of the Job works on an index of its own. */
export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed';
/** Whether the Job is to have no pods for now. */
export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;
/** Whether failures count for each index apart (`hasBackoffLimitPerIndex`). */
export const countsPerIndex = (job: Job): boolean => isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined;

/** Whether a pod that is being deleted is replaced only when it has ended. */
export const replacesOnlyFailed = ({ spec }: Job): boolean =>
  spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined;

/** Whether the pod has still to be counted: it holds the finalizer of Jobs (`hasJobTrackingFinalizer`). */
export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(TRACKING) ?? false;

/** Whether the pod counts as failed. One that is being deleted does so at once, unless only failed pods are replaced. */
export function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/** Whether the pod has ended well. */
export const isSucceeded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded';

/** The index that the pod works on; undefined where it has none, or none that the Job has. */
export function indexOf(pod: Pod, job: Job): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX] ?? '';
  const index = /^\d{1,10}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return index < (job.spec?.completions ?? 0) ? index : undefined;
}

const countOf = (pod: Pod, annotation: string): number => {
  const text = pod.metadata.annotations?.[annotation] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
};

/** Failures of the pod's index before it. */
export const indexFailures = (pod: Pod): number => countOf(pod, INDEX_FAILURES);
/** Those that the failure policy says not to count. */
export const ignoredIndexFailures = (pod: Pod): number => countOf(pod, INDEX_IGNORED_FAILURES);

/** When the pod ended, in ms: as its containers say, else its readiness, else its deletion. */
export function finishedAt(pod: Pod): number {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt));
  if (ends.length > 0 && !ends.includes(0)) return Math.max(...ends);
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime) return timeOf(ready.lastTransitionTime);
  if (deletionTimestamp !== undefined) return timeOf(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return timeOf(creationTimestamp);
}
