/** EndpointSlices of Endpoints that somebody wrote by hand, for a Service without selector. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { sortedByKey } from '../../apimachinery/meta.ts';
import type { Endpoints, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type Controller, itself } from '../controller.ts';
import { LAST_CHANGE } from '../endpoints/addresses.ts';
import { MANAGED_BY, SERVICE_NAME, slicePrefix } from '../endpointslice/index.ts';
import { type PlannedSlice, planSlices } from '../endpointslice/slices.ts';
import type { EventRecorder } from '../events.ts';
import { controllerRef, deleteIfPresent } from '../objects.ts';
import { MAX_MIRRORED, type Mirror, mirrorOf } from './mirror.ts';

const SLICES = 'discovery.k8s.io/endpointslices';
const SELF = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function shouldMirror(endpoints: Endpoints | undefined): endpoints is Endpoints {
  if (endpoints === undefined || endpoints.metadata.deletionTimestamp !== undefined) return false;
  const { labels, annotations } = endpoints.metadata;
  return labels?.[SKIP] !== 'true' && annotations?.[LEADER] === undefined;
}

function tell(events: EventRecorder, endpoints: Endpoints, { invalid, skipped }: Mirror): void {
  const about = { apiVersion: 'v1', kind: 'Endpoints', metadata: endpoints.metadata };
  if (invalid > 0) {
    const message = `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`;
    events.record(about, 'Warning', 'InvalidIPAddress', message);
  }
  if (skipped > invalid) {
    const message =
      `A max of ${MAX_MIRRORED} addresses can be mirrored to EndpointSlices per Endpoints subset. ` +
      `${skipped} addresses were skipped`;
    events.record(about, 'Warning', 'TooManyAddressesToMirror', message);
  }
}

async function writeSlice(client: Client, endpoints: Endpoints, planned: PlannedSlice): Promise<void> {
  const { name, namespace } = endpoints.metadata;
  const labels = sortedByKey({ ...endpoints.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: SELF });
  const { [LAST_APPLIED]: _, [LAST_CHANGE]: __, ...annotations } = endpoints.metadata.annotations ?? {};
  const { existing, addressType, endpoints: held, ports } = planned;
  const content = { addressType, endpoints: held, ports };
  if (existing === undefined) {
    const ownerReferences = [controllerRef(endpoints, 'v1', 'Endpoints')];
    const metadata = { name: '', generateName: slicePrefix(name), namespace, labels, annotations, ownerReferences };
    const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
    await client.create<EndpointSlice>(SLICES, { ...kind, metadata, ...content });
    return;
  }
  const { labels: oldLabels, annotations: oldAnnotations = {} } = existing.metadata;
  const before = { addressType, endpoints: existing.endpoints ?? [], ports: existing.ports ?? [] };
  if (deepEqual(before, content) && deepEqual(oldLabels, labels) && deepEqual(oldAnnotations, annotations)) return;
  const metadata = { ...existing.metadata, labels, annotations };
  await client.update<EndpointSlice>(SLICES, { ...existing, metadata, ...content });
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
  async reconcile(client, { namespace, name }, { events }) {
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
    const remove = new Set(items);
    if (wanted) {
      const mirror = mirrorOf(endpoints);
      tell(events, endpoints, mirror);
      const owned = ({ metadata }: EndpointSlice): boolean =>
        metadata.ownerReferences?.some(({ uid }) => uid === endpoints.metadata.uid) === true;
      for (const addressType of new Set(mirror.groups.map((group) => group.addressType))) {
        const existing = items.filter((slice) => slice.addressType === addressType);
        const groups = mirror.groups.filter((group) => group.addressType === addressType);
        // A subset is one slice; only equal ports in several subsets can need more.
        for (const planned of planSlices(existing, groups, addressType, MAX_MIRRORED, owned).slices) {
          if (planned.existing !== undefined) remove.delete(planned.existing);
          await writeSlice(client, endpoints, planned);
        }
      }
    }
    for (const slice of remove) await deleteIfPresent(client, SLICES, slice);
    return;
  },
};
