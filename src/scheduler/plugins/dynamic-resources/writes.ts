/** Writes what was chosen into claims, so that no two of them ever have one device. */
import type { Client } from '../../../apimachinery/client.ts';
import { isReason, StatusError } from '../../../apimachinery/errors.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { AllocationResult, ResourceClaim } from '../../../generated/types/resource.v1.ts';
import type { AssumedClaims } from './assumed.ts';
import { CLAIMS, isReservedFor, keyOf, PROTECTION } from './claims.ts';

/** Attempts at a claim that others write, too. */
const ATTEMPTS = 5;

/** Whether the claim has devices, or is about to get some. */
export const isProtected = ({ metadata }: ResourceClaim): boolean => metadata.finalizers?.includes(PROTECTION) === true;

/** Whether the server said no: nothing was written, and nothing will be. */
const isRefusal = (error: unknown): boolean => error instanceof StatusError && (error.status.code ?? 500) < 500;

/**
 * Reserves a claim for the pod, with its devices where they were chosen now (`bindClaim`). Answers what was written. Throws when that
 * is not possible any more.
 */
export async function bindClaim(
  client: Client,
  assumed: AssumedClaims,
  claim: ResourceClaim,
  allocation: AllocationResult | undefined,
  pod: Pod,
): Promise<ResourceClaim> {
  let current = claim;
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindOnce(client, assumed, current, allocation, pod);
    } catch (error) {
      if (!isReason(error, 'Conflict') || attempt === ATTEMPTS) throw error;
    }
    const { namespace = '', name } = claim.metadata;
    const now = await client.get<ResourceClaim>(CLAIMS, namespace, name);
    const isGone = now === undefined || now.metadata.uid !== claim.metadata.uid;
    if (isGone || now.metadata.deletionTimestamp !== undefined) {
      throw new Error(`claim ${keyOf(claim)} got deleted in the meantime`);
    }
    if (allocation !== undefined && now.status?.allocation !== undefined) {
      assumed.written(now);
      throw new Error(`claim ${keyOf(claim)} got allocated elsewhere in the meantime`);
    }
    if (allocation === undefined && now.status?.allocation === undefined) {
      throw new Error(`claim ${keyOf(claim)} got deallocated in the meantime`);
    }
    if (isReservedFor(now, pod)) return now;
    current = now;
  }
}

async function bindOnce(
  client: Client,
  assumed: AssumedClaims,
  claim: ResourceClaim,
  allocation: AllocationResult | undefined,
  { metadata }: Pod,
): Promise<ResourceClaim> {
  let ready = claim;
  if (allocation !== undefined && !isProtected(claim)) {
    const finalizers = [...(claim.metadata.finalizers ?? []), PROTECTION];
    ready = await client.update(CLAIMS, { ...claim, metadata: { ...claim.metadata, finalizers } });
  }
  const consumer = { resource: 'pods', name: metadata.name, uid: metadata.uid ?? '' };
  const status = {
    ...ready.status,
    ...(allocation === undefined ? {} : { allocation }),
    reservedFor: [...(ready.status?.reservedFor ?? []), consumer],
  };
  try {
    const written = await client.update<ResourceClaim>(CLAIMS, { ...ready, status }, 'status');
    assumed.written(written);
    return written;
  } catch (error) {
    if (allocation !== undefined && !isRefusal(error)) assumed.lost(ready, allocation);
    throw error;
  }
}

/** Takes a claim's devices back that no other pod uses. Throws when it was changed meanwhile. */
export async function deallocate(client: Client, claim: ResourceClaim): Promise<void> {
  const { allocation: _, reservedFor: __, devices: ___, ...status } = claim.status ?? {};
  await client.update<ResourceClaim>(CLAIMS, { ...claim, status }, 'status');
}
