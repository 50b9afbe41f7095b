/** The claims that a pod uses, and what stands in their way (upstream's `dynamic-resource-allocation/resourceclaim`). */
import { notFound } from '../../../apimachinery/errors.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { ResourceClaim } from '../../../generated/types/resource.v1.ts';

export const CLAIMS = 'resource.k8s.io/resourceclaims';
export const CLASSES = 'resource.k8s.io/deviceclasses';
export const SLICES = 'resource.k8s.io/resourceslices';
/** On a claim for as long as it has devices. */
export const PROTECTION = 'resource.kubernetes.io/delete-protection';

type PodClaim = NonNullable<NonNullable<Pod['spec']>['resourceClaims']>[number];

/** Whether the pod has claims. */
export const hasClaims = ({ spec }: Pod): boolean => (spec?.resourceClaims?.length ?? 0) > 0;

/** `namespace/name` as messages have it. */
export const keyOf = ({ metadata }: ResourceClaim): string => `${metadata.namespace}/${metadata.name}`;

/** Whether the pod is among those that use the claim. */
export const isReservedFor = (claim: ResourceClaim, pod: Pod): boolean =>
  (claim.status?.reservedFor ?? []).some(({ uid }) => uid === pod.metadata.uid);

/** The name of one of the pod's claims; undefined where none is needed. Throws while there is none yet (`resourceclaim.Name`). */
function nameOf({ metadata, status }: Pod, { name, resourceClaimName, resourceClaimTemplateName }: PodClaim) {
  if (resourceClaimName !== undefined) return resourceClaimName;
  const pod = `pod "${metadata.namespace}/${metadata.name}"`;
  if (resourceClaimTemplateName === undefined) {
    throw new Error(`${pod}, spec.resourceClaim "${name}": none of the supported fields are set`);
  }
  const told = status?.resourceClaimStatuses?.find((one) => one.name === name);
  if (told === undefined) throw new Error(`${pod}: ResourceClaim not created yet`);
  return told.resourceClaimName;
}

/** The names of the pod's claims. Throws an Error while one was not made yet. */
export function claimNames(pod: Pod): string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => nameOf(pod, podClaim) ?? []);
}

/** The pod's claims, found by `find`. Throws an Error that says which one the pod cannot use, and why. */
export function claimsOf(pod: Pod, find: (key: string) => ResourceClaim | undefined): ResourceClaim[] {
  const claims = new Map<string, ResourceClaim>();
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const name = nameOf(pod, podClaim);
    if (name === undefined) continue;
    const claim = find(`${pod.metadata.namespace}/${name}`);
    if (claim === undefined) throw notFound({ group: 'resource.k8s.io', resource: 'resourceclaim' }, name);
    if (claim.metadata.deletionTimestamp !== undefined) throw new Error(`resourceclaim "${name}" is being deleted`);
    if (podClaim.resourceClaimName === undefined) checkOwner(pod, claim);
    // One claim may be named twice; it is allocated once.
    claims.set(name, claim);
  }
  return [...claims.values()];
}

function checkOwner({ metadata }: Pod, claim: ResourceClaim): void {
  const owned = claim.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === metadata.uid);
  if (owned) return;
  const pod = `${metadata.namespace}/${metadata.name}`;
  throw new Error(`ResourceClaim ${keyOf(claim)} was not created for Pod ${pod} (Pod is not owner)`);
}
