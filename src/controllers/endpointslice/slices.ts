/** The EndpointSlices of one address type, made of what there is with as few writes as possible. Pure. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Endpoint, EndpointSlice } from '../../generated/types/discovery.v1.ts';
import type { ResolvedPort } from '../endpoints/addresses.ts';

/** Endpoints of one address type that share their ports, and so may share a slice. */
export interface EndpointGroup {
  addressType: string;
  ports: ResolvedPort[];
  endpoints: Endpoint[];
}

/** A slice as it shall be. */
export interface PlannedSlice {
  /** The slice that becomes this; absent for a new one. */
  existing?: EndpointSlice;
  addressType: string;
  ports: ResolvedPort[];
  endpoints: Endpoint[];
  /** New, or of other endpoints than `existing`; the endpoints of the others are those that are there, hints included. */
  changed: boolean;
}

export interface SlicePlan {
  slices: PlannedSlice[];
  remove: EndpointSlice[];
}

const identity = ({ addresses, targetRef }: Endpoint): string => `${targetRef?.uid ?? ''} ${addresses?.join(' ')}`;

const portsKey = (ports: readonly object[] | undefined): string =>
  (ports ?? [])
    .map((port) => JSON.stringify(port, ['name', 'protocol', 'port', 'appProtocol']))
    .sort()
    .join();

/** The same endpoint but for hints, which are given later. */
const sameEndpoint = ({ hints: _, ...a }: Endpoint, { hints: __, ...b }: Endpoint): boolean => deepEqual(a, b);

/** Plans an address type. What is not `owned` by the Service, as one of a namesake that is gone, goes. */
export function planSlices(
  existing: readonly EndpointSlice[],
  groups: readonly EndpointGroup[],
  addressType: string,
  max: number,
  owned: (slice: EndpointSlice) => boolean,
): SlicePlan {
  const byPorts = Map.groupBy(existing.filter(owned), ({ ports }) => portsKey(ports));
  const plan: SlicePlan = { slices: [], remove: existing.filter((slice) => !owned(slice)) };
  for (const group of groups) {
    const key = portsKey(group.ports);
    const packed = packGroup(byPorts.get(key) ?? [], group, max);
    byPorts.delete(key);
    plan.slices.push(...packed.slices);
    plan.remove.push(...packed.remove);
  }
  for (const stale of byPorts.values()) plan.remove.push(...stale);
  // An address type without endpoints has one empty slice, so that nobody waits for the first.
  if (plan.slices.length === 0) {
    const placeholder = plan.remove.find(
      (slice) => owned(slice) && (slice.ports ?? []).length + (slice.endpoints ?? []).length === 0,
    );
    plan.remove = plan.remove.filter((slice) => slice !== placeholder);
    const changed = placeholder === undefined;
    plan.slices.push({ ...(changed ? {} : { existing: placeholder }), addressType, ports: [], endpoints: [], changed });
  }
  // Updating a slice is cheaper for everybody who watches than deleting one and creating another.
  for (const slice of plan.slices.filter((planned) => planned.existing === undefined)) {
    const reused = plan.remove.find(owned);
    if (reused === undefined) break;
    plan.remove = plan.remove.filter((removed) => removed !== reused);
    slice.existing = reused;
  }
  return plan;
}

/** Keeps endpoints where they are, fills what is written anyway, then at most one slice that is not; the rest go into new ones. */
function packGroup(existing: readonly EndpointSlice[], group: EndpointGroup, max: number): SlicePlan {
  const left = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const { addressType, ports } = group;
  const plan: SlicePlan = { slices: [], remove: [] };
  for (const slice of existing) {
    const before = slice.endpoints ?? [];
    const kept = before.flatMap((endpoint) => {
      const wanted = left.get(identity(endpoint));
      left.delete(identity(endpoint));
      return wanted === undefined ? [] : [{ endpoint, wanted }];
    });
    const changed = kept.length < before.length || kept.some((pair) => !sameEndpoint(pair.endpoint, pair.wanted));
    if (changed && kept.length === 0) plan.remove.push(slice);
    else {
      const endpoints = changed ? kept.map(({ wanted }) => wanted) : [...before];
      plan.slices.push({ existing: slice, addressType, ports, endpoints, changed });
    }
  }
  const rest = [...left.values()];
  const fill = (slice: PlannedSlice): void => {
    slice.endpoints.push(...rest.splice(0, Math.max(0, max - slice.endpoints.length)));
    slice.changed = true;
  };
  const fullestFirst = (a: PlannedSlice, b: PlannedSlice): number => b.endpoints.length - a.endpoints.length;
  for (const slice of plan.slices.filter(({ changed }) => changed).sort(fullestFirst)) fill(slice);
  while (rest.length > 0) {
    const fitting = plan.slices
      .filter(({ changed, endpoints }) => !changed && endpoints.length + rest.length <= max)
      .sort(fullestFirst)[0];
    const slice = fitting ?? { addressType, ports, endpoints: [], changed: true };
    if (fitting === undefined) plan.slices.push(slice);
    fill(slice);
  }
  return plan;
}
