/** Endpoints of Services with a selector: what came before EndpointSlices. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { now } from '../../apimachinery/meta.ts';
import type { EndpointAddress, EndpointSubset, Endpoints, Pod, Service } from '../../generated/types/core.v1.ts';
import { type Controller, itself } from '../controller.ts';
import { formatSelector } from '../labels.ts';
import { isPodReady } from '../pods.ts';
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
} from './addresses.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
/** Of one Endpoints object. */
const MAX_ADDRESSES = 1000;

/** Addresses by the ports that they serve, ready and not ready apart, in order (`RepackSubsets`). */
function subsetsOf(service: Service, pods: readonly Pod[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true;
  const hasPorts = (service.spec?.ports?.length ?? 0) > 0;
  const members = pods.filter((pod) => isEndpoint(pod, publishNotReady));
  const chosen = [...members].sort((a, b) => Number(isPodReady(b)) - Number(isPodReady(a))).slice(0, MAX_ADDRESSES);
  const bySubset = new Map<string, EndpointSubset>();
  for (const pod of chosen) {
    const ports = portsOf(service, pod).map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port }));
    if (ports.length === 0 && hasPorts) continue;
    const hostname = hostnameOf(service, pod);
    const address: EndpointAddress = {
      ip: pod.status?.podIP ?? '',
      ...(hostname === undefined ? {} : { hostname }),
      ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
      targetRef: targetRef(pod),
    };
    ports.sort((a, b) => a.port - b.port || ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
    const key = JSON.stringify(ports);
    const subset = bySubset.get(key) ?? { ...(ports.length === 0 ? {} : { ports }) };
    const list = publishNotReady || isPodReady(pod) ? 'addresses' : 'notReadyAddresses';
    subset[list] = [...(subset[list] ?? []), address];
    bySubset.set(key, subset);
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress): number => ((a.ip ?? '') < (b.ip ?? '') ? -1 : 1);
  const subsets = [...bySubset].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset);
  for (const subset of subsets) {
    subset.addresses?.sort(byIp);
    subset.notReadyAddresses?.sort(byIp);
  }
  return { subsets, truncated: members.length > MAX_ADDRESSES };
}

/** Upstream's `endpoints-controller`. */
export const endpointsController: Controller = {
  name: 'endpoint-controller',
  watches: [
    { resource: 'core/services', keys: itself },
    { resource: 'core/pods', keys: servicesOfPod },
    {
      resource: 'core/endpoints',
      keys: async (change) => {
        const { labels } = ((await change.object()) ?? change.previous)?.metadata ?? {};
        return labels?.[MANAGED_BY] === undefined ? [] : [change.key];
      },
    },
  ],
  async reconcile(client, { namespace, name }, context) {
    const service = await client.get<Service>('core/services', namespace, name);
    if (service === undefined) {
      try {
        await client.delete('core/endpoints', namespace, name);
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
      return;
    }
    const matchLabels = endpointSelector(service);
    if (matchLabels === undefined) return;
    const [pods, current] = await Promise.all([
      client.list<Pod>('core/pods', { namespace, labelSelector: formatSelector({ matchLabels }) }),
      client.get<Endpoints>('core/endpoints', namespace, name),
    ]);
    const { subsets, truncated } = subsetsOf(service, pods.items);
    const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
    const labels = {
      ...own,
      [MANAGED_BY]: 'endpoint-controller',
      ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
    };
    const over = current?.metadata.annotations?.[OVER_CAPACITY] === 'truncated';
    const same =
      current !== undefined &&
      over === truncated &&
      deepEqual(current.subsets ?? [], subsets) &&
      deepEqual(current.metadata.labels ?? {}, labels);
    if (same) return;
    const { [OVER_CAPACITY]: __, ...kept } = current?.metadata.annotations ?? {};
    const annotations: Record<string, string> = { ...kept, [LAST_CHANGE]: now(context.now()) };
    if (truncated) annotations[OVER_CAPACITY] = 'truncated';
    if (current !== undefined) {
      await client.update<Endpoints>('core/endpoints', {
        ...current,
        metadata: { ...current.metadata, labels, annotations },
        subsets,
      });
      return;
    }
    const metadata = { name, namespace, labels, annotations };
    await client.create<Endpoints>('core/endpoints', { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
    return;
  },
};
