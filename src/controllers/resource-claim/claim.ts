/** Claims: they are given back when no pod uses them any more, and those made for a pod go with its end. */
import type { Client } from '../../apimachinery/client.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ResourceClaim } from '../../generated/types/resource.v1.ts';
import { deleteIfPresent } from '../objects.ts';
import { isPodTerminal } from '../pods.ts';
import { RESOURCE_CLAIMS } from './pod.ts';

const PROTECTION = 'resource.kubernetes.io/delete-protection';

/** Whether the pod will not run any more: it has ended, or it is being deleted and never got a node. */
export const isPodDone = (pod: Pod): boolean =>
  isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName);

/** Does what the claim needs next. */
export async function syncClaim(client: Client, claim: ResourceClaim): Promise<void> {
  const { namespace = '', deletionTimestamp } = claim.metadata;
  const before = claim.status?.reservedFor ?? [];
  const inUse = await Promise.all(
    before.map(async ({ apiGroup, resource, name = '', uid }) => {
      // Of other consumers nothing can be said.
      if (apiGroup || resource !== 'pods') return true;
      const pod = await client.get<Pod>('core/pods', namespace, name);
      return pod !== undefined && pod.metadata.uid === uid && !isPodDone(pod);
    }),
  );
  const reservedFor = before.filter((_, i) => inUse[i]);
  let current = claim;
  const unused = reservedFor.length === 0;
  const protectedBy = claim.metadata.finalizers?.includes(PROTECTION) === true;
  const givesBack = unused && protectedBy && (before.length > 0 || deletionTimestamp !== undefined);
  const allocated = claim.status?.allocation !== undefined;
  if (reservedFor.length < before.length || (givesBack && allocated)) {
    const { reservedFor: _, allocation, devices, ...rest } = claim.status ?? {};
    const status = {
      ...rest,
      // What drivers said of devices goes with them.
      ...(allocation === undefined || givesBack ? {} : { allocation, ...(devices && { devices }) }),
      ...(unused ? {} : { reservedFor }),
    };
    current = await client.update<ResourceClaim>(RESOURCE_CLAIMS, { ...claim, status }, 'status');
  }
  if (givesBack) current = await unprotect(client, current);
  if (unused) await deleteWithPod(client, current);
}

function unprotect(client: Client, claim: ResourceClaim): Promise<ResourceClaim> {
  const finalizers = (claim.metadata.finalizers ?? []).filter((finalizer) => finalizer !== PROTECTION);
  return client.update(RESOURCE_CLAIMS, { ...claim, metadata: { ...claim.metadata, finalizers } });
}

/** A claim that was made for a pod is of no use when that pod has ended, though the pod may stay for long. */
async function deleteWithPod(client: Client, claim: ResourceClaim): Promise<void> {
  const { namespace = '', ownerReferences = [], deletionTimestamp } = claim.metadata;
  const owner = ownerReferences.find(({ kind, controller }) => kind === 'Pod' && controller);
  if (owner === undefined || deletionTimestamp !== undefined) return;
  const pod = await client.get<Pod>('core/pods', namespace, owner.name);
  if (pod === undefined || (pod.metadata.uid === owner.uid && !isPodDone(pod))) return;
  await deleteIfPresent(client, RESOURCE_CLAIMS, claim);
}
