/** What endpoints a Service wants, by address type and ports. Pure. */
import type { Node, Pod, Service } from '../../generated/types/core.v1.ts';
import type { Endpoint } from '../../generated/types/discovery.v1.ts';
import { addressesOf, hostnameOf, isEndpoint, portsOf, targetRef } from '../endpoints/addresses.ts';
import { isPodReady } from '../pods.ts';
import type { EndpointGroup } from './slices.ts';

const ZONE = 'topology.kubernetes.io/zone';

/** The address types of a Service: its families; of one without any as its address says, or both. */
export function addressTypesOf({ spec }: Service): string[] {
  const families = spec?.ipFamilies ?? [];
  if (families.length > 0) return families;
  const { clusterIP = '' } = spec ?? {};
  if (clusterIP === '' || clusterIP === 'None') return ['IPv4', 'IPv6'];
  return [clusterIP.includes(':') ? 'IPv6' : 'IPv4'];
}

function endpointOf(service: Service, pod: Pod, addresses: string[], node: Node | undefined): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(service, pod);
  const zone = node?.metadata.labels?.[ZONE];
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: targetRef(pod),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}

/**
 * The endpoints of an address type by their ports. A pod that serves none of the Service's ports is an endpoint without ports. One on a
 * node that is gone is none, unless not-ready addresses are wanted too; the node's return brings the Service back.
 */
export function groupsOf(
  service: Service,
  pods: readonly Pod[],
  nodes: ReadonlyMap<string, Node>,
  addressType: string,
): EndpointGroup[] {
  const byPorts = new Map<string, EndpointGroup>();
  for (const pod of pods) {
    if (!isEndpoint(pod, true)) continue;
    const node = nodes.get(pod.spec?.nodeName ?? '');
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) continue;
    const addresses = addressesOf(pod, addressType);
    if (addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const group = byPorts.get(key) ?? { addressType, ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod, addresses, node));
    byPorts.set(key, group);
  }
  return [...byPorts.values()];
}
