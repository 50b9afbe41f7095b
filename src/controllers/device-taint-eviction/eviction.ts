/** When a pod has to go because of taints of its devices. Pure. */
import type { Pod } from '../../generated/types/core.v1.ts';
import type {
  Device,
  DeviceRequestAllocationResult,
  DeviceTaint,
  ResourceClaim,
  ResourceSlice,
} from '../../generated/types/resource.v1.ts';
import { tolerates } from '../../resources/core/tolerations.ts';
import { timeOf } from '../objects.ts';

/** The taints of a device that make pods go. */
export const noExecute = ({ taints = [] }: Device): DeviceTaint[] =>
  taints.filter(({ effect }) => effect === 'NoExecute');

/** Whether a slice has a device with such a taint. */
export const isTainted = (slice: ResourceSlice | undefined): boolean =>
  slice?.spec?.devices?.some((device) => noExecute(device).length > 0) === true;

/** Whether an allocated device is of the slice's pool. */
export const isOfPool = ({ driver, pool }: DeviceRequestAllocationResult, { spec }: ResourceSlice): boolean =>
  driver === spec?.driver && pool === spec?.pool?.name;

/** The device as the newest generation of its pool has it. */
function deviceOf(result: DeviceRequestAllocationResult, slices: readonly ResourceSlice[]): Device | undefined {
  const pool = slices.filter((slice) => isOfPool(result, slice));
  const newest = Math.max(...pool.map(({ spec }) => spec?.pool?.generation ?? 0));
  return pool
    .filter(({ spec }) => (spec?.pool?.generation ?? 0) === newest)
    .flatMap(({ spec }) => spec?.devices ?? [])
    .find(({ name }) => name === result.device);
}

/** Until when a taint is tolerated, in ms since the epoch; Infinity: for ever. Of several tolerations the shortest counts. */
function toleratedUntil({ tolerations = [] }: DeviceRequestAllocationResult, taint: DeviceTaint): number {
  const answers = tolerations.filter((one) => one.effect === 'NoExecute' && tolerates(one, taint));
  if (answers.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return Number.POSITIVE_INFINITY;
  const seconds = answers.map(({ tolerationSeconds = 0 }) => Math.max(0, tolerationSeconds));
  return timeOf(taint.timeAdded) + (seconds.length === 0 ? 0 : Math.min(...seconds) * 1000);
}

/** The names of the pod's claims; one that was not made yet has no devices. */
export function claimNames({ spec, status }: Pod): string[] {
  return (spec?.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const made = status?.resourceClaimStatuses?.find((one) => one.name === name)?.resourceClaimName;
    return resourceClaimName ?? made ?? [];
  });
}

/** When the pod has to go, in ms since the epoch; Infinity: not at all. `claims`: those that it names. */
export function evictionTime(pod: Pod, claims: readonly ResourceClaim[], slices: readonly ResourceSlice[]): number {
  if (!pod.spec?.nodeName) return Number.POSITIVE_INFINITY;
  const results = claims
    .filter(({ status }) => status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid))
    .flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
  const times = results.flatMap((result) =>
    noExecute(deviceOf(result, slices) ?? {}).map((taint) => toleratedUntil(result, taint)),
  );
  return Math.min(...times);
}
