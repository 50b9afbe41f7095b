/** How a Deployment gets from old pods to new ones, one step at a time, and how it is scaled. */
import type { Pod } from '../../generated/types/core.v1.ts';
import type { Requeue } from '../controller.ts';
import { isPodTerminal } from '../pods.ts';
import {
  annotatedNumber,
  DESIRED_REPLICAS,
  isRollingUpdate,
  isSaturated,
  maxUnavailable,
  newReplicaSetSize,
  proportionalSizes,
  replicasOf,
  totalOf,
  totalReplicas,
} from './rollout-math.ts';
import { calculateStatus, isComplete } from './status.ts';
import type { DeploymentSync } from './sync.ts';

const isActive = (set: DeploymentSync['old'][number]): boolean => replicasOf(set) > 0;

/** Whether `spec.replicas` changed since the ReplicaSets were sized (`isScalingEvent`). */
export function isScalingEvent(sync: DeploymentSync): boolean {
  const wanted = replicasOf(sync.deployment);
  return sync.all.filter(isActive).some((set) => (annotatedNumber(set, DESIRED_REPLICAS) ?? wanted) !== wanted);
}

/** Scales without rolling: while paused, or when `spec.replicas` changed (`sync`). */
export async function scaleOnly(sync: DeploymentSync): Promise<Requeue | undefined> {
  await sync.syncRevision(false);
  await scaleSets(sync);
  if (sync.deployment.spec?.paused) await sync.cleanUp();
  return sync.writeStatus(calculateStatus);
}

async function scaleSets(sync: DeploymentSync): Promise<void> {
  const { deployment } = sync;
  const wanted = replicasOf(deployment);
  const active = sync.all.filter(isActive);
  const only = active.length === 0 ? (sync.current ?? sync.old.at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) {
    await sync.scale(only, wanted);
  } else if (isSaturated(deployment, sync.current)) {
    for (const set of sync.old.filter(isActive)) await sync.scale(set, 0);
  } else if (isRollingUpdate(deployment)) {
    for (const [set, size] of proportionalSizes(deployment, active)) await sync.scale(set, size);
  }
}

/** One step of a rolling update: new pods as the surge allows, else old ones away as the availability allows. */
export async function rollingUpdate(sync: DeploymentSync): Promise<Requeue | undefined> {
  await sync.syncRevision(true);
  if (await scaleUpNew(sync)) return sync.writeStatus();
  if (await scaleDownOld(sync)) return sync.writeStatus();
  if (isComplete(sync.deployment, sync.deployment.status ?? {})) await sync.cleanUp();
  return sync.writeStatus();
}

async function scaleUpNew(sync: DeploymentSync): Promise<boolean> {
  const { current, deployment } = sync;
  if (current === undefined) return false;
  const wanted = replicasOf(deployment);
  const size = replicasOf(current);
  if (size === wanted) return false;
  const next = size > wanted ? wanted : newReplicaSetSize(deployment, sync.all, size);
  return next !== size && sync.scale(current, next);
}

async function scaleDownOld(sync: DeploymentSync): Promise<boolean> {
  const { current, deployment } = sync;
  if (totalReplicas(sync.old) === 0) return false;
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const newUnavailable = current === undefined ? 0 : replicasOf(current) - (current.status?.availableReplicas ?? 0);
  const limit = totalReplicas(sync.all) - minAvailable - newUnavailable;
  if (limit <= 0) return false;

  // Pods that are not available cost nothing to take away.
  let unhealthy = 0;
  for (const set of sync.old.filter(isActive)) {
    if (unhealthy >= limit) break;
    const size = replicasOf(set);
    const excess = size - (set.status?.availableReplicas ?? 0);
    // Its status is older than its size: what is available is known only when it has caught up.
    if (excess < 0) return false;
    const away = Math.min(limit - unhealthy, excess);
    if (away === 0) continue;
    unhealthy += away;
    await sync.scale(set, size - away);
  }

  const spare = totalOf(sync.all, 'availableReplicas') - minAvailable;
  let healthy = 0;
  for (const set of sync.old.filter(isActive)) {
    if (healthy >= spare) break;
    const size = replicasOf(set);
    const away = Math.min(size, spare - healthy);
    healthy += away;
    await sync.scale(set, size - away);
  }
  return unhealthy + healthy > 0;
}

/** Recreate: all old pods have to be gone before the first new one comes. */
export async function recreate(sync: DeploymentSync): Promise<Requeue | undefined> {
  await sync.syncRevision(false);
  const active = sync.old.filter(isActive);
  if (active.length > 0) {
    for (const set of active) await sync.scale(set, 0);
    return sync.writeStatus();
  }
  if (await oldPodsRun(sync)) return sync.writeStatus();
  if (sync.current === undefined) await sync.syncRevision(true);
  if (sync.current !== undefined) await sync.scale(sync.current, replicasOf(sync.deployment));
  if (isComplete(sync.deployment, sync.deployment.status ?? {})) await sync.cleanUp();
  return sync.writeStatus();
}

async function oldPodsRun(sync: DeploymentSync): Promise<boolean> {
  if (totalOf(sync.old, 'replicas') > 0) return true;
  const terminating = sync.old.filter((set) => set.status?.terminatingReplicas !== 0);
  for (const { metadata } of terminating) {
    const { namespace = '', uid } = metadata;
    const { items } = await sync.client.list<Pod>('core/pods', { namespace, ownerUid: uid });
    if (items.some((pod) => !isPodTerminal(pod))) return true;
  }
  return false;
}
