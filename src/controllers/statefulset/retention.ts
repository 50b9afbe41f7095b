/** Who owns a pod's claim, so that it goes with its pod, with its set, or stays (`persistentVolumeClaimRetentionPolicy`). Pure. */
import type { KubeObject, OwnerReference } from '../../apimachinery/meta.ts';
import type { StatefulSet } from '../../generated/types/apps.v1.ts';
import type { PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { controllerRef } from '../objects.ts';
import { isWanted, ordinalOf } from './identity.ts';

const refersTo = (owner: OwnerReference, apiVersion: string, kind: string, object: KubeObject): boolean =>
  owner.apiVersion === apiVersion && owner.kind === kind && owner.name === object.metadata.name;

/** The owners that the claim of a pod should have (`updateClaimOwnerRefForSetAndPod`). */
export function wantedOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] {
  const owners = claim.metadata.ownerReferences ?? [];
  const ours = (owner: OwnerReference): boolean =>
    refersTo(owner, 'apps/v1', 'StatefulSet', set) || refersTo(owner, 'v1', 'Pod', pod);
  const others = owners.filter((owner) => !ours(owner));
  // Somebody else decides over this claim.
  if (others.some(({ controller }) => controller)) return others;
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const scaledDown = !isWanted(set, ordinalOf(set, pod) ?? -1);
  if (whenScaled === 'Delete' && scaledDown) return [...others, controllerRef(pod, 'v1', 'Pod')];
  if (whenDeleted === 'Delete') return [...others, controllerRef(set, 'apps/v1', 'StatefulSet')];
  return others;
}

/** Whether the claim belongs to an earlier pod of this name, and is about to go with it (`PodClaimIsStale`). */
export function isStale(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return false;
  const owners = claim.metadata.ownerReferences ?? [];
  return owners.some((owner) => refersTo(owner, 'v1', 'Pod', pod) && owner.uid !== pod.metadata.uid);
}
