/** The EndpointSlices that a set of endpoints wants, made with as few writes as possible. Pure. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Endpoint, EndpointSlice } from '../../generated/types/discovery.v1.ts';
import type { ResolvedPort } from '../endpoints/addresses.ts';

/** Of one slice (`--max-endpoints-per-slice`). */
export const MAX_ENDPOINTS = 100;

/** Endpoints that share their ports, and so may share a slice. */
export interface EndpointGroup {
  addressType: string;
  ports: ResolvedPort[];
  endpoints: Endpoint[];
}

/** What a slice is to hold; `slice` is the one that holds it, absent for a new one. */
export interface WantedSlice {
  slice?: EndpointSlice;
  group: EndpointGroup;
  endpoints: Endpoint[];
}

export interface SlicePlan {
  write: WantedSlice[];
  remove: EndpointSlice[];
}

const identity = (endpoint: Endpoint): string => endpoint.targetRef?.uid ?? endpoint.addresses?.[0] ?? '';

const samePorts = (slice: EndpointSlice, group: EndpointGroup): boolean =>
  slice.addressType === group.addressType && deepEqual(slice.ports ?? [], group.ports);

/** Keeps endpoints where they are, fills what has room, and opens new slices for the rest. */
export function planSlices(existing: readonly EndpointSlice[], groups: readonly EndpointGroup[]): SlicePlan {
  const plan: SlicePlan = { write: [], remove: [] };
  const unused = new Set(existing);
  for (const group of groups) {
    const left = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]));
    const kept = existing.filter((slice) => unused.has(slice) && samePorts(slice, group));
    const holding = kept.map((slice): WantedSlice => {
      unused.delete(slice);
      const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
        const wanted = left.get(identity(endpoint));
        left.delete(identity(endpoint));
        return wanted === undefined ? [] : [wanted];
      });
      return { slice, group, endpoints };
    });
    const rest = [...left.values()];
    // The fullest first, so that the number of slices stays low.
    for (const wanted of [...holding].sort((a, b) => b.endpoints.length - a.endpoints.length)) {
      wanted.endpoints = [...wanted.endpoints, ...rest.splice(0, MAX_ENDPOINTS - wanted.endpoints.length)];
    }
    while (rest.length > 0) holding.push({ group, endpoints: rest.splice(0, MAX_ENDPOINTS) });
    const filled = holding.filter(({ endpoints }) => endpoints.length > 0);
    // A group without endpoints is the placeholder of an address type: one slice, empty.
    const chosen = filled.length > 0 || group.endpoints.length > 0 ? filled : [holding[0] ?? { group, endpoints: [] }];
    plan.write.push(...chosen);
    for (const { slice } of holding.filter((wanted) => !chosen.includes(wanted))) if (slice) plan.remove.push(slice);
  }
  // Slices of ports that nobody serves any more are taken for new ones of the same address type.
  for (const wanted of plan.write) {
    if (wanted.slice !== undefined) continue;
    const reused = [...unused].find((slice) => slice.addressType === wanted.group.addressType);
    if (reused === undefined) continue;
    unused.delete(reused);
    wanted.slice = reused;
  }
  plan.remove.push(...unused);
  return plan;
}
