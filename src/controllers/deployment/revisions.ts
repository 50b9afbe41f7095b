/** Which ReplicaSet is the new one, which revision it has, and what of the Deployment it carries. Pure. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Deployment, ReplicaSet } from '../../generated/types/apps.v1.ts';
import type { PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { byAge } from '../objects.ts';
import { DESIRED_REPLICAS, MAX_REPLICAS, maxSurge, replicasOf } from './rollout-math.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const POD_TEMPLATE_HASH = 'pod-template-hash';
/** Asks for a roll-back to a revision. */
export const ROLLBACK_TO = 'deprecated.deployment.rollback.to';
const HISTORY_LIMIT = 2000;
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  ROLLBACK_TO,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
/** Whether an annotation is of the object itself, and is not copied between a Deployment and its ReplicaSets (`skipCopyAnnotation`). */
export const isOwnAnnotation = (key: string): boolean => NOT_COPIED.has(key);

/** A template without its hash label. */
export function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } as PodTemplateSpec['metadata'] };
}

/** Whether two templates make the same pods (`EqualIgnoreHash`). */
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  deepEqual(withoutHash(a), withoutHash(b));

/** The ReplicaSet of the current template: the oldest, should there be two (`FindNewReplicaSet`). */
export function findNewReplicaSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byAge).find((set) => sameTemplate(set.spec?.template, deployment.spec?.template));
}

/** The number of a ReplicaSet's revision, 64 bits of it; 0 without one. */
export function revisionOf(set: ReplicaSet | Deployment): bigint {
  const text = set.metadata.annotations?.[REVISION] ?? '';
  const revision = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : 0n;
  return BigInt.asIntN(64, revision) === revision ? revision : 0n;
}

/** The highest of some ReplicaSets' revisions, 0 of none (`MaxRevision`). */
export function maxRevision(sets: readonly ReplicaSet[]): bigint {
  const newest = [...sets].sort(byRevision).at(-1);
  return newest === undefined || revisionOf(newest) < 0n ? 0n : revisionOf(newest);
}

/** Orders ReplicaSets by their revisions, lowest first. */
export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const difference = revisionOf(a) - revisionOf(b);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** The annotations that the new ReplicaSet has to have at `revision` (`SetNewReplicaSetAnnotations`). */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  existing: ReplicaSet | undefined,
  revision: bigint,
): Record<string, string> {
  const annotations = { ...existing?.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(key)) annotations[key] = value;
  }
  const before = annotations[REVISION];
  if (existing === undefined || revisionOf(existing) < revision) {
    annotations[REVISION] = String(revision);
    if (before !== undefined) annotations[REVISION_HISTORY] = appendRevision(annotations[REVISION_HISTORY], before);
  }
  if (existing === undefined) Object.assign(annotations, sizeAnnotations(deployment));
  return annotations;
}

function appendRevision(history: string | undefined, revision: string): string {
  if (!history) return revision;
  const revisions = [...history.split(','), revision];
  while (revisions.length > 1 && revisions.join(',').length > HISTORY_LIMIT) revisions.shift();
  return revisions.join(',');
}

/** What every active ReplicaSet says of the Deployment's size, for scaling in proportion. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge(deployment)) };
}
