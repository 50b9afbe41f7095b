/** EndpointSlices of Services with a selector. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Node, Pod, Service } from '../../generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type Controller, type ControllerContext, itself, type ObjectChange } from '../controller.ts';
import {
  endpointSelector,
  HEADLESS,
  hostnameOf,
  isEndpoint,
  isHeadless,
  LAST_CHANGE,
  portsOf,
  servicesOfPod,
  targetRef,
} from '../endpoints/addresses.ts';
import { formatSelector } from '../labels.ts';
import { controllerRef, deleteIfPresent } from '../objects.ts';
import { isPodReady } from '../pods.ts';
import { type EndpointGroup, planSlices, type WantedSlice } from './slices.ts';

const SLICES = 'discovery.k8s.io/endpointslices';
export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const SELF = 'endpointslice-controller.k8s.io';
const ZONE = 'topology.kubernetes.io/zone';

function endpointOf(service: Service, pod: Pod, address: string, zone: string | undefined): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(service, pod);
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: targetRef(pod),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone === undefined ? {} : { zone }),
  };
}

/** The endpoints of a Service by address type and ports; an address type without any has one empty group. */
function groupsOf(service: Service, pods: readonly Pod[], zones: ReadonlyMap<string, string>): EndpointGroup[] {
  const groups: EndpointGroup[] = [];
  for (const addressType of service.spec?.ipFamilies ?? ['IPv4']) {
    const byPorts = new Map<string, EndpointGroup>();
    for (const pod of pods) {
      if (!isEndpoint(pod, true)) continue;
      const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP];
      const address = addresses.find((ip) => ip?.includes(':') === (addressType === 'IPv6'));
      const ports = portsOf(service, pod);
      // A Service that has ports but none that this pod serves does not reach it.
      if (address === undefined || (ports.length === 0 && (service.spec?.ports?.length ?? 0) > 0)) continue;
      const key = JSON.stringify(ports);
      const group = byPorts.get(key) ?? { addressType, ports, endpoints: [] };
      group.endpoints.push(endpointOf(service, pod, address, zones.get(pod.spec?.nodeName ?? '')));
      byPorts.set(key, group);
    }
    if (byPorts.size === 0) groups.push({ addressType, ports: [], endpoints: [] });
    else groups.push(...byPorts.values());
  }
  return groups;
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: SELF,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
}

async function writeSlice(client: Client, service: Service, wanted: WantedSlice, context: ControllerContext) {
  const { slice, group, endpoints } = wanted;
  const labels = labelsOf(service);
  // Without endpoints upstream writes null ports.
  const ports = group.ports.length === 0 ? null : group.ports;
  const same =
    slice !== undefined &&
    deepEqual(slice.endpoints ?? [], endpoints) &&
    deepEqual(slice.ports ?? [], group.ports) &&
    deepEqual(slice.metadata.labels, labels);
  if (same) return;
  const annotations = { ...slice?.metadata.annotations, [LAST_CHANGE]: now(context.now()) };
  const content = { addressType: group.addressType, endpoints, ports: ports as EndpointSlice['ports'] };
  if (slice !== undefined) {
    await client.update<EndpointSlice>(SLICES, {
      ...slice,
      metadata: { ...slice.metadata, labels, annotations },
      ...content,
    });
    return;
  }
  await client.create<EndpointSlice>(SLICES, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels,
      annotations,
      ownerReferences: [controllerRef(service, 'v1', 'Service')],
    },
    ...content,
  });
}

/** The Service of a slice of ours. */
async function serviceOfSlice(change: ObjectChange): Promise<string[]> {
  const { labels } = ((await change.object()) ?? change.previous)?.metadata ?? {};
  const service = labels?.[MANAGED_BY] === SELF ? labels[SERVICE_NAME] : undefined;
  return service === undefined ? [] : [`${change.namespace}/${service}`];
}

async function zonesOf(client: Client, pods: readonly Pod[]): Promise<Map<string, string>> {
  if (!pods.some((pod) => pod.spec?.nodeName)) return new Map();
  const { items } = await client.list<Node>('core/nodes');
  return new Map(
    items.flatMap(({ metadata }) => {
      const zone = metadata.labels?.[ZONE];
      return zone === undefined ? [] : [[metadata.name, zone] as const];
    }),
  );
}

/** Upstream's `endpointslice-controller`. */
export const endpointSliceController: Controller = {
  name: 'endpoint-slice-controller',
  watches: [
    { resource: 'core/services', keys: itself },
    { resource: 'core/pods', keys: servicesOfPod },
    { resource: SLICES, keys: serviceOfSlice },
  ],
  async reconcile(client, { namespace, name }, context) {
    const service = await client.get<Service>('core/services', namespace, name);
    // Slices of a Service that is gone are the garbage collector's.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const matchLabels = endpointSelector(service);
    if (matchLabels === undefined) return;
    const [pods, slices] = await Promise.all([
      client.list<Pod>('core/pods', { namespace, labelSelector: formatSelector({ matchLabels }) }),
      client.list<EndpointSlice>(SLICES, { namespace, labelSelector: `${SERVICE_NAME}=${name},${MANAGED_BY}=${SELF}` }),
    ]);
    const zones = await zonesOf(client, pods.items);
    const existing = slices.items.filter((slice) => slice.metadata.deletionTimestamp === undefined);
    const plan = planSlices(existing, groupsOf(service, pods.items, zones));
    for (const wanted of plan.write) await writeSlice(client, service, wanted, context);
    for (const slice of plan.remove) await deleteIfPresent(client, SLICES, slice);
    return;
  },
};
