/** The subsets of an Endpoints object. Pure. */
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '../../generated/types/core.v1.ts';
import { isPodReady } from '../pods.ts';
import { addressesOf, hostnameOf, isEndpoint, portsOf, targetRef } from './addresses.ts';

/** Addresses in one Endpoints object. */
const MAX_ADDRESSES = 1000;

interface Member {
  address: EndpointAddress;
  ready: boolean;
}

/** The family of the addresses: the Service's first, or what its own address says, or whatever the pod has first. */
function addressOf({ spec }: Service, pod: Pod): string | undefined {
  const { ipFamilies = [], clusterIP = '' } = spec ?? {};
  const own = clusterIP === '' || clusterIP === 'None' ? undefined : clusterIP.includes(':') ? 'IPv6' : 'IPv4';
  const family = ipFamilies[0] ?? own;
  if (family !== undefined) return addressesOf(pod, family)[0];
  return pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP;
}

function addressFor(service: Service, pod: Pod): EndpointAddress | undefined {
  const ip = addressOf(service, pod);
  if (ip === undefined) return;
  const hostname = hostnameOf(service, pod);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: targetRef(pod),
  };
}

const byIp = (a: EndpointAddress, b: EndpointAddress): number => ((a.ip ?? '') < (b.ip ?? '') ? -1 : 1);
const byPort = (a: EndpointPort, b: EndpointPort): number =>
  (a.port ?? 0) - (b.port ?? 0) || ((a.name ?? '') < (b.name ?? '') ? -1 : 1);

/** Ports that are served by the same addresses are one subset (`RepackSubsets`). */
function repack(byPortText: ReadonlyMap<string, Member[]>): EndpointSubset[] {
  const subsets = new Map<string, { ports: EndpointPort[]; members: Member[] }>();
  for (const [text, members] of byPortText) {
    const key = members
      .map(({ address, ready }) => `${address.ip} ${address.targetRef?.uid} ${ready}`)
      .sort()
      .join();
    const subset = subsets.get(key) ?? { ports: [], members };
    if (text !== '') subset.ports.push(JSON.parse(text) as EndpointPort);
    subsets.set(key, subset);
  }
  return [...subsets.values()].map(({ ports, members }) => {
    const addresses = members.flatMap(({ ready, address }) => (ready ? [address] : [])).sort(byIp);
    const notReadyAddresses = members.flatMap(({ ready, address }) => (ready ? [] : [address])).sort(byIp);
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...(ports.length === 0 ? {} : { ports: ports.sort(byPort) }),
    };
  });
}

/** The same addresses and ports in as few subsets as can be, each port once (`RepackSubsets`). */
export function repackSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  const byPortText = new Map<string, Member[]>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const members = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    const texts = ports.length === 0 ? [''] : ports.map((port) => JSON.stringify(port));
    for (const text of texts) byPortText.set(text, [...(byPortText.get(text) ?? []), ...members]);
  }
  return repack(byPortText);
}

/** All subsets that the pods make; a Service without ports has addresses only when it is headless. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const { publishNotReadyAddresses = false, ports: servicePorts = [], clusterIP } = service.spec ?? {};
  const byPortText = new Map<string, Member[]>();
  const serve = (port: string, member: Member): void => {
    byPortText.set(port, [...(byPortText.get(port) ?? []), member]);
  };
  for (const pod of pods) {
    if (!isEndpoint(pod, publishNotReadyAddresses)) continue;
    const address = addressFor(service, pod);
    if (address === undefined) continue;
    const member = { address, ready: publishNotReadyAddresses || isPodReady(pod) };
    if (servicePorts.length === 0 && clusterIP === 'None') serve('', member);
    for (const { name, port, protocol, appProtocol } of portsOf(service, pod)) {
      serve(JSON.stringify({ ...(name === '' ? {} : { name }), port, protocol, appProtocol }), member);
    }
  }
  return repack(byPortText).sort((a, b) => (JSON.stringify(a.ports) < JSON.stringify(b.ports) ? -1 : 1));
}

const count = (subsets: readonly EndpointSubset[], list: 'addresses' | 'notReadyAddresses'): number =>
  subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0);

/** At most {@link MAX_ADDRESSES}, ready ones before others, of each subset in proportion. Answers what was given when nothing is too much. */
export function truncate(subsets: EndpointSubset[]): EndpointSubset[] {
  const ready = count(subsets, 'addresses');
  const notReady = count(subsets, 'notReadyAddresses');
  if (ready + notReady <= MAX_ADDRESSES) return subsets;
  const cutReady = ready > MAX_ADDRESSES;
  const list = cutReady ? 'addresses' : 'notReadyAddresses';
  const room = cutReady ? MAX_ADDRESSES : MAX_ADDRESSES - ready;
  const total = cutReady ? ready : notReady;
  let left = room;
  return subsets.map((subset) => {
    const all = subset[list] ?? [];
    const kept = all.slice(0, Math.min(left, Math.ceil((all.length / total) * room)));
    left -= kept.length;
    const { notReadyAddresses: _, [list]: __, ...rest } = subset;
    return kept.length === 0 ? rest : { ...rest, [list]: kept };
  });
}
