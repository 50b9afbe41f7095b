/** Makes as many pods of a Job run as should (`manageJob`). */
import type { Client } from '../../apimachinery/client.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { forEachLimited } from '../objects.ts';
import { createPods, deletePod } from '../pod-control.ts';
import { isPodReady, isPodTerminating } from '../pods.ts';
import { rankForDeletion } from '../replicaset/ranking.ts';
import { type FailureMemory, remainingBackoffMs } from './backoff.ts';
import { removeTracking } from './finalizer.ts';
import {
  countsPerIndex,
  finishedAt,
  ignoredIndexFailures,
  indexFailures,
  indexOf,
  isIndexed,
  isSuspended,
  replacesOnlyFailed,
} from './pods.ts';
import { indexesOf, type Sync } from './sync.ts';
import { podOf } from './template.ts';

/** Of one pass (`MaxPodCreateDeletePerSync`). */
const MOST_PODS = 500;
const PARALLEL = 32;

export interface Managed {
  /** What kept pods from being made or deleted. */
  failure?: unknown;
  /** When pods may be made that must wait now. */
  backoffMs?: number;
}

/** Deletes pods that are too many, or else makes those that are missing and need not wait. Updates the numbers of `sync`. */
export async function manage(
  client: Client,
  sync: Sync,
  memory: FailureMemory,
  context: ControllerContext,
): Promise<Managed> {
  const surplus = surplusPods(sync);
  if (surplus.length > 0) return { failure: await removePods(client, sync, surplus, 'uncounted', context) };
  if (isSuspended(sync.job)) return {};
  const inTheWay = replacesOnlyFailed(sync.job) ? sync.terminating : 0;
  const missing = Math.min(wantedPods(sync) - inTheWay - sync.active, MOST_PODS);
  const backoffMs = countsPerIndex(sync.job) ? 0 : memory.remainingMs(sync.job, sync.pods, sync.now);
  if (missing <= 0) return {};
  if (backoffMs > 0) return { backoffMs };
  const { pods, waitMs } = isIndexed(sync.job) ? indexedPods(sync, missing) : { pods: plainPods(sync, missing) };
  const { created, failure } = await createPods(client, sync.job, pods, context);
  sync.active += created;
  return { failure, ...(waitMs === undefined ? {} : { backoffMs: waitMs }) };
}

/**
 * Deletes pods. Ones that still count keep their finalizer, so that their end is seen; ones that were too many or are suspended lose it
 * and are never counted. Answers what went wrong.
 */
export async function removePods(
  client: Client,
  sync: Sync,
  pods: readonly Pod[],
  how: 'counted' | 'uncounted',
  context: ControllerContext,
): Promise<unknown> {
  try {
    await forEachLimited(pods, PARALLEL, async (pod) => {
      if (how === 'uncounted') await removeTracking(client, pod);
      await deletePod(client, sync.job, pod, context);
      sync.active--;
      sync.terminating++;
      if (isPodReady(pod)) sync.ready--;
    });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** How many pods should run. */
function wantedPods({ spec, succeeded, active, job }: Sync): number {
  if (isSuspended(job)) return 0;
  const parallelism = spec.parallelism ?? 1;
  // Without a number of completions the first success means that all work is taken: what runs may end.
  if (spec.completions === undefined) return succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  return Math.max(0, Math.min(parallelism, spec.completions - succeeded));
}

/** Pods that must go: of an Indexed Job all but the furthest of each index, and of those that are left the least far. */
function surplusPods(sync: Sync): Pod[] {
  const { job, activePods, now } = sync;
  const ranked = rankForDeletion(activePods, [], now);
  const remove: Pod[] = [];
  const keep: Pod[] = [];
  const taken = new Set<number>();
  for (const pod of ranked.reverse()) {
    const index = isIndexed(job) ? indexOf(pod, job) : undefined;
    const isSpare = isIndexed(job) && (index === undefined || taken.has(index));
    if (index !== undefined) taken.add(index);
    if (isSpare) remove.push(pod);
    else keep.push(pod);
  }
  const more = activePods.length - wantedPods(sync) - remove.length;
  if (more > 0) remove.push(...keep.reverse().slice(0, more));
  return remove.slice(0, isSuspended(job) ? undefined : MOST_PODS);
}

const plainPods = ({ job }: Sync, count: number): Pod[] => Array.from({ length: count }, () => podOf(job));

/** Pods of the lowest indexes that nobody works on; of indexes that failed, once their own wait is over. */
function indexedPods(sync: Sync, count: number): { pods: Pod[]; waitMs?: number } {
  const { job, spec, activePods, pods, succeededIndexes, failedIndexes, predecessors, now } = sync;
  const terminating = replacesOnlyFailed(job) ? pods.filter(isPodTerminating) : [];
  const busy = succeededIndexes.and(indexesOf(job, [...activePods, ...terminating]));
  const pending = (failedIndexes === undefined ? busy : busy.and(failedIndexes)).firstMissing(
    count,
    spec.completions ?? 0,
  );
  const made: Pod[] = [];
  const waits: number[] = [];
  for (const index of pending) {
    const predecessor = predecessors.get(index);
    const wait = predecessor === undefined ? 0 : indexBackoffMs(predecessor, now);
    if (wait > 0) waits.push(wait);
    else made.push(podOf(job, index, predecessor));
  }
  return { pods: made, ...(waits.length === 0 ? {} : { waitMs: Math.min(...waits) }) };
}

const indexBackoffMs = (predecessor: Pod, now: number): number =>
  remainingBackoffMs(indexFailures(predecessor) + ignoredIndexFailures(predecessor) + 1, finishedAt(predecessor), now);
