/** What controllers ask of a pod. */
import { findCondition } from '../apimachinery/conditions.ts';
import { deepEqual } from '../apimachinery/equal.ts';
import type { Pod } from '../generated/types/core.v1.ts';
import type { ObjectChange, Requeue } from './controller.ts';
import { timeOf } from './objects.ts';

/** The condition of this type, if the pod has it. */
export function podCondition(pod: Pod, type: string) {
  return findCondition(pod.status?.conditions, type);
}

/** Whether the pod says that it is ready (`IsPodReady`). */
export const isPodReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** Succeeded or Failed: will never run again. */
export const isPodTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Counts as a replica: neither ended nor being deleted. */
export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;

/** Being deleted, and not yet ended. */
export const isPodTerminating = (pod: Pod): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

/** When a ready pod has been so for `minReadySeconds`, in ms; undefined while it is not ready. */
function podAvailableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  return minReadySeconds === 0 ? 0 : timeOf(ready.lastTransitionTime) + minReadySeconds * 1000;
}

/** Whether the pod has been ready for `minReadySeconds` at a time. */
export const isPodAvailable = (pod: Pod, minReadySeconds: number, at: number): boolean =>
  (podAvailableAt(pod, minReadySeconds) ?? Number.POSITIVE_INFINITY) <= at;

/** When the next ready pod will have been ready for long enough. */
export function nextAvailability(pods: readonly Pod[], minReadySeconds: number, at: number): Requeue | undefined {
  if (minReadySeconds === 0) return undefined;
  const times = pods.map((pod) => podAvailableAt(pod, minReadySeconds) ?? 0).filter((time) => time > at);
  return times.length === 0 ? undefined : { requeueAfterMs: Math.min(...times) - at };
}

/** What of a pod its owner counts by. */
const counted = (pod: Pod): unknown[] => [
  pod.metadata.labels,
  pod.metadata.ownerReferences,
  pod.metadata.deletionTimestamp === undefined,
  pod.status?.phase,
  podCondition(pod, 'Ready')?.status,
  podCondition(pod, 'Ready')?.lastTransitionTime,
];

/** Whether a change of a pod is one that its owner may have to act upon. */
export async function countsDiffer(change: ObjectChange): Promise<boolean> {
  if (change.type !== 'MODIFIED' || change.previous === undefined) return true;
  const pod = await change.object();
  return pod === undefined || !deepEqual(counted(pod), counted(change.previous));
}
