/** Status and conditions of a Deployment, as they follow from its ReplicaSets. Pure. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../generated/types/apps.v1.ts';
import type { Requeue } from '../controller.ts';
import { timeOf } from '../objects.ts';
import { maxUnavailable, progressDeadline, replicasOf, totalOf, totalReplicas } from './rollout-math.ts';

const NEW_REPLICA_SET_AVAILABLE = 'NewReplicaSetAvailable';
export const TIMED_OUT = 'ProgressDeadlineExceeded';

/** A condition as of now. */
export function newCondition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  at: number,
): DeploymentCondition {
  return { type, status, lastUpdateTime: now(at), lastTransitionTime: now(at), reason, message };
}

/** Sets a condition unless status and reason are what they were; the message alone does not count (`SetDeploymentCondition`). */
export function setCondition(status: DeploymentStatus, condition: DeploymentCondition): void {
  const { type = '' } = condition;
  const current = findCondition(status.conditions, type);
  const sameStatus = current !== undefined && current.status === condition.status;
  if (sameStatus && current.reason === condition.reason) return;
  const lastTransitionTime = sameStatus ? current.lastTransitionTime : condition.lastTransitionTime;
  removeCondition(status, type);
  status.conditions = [...(status.conditions ?? []), { ...condition, lastTransitionTime }];
}

function removeCondition(status: DeploymentStatus, type: string): void {
  const left = status.conditions?.filter((condition) => condition.type !== type);
  if (left === undefined || left.length === 0) delete status.conditions;
  else status.conditions = left;
}

/** Counts and the Available condition (`calculateStatus`); zeros are left out. */
export function calculateStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  at: number,
): DeploymentStatus {
  const available = totalOf(all, 'availableReplicas');
  const terminating = all.map((set) => set.status?.terminatingReplicas);
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation,
    replicas: totalOf(all, 'replicas') || undefined,
    updatedReplicas: newSet?.status?.replicas || undefined,
    readyReplicas: totalOf(all, 'readyReplicas') || undefined,
    availableReplicas: available || undefined,
    unavailableReplicas: Math.max(0, totalReplicas(all) - available) || undefined,
    terminatingReplicas: terminating.includes(undefined)
      ? undefined
      : terminating.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    collisionCount: deployment.status?.collisionCount,
    conditions: deployment.status?.conditions?.map((condition) => ({ ...condition })),
  };
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment);
  setCondition(
    status,
    enough
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', at)
      : newCondition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          at,
        ),
  );
  return status;
}

/** Whether all pods are new and available (`DeploymentComplete`). */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(status: DeploymentStatus, deadlineSeconds: number, at: number): boolean {
  const condition = findCondition(status.conditions, 'Progressing');
  if (condition === undefined || condition.reason === NEW_REPLICA_SET_AVAILABLE) return false;
  return condition.reason === TIMED_OUT || timeOf(condition.lastUpdateTime) + deadlineSeconds * 1000 < at;
}

/** The status after a step of a roll-out: also Progressing and ReplicaFailure (`syncRolloutStatus`). */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  at: number,
): DeploymentStatus {
  const before = deployment.status ?? {};
  const status = calculateStatus(deployment, all, newSet, at);
  const deadline = progressDeadline(deployment);
  const current = findCondition(before.conditions, 'Progressing');
  const subject =
    newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  const wasComplete =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === NEW_REPLICA_SET_AVAILABLE;
  if (deadline === undefined) removeCondition(status, 'Progressing');
  else if (!wasComplete) {
    if (isComplete(deployment, status)) {
      const message = `${subject} has successfully progressed.`;
      setCondition(status, newCondition('Progressing', 'True', NEW_REPLICA_SET_AVAILABLE, message, at));
    } else if (isProgressing(before, status)) {
      const condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, at);
      if (current?.status === 'True') condition.lastTransitionTime = current.lastTransitionTime;
      // Anew each time: the deadline counts from the last progress.
      removeCondition(status, 'Progressing');
      setCondition(status, condition);
    } else if (hasTimedOut(status, deadline, at)) {
      setCondition(
        status,
        newCondition('Progressing', 'False', TIMED_OUT, `${subject} has timed out progressing.`, at),
      );
    }
  }
  removeCondition(status, 'ReplicaFailure');
  const failure = failureOf(newSet) ?? all.map(failureOf).find((found) => found !== undefined);
  if (failure !== undefined) {
    const { status: value, reason = '', message = '', lastTransitionTime } = failure;
    const before = findCondition(deployment.status?.conditions, 'ReplicaFailure');
    const made = newCondition('ReplicaFailure', value as 'True', reason, message, at);
    setCondition(status, before?.reason === reason ? before : { ...made, lastTransitionTime });
  }
  return status;
}

const failureOf = (set: ReplicaSet | undefined) => findCondition(set?.status?.conditions, 'ReplicaFailure');

/** When the deadline has to be looked at, with a second to spare (`requeueStuckDeployment`). */
export function deadlineCheck(deployment: Deployment, status: DeploymentStatus, at: number): Requeue | undefined {
  const deadline = progressDeadline(deployment);
  const current = findCondition(status.conditions, 'Progressing');
  if (deadline === undefined || current === undefined || current.reason === 'DeploymentPaused') return undefined;
  if (isComplete(deployment, status) || current.reason === TIMED_OUT) return undefined;
  if (current.reason === NEW_REPLICA_SET_AVAILABLE) return undefined;
  const due = timeOf(current.lastUpdateTime) + deadline * 1000;
  return { requeueAfterMs: Math.max(due - at, 0) + 1000 };
}
