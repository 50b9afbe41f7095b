/** EndpointSlices of Endpoints that somebody wrote by hand, for a Service without selector. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { EndpointAddress, Endpoints, Service } from '../../generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type Controller, itself } from '../controller.ts';
import { LAST_CHANGE } from '../endpoints/addresses.ts';
import { MANAGED_BY, SERVICE_NAME } from '../endpointslice/index.ts';
import { type EndpointGroup, planSlices } from '../endpointslice/slices.ts';
import { controllerRef, deleteIfPresent } from '../objects.ts';

const SLICES = 'discovery.k8s.io/endpointslices';
const SELF = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Of one subset. */
const MAX_MIRRORED = 1000;

function shouldMirror(endpoints: Endpoints | undefined): endpoints is Endpoints {
  if (endpoints === undefined || endpoints.metadata.deletionTimestamp !== undefined) return false;
  const { labels, annotations } = endpoints.metadata;
  return labels?.[SKIP] !== 'true' && annotations?.[LEADER] === undefined;
}

function endpointOf(address: EndpointAddress, ready: boolean): Endpoint {
  const { ip = '', hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName === undefined ? {} : { nodeName }),
  };
}

function groupsOf({ subsets = [] }: Endpoints): EndpointGroup[] {
  return subsets.flatMap((subset) => {
    const ports = (subset.ports ?? []).map(({ name = '', protocol = 'TCP', port = 0, appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const all = [
      ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
    ].slice(0, MAX_MIRRORED);
    return ['IPv4', 'IPv6'].flatMap((addressType) => {
      const endpoints = all.filter(({ addresses }) => addresses?.[0]?.includes(':') === (addressType === 'IPv6'));
      return endpoints.length === 0 ? [] : [{ addressType, ports, endpoints }];
    });
  });
}

/** Upstream's `endpointslice-mirroring-controller`. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpoint-slice-mirroring-controller',
  watches: [
    { resource: 'core/endpoints', keys: itself },
    { resource: 'core/services', keys: itself },
    {
      resource: SLICES,
      keys: async (change) => {
        const { labels } = ((await change.object()) ?? change.previous)?.metadata ?? {};
        const service = labels?.[MANAGED_BY] === SELF ? labels[SERVICE_NAME] : undefined;
        return service === undefined ? [] : [`${change.namespace}/${service}`];
      },
    },
  ],
  async reconcile(client, { namespace, name }) {
    const [service, endpoints] = await Promise.all([
      client.get<Service>('core/services', namespace, name),
      client.get<Endpoints>('core/endpoints', namespace, name),
    ]);
    const wanted = service !== undefined && service.spec?.selector === undefined && shouldMirror(endpoints);
    // The endpoints controller's work makes most of the changes: they need no look at the slices.
    if (service?.spec?.selector !== undefined && endpoints?.metadata.deletionTimestamp === undefined) {
      if (endpoints === undefined || endpoints.metadata.labels?.['endpoints.kubernetes.io/managed-by']) return;
    }
    const labelSelector = `${SERVICE_NAME}=${name},${MANAGED_BY}=${SELF}`;
    const { items } = await client.list<EndpointSlice>(SLICES, { namespace, labelSelector });
    if (!wanted) {
      for (const slice of items) await deleteIfPresent(client, SLICES, slice);
      return;
    }
    const plan = planSlices(items, groupsOf(endpoints));
    const labels = { ...endpoints.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: SELF };
    const { [LAST_APPLIED]: _, [LAST_CHANGE]: __, ...annotations } = endpoints.metadata.annotations ?? {};
    for (const { slice, group, endpoints: held } of plan.write) {
      const content = { addressType: group.addressType, endpoints: held, ports: group.ports };
      if (slice === undefined) {
        await client.create<EndpointSlice>(SLICES, {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: {
            name: '',
            generateName: `${name}-`,
            namespace,
            labels,
            annotations,
            ownerReferences: [controllerRef(endpoints, 'v1', 'Endpoints')],
          },
          ...content,
        });
        continue;
      }
      const { labels: oldLabels, annotations: oldAnnotations = {} } = slice.metadata;
      const before = { addressType: slice.addressType, endpoints: slice.endpoints ?? [], ports: slice.ports ?? [] };
      if (deepEqual(before, content) && deepEqual(oldLabels, labels) && deepEqual(oldAnnotations, annotations))
        continue;
      await client.update<EndpointSlice>(SLICES, {
        ...slice,
        metadata: { ...slice.metadata, labels, annotations },
        ...content,
      });
    }
    for (const slice of plan.remove) await deleteIfPresent(client, SLICES, slice);
    return;
  },
};
