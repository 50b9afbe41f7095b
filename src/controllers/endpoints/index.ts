/** Endpoints of Services with a selector: what came before EndpointSlices. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import { sortedByKey } from '../../apimachinery/meta.ts';
import type { EndpointAddress, Endpoints, Pod, Service } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself, type ObjectChange } from '../controller.ts';
import { endpointSelector, HEADLESS, isHeadless, LAST_CHANGE, servicesOfPod, triggerTime } from './addresses.ts';
import { subsetsOf, truncate } from './subsets.ts';

const ENDPOINTS = 'core/endpoints';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

/** The Endpoints of a pod's uid are ready, not ready, or not there (`undefined`). */
function shownReadiness(current: Endpoints | undefined): (pod: Pod) => boolean | undefined {
  const shown = new Map<string | undefined, boolean>();
  const note = (addresses: EndpointAddress[] = [], ready: boolean): void => {
    for (const { targetRef } of addresses) shown.set(targetRef?.uid, ready);
  };
  for (const subset of current?.subsets ?? []) {
    note(subset.addresses, true);
    note(subset.notReadyAddresses, false);
  }
  return ({ metadata }) => shown.get(metadata.uid);
}

/** The Service's labels and ours. */
function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
  const headless: Record<string, string> = isHeadless(service) ? { [HEADLESS]: '' } : {};
  return sortedByKey({ ...own, [MANAGED_BY]: 'endpoint-controller', ...headless });
}

async function write(client: Client, service: Service, endpoints: Endpoints, { events }: ControllerContext) {
  const creates = endpoints.metadata.resourceVersion === undefined;
  try {
    if (creates) await client.create(ENDPOINTS, endpoints);
    else await client.update(ENDPOINTS, endpoints);
  } catch (error) {
    // A namespace that is being deleted takes no new Endpoints; a conflict is told by nobody, but tried again.
    if (creates && isReason(error, 'Forbidden')) return;
    const { namespace, name } = service.metadata;
    if (!isReason(error, 'Conflict') && error instanceof Error) {
      const what = creates ? 'Failed to create endpoint for service' : 'Failed to update endpoint';
      const reason = creates ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint';
      events.record(endpoints, 'Warning', reason, `${what} ${namespace}/${name}: ${error.message}`);
    }
    throw error;
  }
}

async function remove(client: Client, namespace: string, name: string): Promise<void> {
  try {
    await client.delete(ENDPOINTS, namespace, name);
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}

/** Endpoints of ours, and those whose Service may have gone. */
async function ours(change: ObjectChange): Promise<string[]> {
  const { labels } = ((await change.object()) ?? change.previous)?.metadata ?? {};
  return labels?.[MANAGED_BY] === undefined ? [] : [change.key];
}

/** Upstream's `endpoints-controller`. */
export const endpointsController: Controller = {
  name: 'endpoint-controller',
  watches: [
    { resource: 'core/services', keys: itself },
    { resource: 'core/pods', keys: servicesOfPod },
    { resource: ENDPOINTS, keys: ours },
  ],
  async reconcile(client, { namespace, name }, context) {
    const service = await client.get<Service>('core/services', namespace, name);
    if (service === undefined) {
      await remove(client, namespace, name);
      return;
    }
    const matchLabels = endpointSelector(service);
    if (matchLabels === undefined) return;
    const [pods, current] = await Promise.all([
      client.list<Pod>('core/pods', { namespace, labelSelector: formatLabelSelector({ matchLabels }) }),
      client.get<Endpoints>(ENDPOINTS, namespace, name),
    ]);
    const all = subsetsOf(service, pods.items);
    const subsets = truncate(all);
    const truncated = subsets !== all;
    const labels = labelsOf(service);
    const same =
      current !== undefined &&
      (current.metadata.annotations?.[OVER_CAPACITY] === 'truncated') === truncated &&
      deepEqual(current.subsets ?? [], subsets) &&
      deepEqual(current.metadata.labels ?? {}, labels);
    if (same) return;
    const trigger = triggerTime(service, pods.items, current !== undefined, shownReadiness(current));
    const { [OVER_CAPACITY]: _, [LAST_CHANGE]: __, ...annotations } = current?.metadata.annotations ?? {};
    if (trigger !== undefined) annotations[LAST_CHANGE] = trigger;
    if (truncated) annotations[OVER_CAPACITY] = 'truncated';
    const metadata = { ...(current?.metadata ?? { name, namespace }), labels, annotations };
    await write(client, service, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets }, context);
    return;
  },
};
