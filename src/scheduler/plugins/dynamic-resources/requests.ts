/** What a claim asks for, made ready for a search. */
import { selectsDevice } from '../../../apimachinery/cel/devices.ts';
import type { Budget } from '../../../apimachinery/cel/program.ts';
import type {
  CapacityRequirements,
  DeviceClass,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ResourceClaim,
} from '../../../generated/types/resource.v1.ts';
import { keyOf } from './claims.ts';
import type { PoolDevice } from './pools.ts';

/** Devices that one claim can have (`AllocationResultsMaxSize`). */
export const MOST_RESULTS = 32;

/** One way to satisfy a request. */
export interface Wanted {
  readonly claim: ResourceClaim;
  /** `request`, or `request/subrequest`. */
  readonly name: string;
  /** The request's own name. */
  readonly request: string;
  readonly class: DeviceClass;
  readonly all: boolean;
  readonly count: number;
  readonly adminAccess: boolean;
  readonly selectors: readonly DeviceSelector[];
  readonly tolerations: readonly DeviceToleration[];
  readonly capacity: CapacityRequirements | undefined;
  /** What selectors said of devices. */
  readonly matches: Map<PoolDevice, boolean>;
}

export interface ClaimPlan {
  readonly claim: ResourceClaim;
  /** For each request its alternatives, the best first. */
  readonly requests: readonly (readonly Wanted[])[];
}

type FindClass = (name: string) => DeviceClass | undefined;

/** The class that a request names; a text when there is none (`validateDeviceClass`). */
export function classProblem({ spec }: ResourceClaim, find: FindClass): string | undefined {
  for (const { name, exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    for (const sub of exactly === undefined ? firstAvailable : [exactly as DeviceSubRequest]) {
      const request = exactly === undefined ? `${name}/${sub.name}` : name;
      if (find(sub.deviceClassName ?? '') === undefined) {
        return `request ${request}: device class ${sub.deviceClassName} does not exist`;
      }
    }
  }
  return undefined;
}

/** Makes a claim ready; all its classes exist. Throws an Error for what cannot be satisfied anywhere. */
export function planClaim(claim: ResourceClaim, find: FindClass): ClaimPlan {
  const requests = (claim.spec?.devices?.requests ?? []).map(({ name = '', exactly, firstAvailable = [] }) =>
    exactly === undefined
      ? firstAvailable.map((sub) => wanted(claim, name, `${name}/${sub.name}`, sub, find))
      : [wanted(claim, name, name, exactly, find)],
  );
  const least = requests.reduce((sum, ways) => sum + Math.min(...ways.map(({ count }) => count)), 0);
  if (least > MOST_RESULTS) {
    const limit = `exceeds the claim limit of ${MOST_RESULTS}`;
    throw new Error(`claim ${keyOf(claim)}: number of requested devices ${least} ${limit}`);
  }
  return { claim, requests };
}

function wanted(
  claim: ResourceClaim,
  request: string,
  name: string,
  asked: DeviceSubRequest & { adminAccess?: boolean },
  find: FindClass,
): Wanted {
  const { deviceClassName = '', allocationMode, count = 1, adminAccess, selectors, tolerations, capacity } = asked;
  const found = find(deviceClassName);
  if (found === undefined) throw new Error(`request ${name}: device class ${deviceClassName} does not exist`);
  const all = allocationMode === 'All';
  return {
    claim,
    name,
    request,
    class: found,
    all,
    // How many all are depends on the node.
    count: all ? 0 : count,
    adminAccess: adminAccess === true,
    selectors: selectors ?? [],
    tolerations: tolerations ?? [],
    capacity,
    matches: new Map(),
  };
}

/** Whether the selectors of class and request choose the device. Throws an Error that names the one that cannot tell. */
export function matches(asked: Wanted, device: PoolDevice, budget: Budget): boolean {
  let known = asked.matches.get(device);
  if (known === undefined) {
    known =
      all(asked.class.spec?.selectors, device, budget, `class ${asked.class.metadata.name}`) &&
      all(asked.selectors, device, budget, `claim ${keyOf(asked.claim)}`);
    asked.matches.set(device, known);
  }
  return known;
}

function all(selectors: readonly DeviceSelector[] = [], device: PoolDevice, budget: Budget, whose: string): boolean {
  return selectors.every(({ cel }, index) => {
    try {
      return selectsDevice(cel?.expression ?? '', device.variable, budget);
    } catch (error) {
      throw new Error(`${whose}: selector #${index}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
