/** Devices that a driver prepares only when a pod has got its node: the pod is bound when they are ready. */
import { findCondition } from '../../../apimachinery/conditions.ts';
import type { DeviceRequestAllocationResult, ResourceClaim } from '../../../generated/types/resource.v1.ts';
import { BINDING_TIMEOUT_MS } from '../../framework/plugin.ts';

const waiting = ({ status }: ResourceClaim): DeviceRequestAllocationResult[] =>
  (status?.allocation?.devices?.results ?? []).filter(({ bindingConditions = [] }) => bindingConditions.length > 0);

/** Whether the claim has devices that have to become ready. */
export const hasToWait = (claim: ResourceClaim): boolean => waiting(claim).length > 0;

/** Whether all devices are ready, by what their drivers say. Throws an Error when one has failed. */
export function isReady(claim: ResourceClaim): boolean {
  return waiting(claim).every(({ driver, pool, device, bindingConditions = [], bindingFailureConditions = [] }) => {
    const { conditions } =
      claim.status?.devices?.find((one) => one.driver === driver && one.pool === pool && one.device === device) ?? {};
    const isTrue = (type: string): boolean => findCondition(conditions, type)?.status === 'True';
    const failure = bindingFailureConditions.find(isTrue);
    if (failure !== undefined) {
      const { reason, message = '' } = findCondition(conditions, failure) ?? {};
      const why = `reason=${reason}, message=${JSON.stringify(message)}`;
      throw new Error(`claim ${claim.metadata.name} binding failed: ${why}`);
    }
    return bindingConditions.every(isTrue);
  });
}

/** Whether the devices have had their time to become ready; `now`: in ms since the epoch. */
export function isTooLate(claim: ResourceClaim, now: number): boolean {
  const since = claim.status?.allocation?.allocationTimestamp;
  return since !== undefined && hasToWait(claim) && Date.parse(since) + BINDING_TIMEOUT_MS < now;
}

/** Whether it makes no sense to wait for the devices any longer. */
export function isHopeless(claim: ResourceClaim, now: number): boolean {
  try {
    return hasToWait(claim) && !isReady(claim) && isTooLate(claim, now);
  } catch {
    return true;
  }
}
