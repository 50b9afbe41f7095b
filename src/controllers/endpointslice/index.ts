/** EndpointSlices of Services with a selector. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import { sortedByKey } from '../../apimachinery/meta.ts';
import type { Node, Pod, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type Controller, itself, type ObjectChange } from '../controller.ts';
import {
  endpointSelector,
  HEADLESS,
  isHeadless,
  LAST_CHANGE,
  servicesOfPod,
  triggerTime,
} from '../endpoints/addresses.ts';
import { controllerRef, deleteIfPresent } from '../objects.ts';
import { addressTypesOf, groupsOf } from './groups.ts';
import { setHints } from './hints.ts';
import { servicesOfNode } from './nodes.ts';
import { type PlannedSlice, planSlices } from './slices.ts';

const SLICES = 'discovery.k8s.io/endpointslices';
export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const SELF = 'endpointslice-controller.k8s.io';
/** Of one slice (`--max-endpoints-per-slice`). */
const MAX_ENDPOINTS = 100;

/** What a slice's name begins with: a dash would make the longest names invalid. */
export const slicePrefix = (name: string): string => (name.length < 63 ? `${name}-` : name);

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return sortedByKey({
    ...labels,
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: SELF,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  });
}

async function writeSlice(client: Client, service: Service, planned: PlannedSlice, trigger: string | undefined) {
  const { existing, addressType, endpoints, ports } = planned;
  const labels = labelsOf(service);
  const same =
    existing !== undefined &&
    deepEqual(existing.endpoints ?? [], endpoints) &&
    deepEqual(existing.ports ?? [], ports) &&
    deepEqual(existing.metadata.labels, labels);
  if (same) return;
  const { [LAST_CHANGE]: _, ...kept } = existing?.metadata.annotations ?? {};
  const annotations = trigger === undefined ? kept : { ...kept, [LAST_CHANGE]: trigger };
  // Without ports upstream writes null.
  const content = { addressType, endpoints, ports: (ports.length === 0 ? null : ports) as EndpointSlice['ports'] };
  if (existing !== undefined) {
    const metadata = { ...existing.metadata, labels, annotations };
    await client.update<EndpointSlice>(SLICES, { ...existing, metadata, ...content });
    return;
  }
  if (service.metadata.deletionTimestamp !== undefined) return;
  const { name, namespace } = service.metadata;
  try {
    await client.create<EndpointSlice>(SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: '',
        generateName: slicePrefix(name),
        namespace,
        labels,
        annotations,
        ownerReferences: [controllerRef(service, 'v1', 'Service')],
      },
      ...content,
    });
  } catch (error) {
    // A namespace that is being deleted takes no new slices.
    if (!isReason(error, 'Forbidden')) throw error;
  }
}

/** The Service of a slice of ours. */
async function serviceOfSlice(change: ObjectChange): Promise<string[]> {
  const { labels } = ((await change.object()) ?? change.previous)?.metadata ?? {};
  const service = labels?.[MANAGED_BY] === SELF ? labels[SERVICE_NAME] : undefined;
  return service === undefined ? [] : [`${change.namespace}/${service}`];
}

/** Upstream's `endpointslice-controller`. */
export const endpointSliceController: Controller = {
  name: 'endpoint-slice-controller',
  watches: [
    { resource: 'core/services', keys: itself },
    { resource: 'core/pods', keys: servicesOfPod },
    { resource: 'core/nodes', keys: servicesOfNode },
    { resource: SLICES, keys: serviceOfSlice },
  ],
  async reconcile(client, { namespace, name }, { events }) {
    const service = await client.get<Service>('core/services', namespace, name);
    // Slices of a Service that is gone are the garbage collector's.
    if (service === undefined) return;
    const matchLabels = endpointSelector(service);
    if (matchLabels === undefined) return;
    const [pods, slices] = await Promise.all([
      client.list<Pod>('core/pods', { namespace, labelSelector: formatLabelSelector({ matchLabels }) }),
      client.list<EndpointSlice>(SLICES, { namespace, labelSelector: `${SERVICE_NAME}=${name},${MANAGED_BY}=${SELF}` }),
    ]);
    const placed = pods.items.some((pod) => pod.spec?.nodeName);
    const nodes = placed ? (await client.list<Node>('core/nodes')).items : [];
    const nodesByName = new Map(nodes.map((node) => [node.metadata.name, node]));

    const existing = slices.items.filter((slice) => slice.metadata.deletionTimestamp === undefined);
    const owned = (slice: EndpointSlice): boolean =>
      slice.metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) === true;
    const shown = new Map(
      existing.flatMap(({ endpoints }) => endpoints ?? []).map((e) => [e.targetRef?.uid, e.conditions?.serving]),
    );
    const trigger = triggerTime(service, pods.items, existing.some(owned), (pod) => shown.get(pod.metadata.uid));
    const hadHints = existing.some(({ endpoints }) => endpoints?.some(({ hints }) => hints !== undefined));

    const addressTypes = addressTypesOf(service);
    const remove = existing.filter(({ addressType = '' }) => !addressTypes.includes(addressType));
    for (const addressType of addressTypes) {
      const ofType = existing.filter((slice) => slice.addressType === addressType);
      const groups = groupsOf(service, pods.items, nodesByName, addressType);
      const plan = planSlices(ofType, groups, addressType, MAX_ENDPOINTS, owned);
      for (const { type, reason, message } of setHints(service, plan.slices, nodes, hadHints)) {
        const about = { apiVersion: 'v1', kind: 'Service', metadata: service.metadata };
        events.record(about, type, reason, `${message}, addressType: ${addressType}`);
      }
      for (const planned of plan.slices) await writeSlice(client, service, planned, trigger);
      remove.push(...plan.remove);
    }
    for (const slice of remove) await deleteIfPresent(client, SLICES, slice);
    return;
  },
};
