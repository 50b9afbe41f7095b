/**
 * Counts pods that ended, each exactly once whatever happens in between (`trackJobStatusAndRemoveFinalizers`):
 * 1. their uids are written to `status.uncountedTerminatedPods`,
 * 2. their finalizers are removed,
 * 3. uids of pods without the finalizer move into the counters.
 */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Job, JobStatus } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { forEachLimited } from '../objects.ts';
import { ensureCondition, type Finish } from './conditions.ts';
import { judgeFailure } from './failure-policy.ts';
import { removeTracking } from './finalizer.ts';
import { indexOf, isFailed, isIndexed, isSucceeded, isTracked, JOBS } from './pods.ts';
import type { Sync } from './sync.ts';

/** Uids that a status holds at most; more pods are counted in later passes. */
const MOST_UNCOUNTED = 500;
const PARALLEL = 32;

/** Writes the status, in up to two steps, and ends the Job when all its pods are counted. `before`: what is stored. */
export async function track(
  client: Client,
  sync: Sync,
  finish: Finish | undefined,
  before: Job,
  context: ControllerContext,
): Promise<void> {
  const { job } = sync;
  const { status } = job;
  const tracked = new Set(sync.pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ''));
  setNumbers(status, sync);
  settleCounts(status, tracked);
  const { ended, more } = note(sync, finish);
  if (finish !== undefined) {
    status.conditions = ensureCondition(status.conditions, finish.target, 'True', finish, sync.now).conditions;
  }
  let stored = await writeStatus(client, job, before);

  let failure: unknown;
  await forEachLimited(ended, PARALLEL, async (pod) => {
    await removeTracking(client, pod);
    tracked.delete(pod.metadata.uid ?? '');
  }).catch((error: unknown) => {
    failure = error;
  });
  settleCounts(status, tracked);
  const isEnd = failure === undefined && !more && finish !== undefined && nothingLeft(sync);
  if (isEnd) declareEnd(status, finish, sync.now);
  stored = await writeStatus(client, job, stored);
  if (failure !== undefined) throw failure;
  if (isEnd) recordEnd({ ...stored, apiVersion: 'batch/v1', kind: 'Job' }, finish, context);
}

function setNumbers(status: JobStatus, { active, ready, terminating }: Sync): void {
  setCount(status, 'active', active);
  status.ready = ready;
  status.terminating = terminating;
}

/** A number that is left out when it is zero. */
function setCount(status: JobStatus, field: 'active' | 'succeeded' | 'failed', count: number): void {
  if (count === 0) delete status[field];
  else status[field] = count;
}

/** Moves uids of pods that lost their finalizer into the counters. */
function settleCounts(status: JobStatus, tracked: ReadonlySet<string>): void {
  const left: NonNullable<JobStatus['uncountedTerminatedPods']> = {};
  for (const kind of ['succeeded', 'failed'] as const) {
    const uids = status.uncountedTerminatedPods?.[kind] ?? [];
    const waiting = uids.filter((uid) => tracked.has(uid));
    setCount(status, kind, (status[kind] ?? 0) + uids.length - waiting.length);
    if (waiting.length > 0) left[kind] = waiting;
  }
  status.uncountedTerminatedPods = left;
}

/** Writes down which pods ended; answers them, and whether there are more than one pass takes. */
function note(sync: Sync, finish: Finish | undefined): { ended: Pod[]; more: boolean } {
  const { job, pods, countedIndexes } = sync;
  const { status } = job;
  const succeeded = new Set(status.uncountedTerminatedPods?.succeeded);
  const failed = new Set(status.uncountedTerminatedPods?.failed);
  const newIndexes: number[] = [];
  const ended: Pod[] = [];
  let more = false;
  for (const pod of pods) {
    if (!isTracked(pod) || !mayBeReleased(sync, pod, finish)) continue;
    more = newIndexes.length + succeeded.size + failed.size >= MOST_UNCOUNTED;
    if (more) break;
    ended.push(pod);
    const uid = pod.metadata.uid ?? '';
    const index = indexOf(pod, job);
    if (isSucceeded(pod) && !failed.has(uid)) {
      // Of an index it is enough to know that it succeeded.
      if (!isIndexed(job)) succeeded.add(uid);
      else if (index !== undefined && !countedIndexes.has(index)) newIndexes.push(index);
    } else if (isFailed(pod, job) || finish?.target === 'FailureTarget') {
      const valid = !isIndexed(job) || index !== undefined;
      if (valid && judgeFailure(job, pod).counts) failed.add(uid);
    }
  }
  status.uncountedTerminatedPods = {
    ...(succeeded.size === 0 ? {} : { succeeded: [...succeeded] }),
    ...(failed.size === 0 ? {} : { failed: [...failed] }),
  };
  if (isIndexed(job)) setIndexes(status, sync, newIndexes);
  return { ended, more };
}

function setIndexes(status: JobStatus, { countedIndexes, failedIndexes }: Sync, newIndexes: readonly number[]): void {
  const indexes = countedIndexes.with(newIndexes);
  setCount(status, 'succeeded', indexes.total);
  if (indexes.total === 0) delete status.completedIndexes;
  else status.completedIndexes = `${indexes}`;
  if (failedIndexes !== undefined) status.failedIndexes = `${failedIndexes}`;
}

/** Whether the pod's end may be counted now (`canRemoveFinalizer`). */
function mayBeReleased({ job, predecessors }: Sync, pod: Pod, finish: Finish | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || finish !== undefined || isSucceeded(pod)) return true;
  const index = indexOf(pod, job);
  // Its successor must learn from it how often the index failed.
  const waits = index !== undefined && predecessors.get(index)?.metadata.uid === pod.metadata.uid;
  return isFailed(pod, job) && !waits;
}

const nothingLeft = ({ job, terminating }: Sync): boolean =>
  terminating === 0 && Object.keys(job.status.uncountedTerminatedPods ?? {}).length === 0;

function declareEnd(status: JobStatus, finish: Finish, at: number): void {
  const succeeded = finish.target === 'SuccessCriteriaMet';
  const type = succeeded ? 'Complete' : 'Failed';
  status.conditions = ensureCondition(status.conditions, type, 'True', finish, at).conditions;
  if (succeeded) status.completionTime = now(at);
}

function recordEnd(job: Job, { target, reason, message }: Finish, { events }: ControllerContext): void {
  if (target === 'FailureTarget') {
    events.record(job, 'Warning', reason, message);
    return;
  }
  if ((job.status?.succeeded ?? 0) > (job.spec?.completions ?? Number.POSITIVE_INFINITY)) {
    const text = 'Too many succeeded pods running after completion count reached';
    events.record(job, 'Warning', 'TooManySucceededPods', text);
  }
  events.record(job, 'Normal', 'Completed', 'Job completed');
}

/** The fields as upstream's type orders them. */
function inOrder(status: JobStatus): JobStatus {
  const { conditions, startTime, completionTime, active, succeeded, failed, terminating, ...rest } = status;
  const { completedIndexes, failedIndexes, uncountedTerminatedPods, ready } = rest;
  const counts = { active, succeeded, failed, terminating };
  const ordered = { conditions, startTime, completionTime, ...counts, completedIndexes, failedIndexes };
  return JSON.parse(JSON.stringify({ ...ordered, uncountedTerminatedPods, ready })) as JobStatus;
}

/** Writes the status where it differs from what is stored. A Job that changed meanwhile is a Conflict, thrown: counts would be lost. */
async function writeStatus(client: Client, job: Sync['job'], stored: Job): Promise<Job> {
  if (deepEqual(job.status, stored.status ?? {})) return stored;
  const { resourceVersion } = stored.metadata;
  const metadata = { ...job.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  const written = await client.update<Job>(JOBS, { ...job, metadata, status: inOrder(job.status) }, 'status');
  return { ...written, status: structuredClone(job.status) };
}
