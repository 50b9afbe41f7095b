/** The arithmetic of roll-outs: how many pods there may be, and how they are shared among ReplicaSets. Pure. */
import type { Deployment, ReplicaSet } from '../../generated/types/apps.v1.ts';
import { scaledValue } from '../scaled.ts';

export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
const UNLIMITED = 2 ** 31 - 1;

/** `spec.replicas` of a Deployment or ReplicaSet. */
export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1;

/** Sum of what ReplicaSets should have. */
export const totalReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + replicasOf(set), 0);

/** Sum of what they have of a kind, by their statuses. */
export const totalOf = (
  sets: readonly ReplicaSet[],
  field: 'replicas' | 'readyReplicas' | 'availableReplicas',
): number => sets.reduce((sum, set) => sum + (set.status?.[field] ?? 0), 0);

/** Whether pods are replaced little by little, and not all at once (`IsRollingUpdate`). */
export const isRollingUpdate = (deployment: Deployment): boolean =>
  (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** `maxSurge` and `maxUnavailable` in pods (`ResolveFenceposts`): never both 0. */
export function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const replicas = replicasOf(deployment);
  const surge = scaledValue(maxSurge, replicas, true);
  const unavailable = scaledValue(maxUnavailable, replicas, false);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** How many pods there may be beyond `spec.replicas`. */
export const maxSurge = (deployment: Deployment): number =>
  isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;

/** How many pods may be unavailable. */
export function maxUnavailable(deployment: Deployment): number {
  const replicas = replicasOf(deployment);
  if (!isRollingUpdate(deployment) || replicas === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicas);
}

/** The size that the new ReplicaSet may have now (`NewRSNewReplicas`); `all` includes it. */
export function newReplicaSetSize(deployment: Deployment, all: readonly ReplicaSet[], size: number): number {
  const wanted = replicasOf(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const room = wanted + maxSurge(deployment) - totalReplicas(all);
  return room <= 0 ? size : size + Math.min(room, wanted - size);
}

/** The number in an annotation, if there is one. */
export function annotatedNumber(set: ReplicaSet, annotation: string): number | undefined {
  const text = set.metadata.annotations?.[annotation];
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Whether the new ReplicaSet is all there is to be, and available (`IsSaturated`). */
export function isSaturated(deployment: Deployment, newSet: ReplicaSet | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    newSet !== undefined &&
    annotatedNumber(newSet, DESIRED_REPLICAS) === wanted &&
    replicasOf(newSet) === wanted &&
    (newSet.status?.availableReplicas ?? 0) === wanted
  );
}

/** New sizes when a Deployment is scaled in the middle of a roll-out: in proportion to the sizes; the rest to the largest. */
export function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
  const toAdd = allowed - totalReplicas(active);
  const newerFirst = toAdd > 0;
  const created = (set: ReplicaSet): string => set.metadata.creationTimestamp ?? '';
  const sorted = [...active].sort((a, b) => {
    if (replicasOf(a) !== replicasOf(b)) return replicasOf(b) - replicasOf(a);
    return created(a) < created(b) === newerFirst ? 1 : -1;
  });
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of sorted) {
    const share = added === toAdd ? 0 : proportion(deployment, set, wanted, toAdd - added);
    sizes.set(set, replicasOf(set) + share);
    added += share;
  }
  const [largest] = sorted;
  if (largest !== undefined && toAdd !== 0) {
    sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  }
  return sizes;
}

function proportion(deployment: Deployment, set: ReplicaSet, wanted: number, allowed: number): number {
  const size = replicasOf(set);
  if (size === 0 || allowed === 0) return 0;
  if (wanted === 0) return Math.max(-size, allowed);
  const before = annotatedNumber(set, MAX_REPLICAS) || deployment.status?.replicas || wanted;
  const share = Math.round((size * (wanted + maxSurge(deployment))) / before) - size;
  return allowed > 0 ? Math.min(share, allowed) : Math.max(share, allowed);
}

/** `progressDeadlineSeconds` when there is a deadline. */
export function progressDeadline(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds >= UNLIMITED ? undefined : seconds;
}

/** `revisionHistoryLimit` when there is one. */
export function revisionHistoryLimit(deployment: Deployment): number | undefined {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit === undefined || limit >= UNLIMITED ? undefined : limit;
}
