/** How long a Job waits after pods of it failed: 10 s, doubled with each failure since the last success, at most 10 minutes. */
import type { Job } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { finishedAt, isFailed, isSucceeded } from './pods.ts';

const BASE_MS = 10_000;
const MAX_MS = 600_000;
/** From so many failures on the wait grows no more. */
const ENOUGH_FAILURES = 8;
const REMEMBERED_JOBS = 4096;

/** Milliseconds until a next pod may be made, after `failures` in a row of which the last was at `lastFailureAt`. */
export function remainingBackoffMs(failures: number, lastFailureAt: number, now: number): number {
  if (failures === 0) return 0;
  const wait = Math.min(BASE_MS * 2 ** Math.min(failures - 1, ENOUGH_FAILURES), MAX_MS);
  return Math.max(0, lastFailureAt + wait - now);
}

/**
 * The failures of Jobs since their last success. They follow from the pods; memory is only for pods that are gone meanwhile, so that an
 * eviction shortens a wait at worst, as a restart of upstream's does.
 */
export class FailureMemory {
  /** By the Job's uid: when which pod failed. */
  readonly #jobs = new Map<string, Map<string, number>>();

  /** Milliseconds until the Job may make another pod. */
  remainingMs(job: Job, pods: readonly Pod[], now: number): number {
    const uid = job.metadata.uid ?? '';
    const failures = new Map(this.#jobs.get(uid));
    for (const pod of pods) if (isFailed(pod, job)) failures.set(pod.metadata.uid ?? '', finishedAt(pod));
    const lastSuccess = Math.max(...pods.filter(isSucceeded).map(finishedAt), Number.NEGATIVE_INFINITY);
    const since = [...failures].filter(([, at]) => at > lastSuccess).sort((a, b) => b[1] - a[1]);
    this.#remember(uid, since.slice(0, ENOUGH_FAILURES));
    return remainingBackoffMs(since.length, since[0]?.[1] ?? 0, now);
  }

  forget(uid: string | undefined): void {
    this.#jobs.delete(uid ?? '');
  }

  #remember(uid: string, failures: [string, number][]): void {
    this.#jobs.delete(uid);
    if (failures.length === 0) return;
    this.#jobs.set(uid, new Map(failures));
    if (this.#jobs.size > REMEMBERED_JOBS) this.#jobs.delete(this.#jobs.keys().next().value as string);
  }
}
