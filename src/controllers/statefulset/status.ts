/** The status of a StatefulSet, as it follows from its pods. Pure. */
import type { StatefulSet, StatefulSetStatus } from '../../generated/types/apps.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { isPodAvailable, isPodReady } from '../pods.ts';
import { replicasOf, revisionOf } from './identity.ts';
import type { Revisions } from './revisions.ts';

/** Whether the pod is there, and not only wanted. */
export const isCreated = (pod: Pod): boolean => pod.metadata.uid !== undefined;

/** Being deleted, ended or not. */
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod);

/** Whether the pod cannot be counted on (`isUnavailable`). */
export const isUnavailable = (pod: Pod, minReadySeconds: number, at: number): boolean =>
  !isRunningAndReady(pod) || !isPodAvailable(pod, minReadySeconds, at) || isTerminating(pod);

/** Counts by what the pods are; those that are only wanted do not count (`updateStatus`). Zeros are left out as upstream leaves them out. */
export function statusOf(
  set: StatefulSet,
  { current, update, collisionCount }: Revisions,
  pods: readonly Pod[],
  at: number,
): StatefulSetStatus {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const there = pods.filter(isCreated);
  const ready = there.filter(isRunningAndReady);
  const staying = there.filter((pod) => !isTerminating(pod));
  const ofRevision = (name: string): number => staying.filter((pod) => revisionOf(pod) === name).length;
  return {
    observedGeneration: set.metadata.generation,
    replicas: there.length,
    readyReplicas: ready.length || undefined,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, at)).length,
    currentReplicas: ofRevision(current.metadata.name) || undefined,
    updatedReplicas: ofRevision(update.metadata.name) || undefined,
    currentRevision: current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount,
    conditions: set.status?.conditions,
  };
}

/** When all pods are new and ready, the update revision is the current one (`completeRollingUpdate`). */
export function completed(set: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const wanted = replicasOf(set);
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0, updateRevision } = status;
  const done = updatedReplicas === wanted && readyReplicas === wanted && replicas === wanted;
  if (set.spec?.updateStrategy?.type !== 'RollingUpdate' || !done) return status;
  return { ...status, currentReplicas: status.updatedReplicas, currentRevision: updateRevision };
}
