/** What a custom Endpoints object looks like as endpoints of slices. Pure. */
import type { EndpointAddress, EndpointSubset, Endpoints } from '../../generated/types/core.v1.ts';
import type { Endpoint } from '../../generated/types/discovery.v1.ts';
import { repackSubsets } from '../endpoints/subsets.ts';
import type { EndpointGroup } from '../endpointslice/slices.ts';

/** Addresses of one subset (`--mirroring-max-endpoints-per-subset`). */
export const MAX_MIRRORED = 1000;

export interface Mirror {
  groups: EndpointGroup[];
  /** How many addresses are no IP addresses. */
  invalid: number;
  /** How many addresses were left out, the invalid ones included. */
  skipped: number;
}

const IPV4 = /^(\d{1,3})(\.\d{1,3}){3}$/;

function addressTypeOf(ip: string): string | undefined {
  if (IPV4.test(ip)) return ip.split('.').every((part) => Number(part) <= 255) ? 'IPv4' : undefined;
  return /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(ip) ? 'IPv6' : undefined;
}

function endpointOf({ ip = '', hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName === undefined ? {} : { nodeName }),
  };
}

const portsOf = ({ ports = [] }: EndpointSubset) =>
  ports.map(({ name = '', protocol = 'TCP', port = 0, appProtocol }) => ({
    name,
    protocol,
    port,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));

/** Groups the addresses by ports and address type, ready ones first; the same address in two subsets of the same ports counts once. */
export function mirrorOf({ subsets = [] }: Endpoints): Mirror {
  const groups = new Map<string, EndpointGroup & { seen: Set<string> }>();
  let invalid = 0;
  let skipped = 0;
  for (const subset of repackSubsets(subsets)) {
    const ports = portsOf(subset);
    const all = [
      ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
    ];
    let added = 0;
    for (const endpoint of all) {
      if (added >= MAX_MIRRORED) break;
      const ip = endpoint.addresses?.[0] ?? '';
      const addressType = addressTypeOf(ip);
      if (addressType === undefined) {
        invalid++;
        continue;
      }
      added++;
      const key = JSON.stringify([addressType, ports]);
      const group = groups.get(key) ?? { addressType, ports, endpoints: [], seen: new Set() };
      groups.set(key, group);
      const identity = `${ip} ${endpoint.hostname} ${endpoint.targetRef?.uid}`;
      if (!group.seen.has(identity)) group.endpoints.push(endpoint);
      group.seen.add(identity);
    }
    skipped += all.length - added;
  }
  return { groups: [...groups.values()].map(({ seen: _, ...group }) => group), invalid, skipped };
}
