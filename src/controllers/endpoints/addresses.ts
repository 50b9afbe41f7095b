/** What of a pod goes into the endpoints of a Service. Shared by EndpointSlices and Endpoints. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { selects } from '../../apimachinery/labels.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Pod, Service, ServicePort } from '../../generated/types/core.v1.ts';
import { keyOf, type ObjectChange } from '../controller.ts';
import { timeOf } from '../objects.ts';
import { isPodReady, isPodTerminal, podCondition } from '../pods.ts';

export const HEADLESS = 'service.kubernetes.io/headless';
export const LAST_CHANGE = 'endpoints.kubernetes.io/last-change-trigger-time';

export interface ResolvedPort {
  name: string;
  protocol: string;
  port: number;
  appProtocol?: string;
}

/** The selector of a Service that wants endpoints made for it. */
export function endpointSelector(service: Service): Record<string, string> | undefined {
  const selector = service.spec?.selector;
  if (service.spec?.type === 'ExternalName' || selector === undefined || Object.keys(selector).length === 0) return;
  return selector;
}

/** Without an address of its own (`!IsServiceIPSet`). */
export const isHeadless = ({ spec }: Service): boolean => !spec?.clusterIP || spec.clusterIP === 'None';

/** The pod's addresses of a type (`IPv4`, `IPv6`). */
export function addressesOf({ status }: Pod, addressType: string): string[] {
  const all = status?.podIPs?.map(({ ip = '' }) => ip) ?? [status?.podIP ?? ''];
  return all.filter((ip) => ip !== '' && ip.includes(':') === (addressType === 'IPv6'));
}

/**
 * When the change happened that endpoints are written for, to measure how long that takes: the earliest of the Service's creation, if it
 * has none yet, and the last turn of each pod whose readiness they do not show. Undefined when nothing of that kind happened: a pod went.
 */
export function triggerTime(
  service: Service,
  pods: readonly Pod[],
  exist: boolean,
  shownReady: (pod: Pod) => boolean | undefined,
): string | undefined {
  const turns = pods.flatMap((pod) => {
    const turned = podCondition(pod, 'Ready')?.lastTransitionTime;
    return turned === undefined || shownReady(pod) === isPodReady(pod) ? [] : [turned];
  });
  const created = service.metadata.creationTimestamp;
  return [...turns, ...(exist || created === undefined ? [] : [created])].sort((a, b) => timeOf(a) - timeOf(b))[0];
}

/** Whether the pod is an endpoint at all. */
export function isEndpoint(pod: Pod, withTerminating: boolean): boolean {
  if (isPodTerminal(pod) || (!pod.status?.podIP && !pod.status?.podIPs?.length)) return false;
  return withTerminating || pod.metadata.deletionTimestamp === undefined;
}

/** The number of the port that a Service's `targetPort` means in this pod; undefined where the pod has no port of that name. */
function findPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port ?? 0;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const protocol = port.protocol ?? 'TCP';
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find(
      (candidate) => candidate.name === target && (candidate.protocol ?? 'TCP') === protocol,
    );
    if (found !== undefined) return found.containerPort;
  }
  return /^\d{1,5}$/.test(target) ? Number(target) : undefined;
}

/** The Service's ports as this pod serves them. */
export function portsOf(service: Service, pod: Pod): ResolvedPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = findPort(pod, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** The pod's hostname where DNS is to know it under the Service. */
export function hostnameOf(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** The reference of an address to its pod. */
export const targetRef = (pod: Pod) => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  uid: pod.metadata.uid,
});

/** What of a pod endpoints depend on; the rest of its changes concern no Service. */
function facts({ metadata, spec, status }: Pod) {
  const { labels, deletionTimestamp } = metadata;
  const { podIPs, podIP, phase } = status ?? {};
  const pod = { metadata, spec, status } as Pod;
  return [labels, deletionTimestamp !== undefined, podIPs, podIP, phase, isPodReady(pod), spec?.nodeName];
}

/** Keys of the Services of a namespace that select any of these pods; of all with a selector where none is known. */
export async function servicesSelecting(
  client: Client,
  namespace: string,
  pods: readonly KubeObject[] | undefined,
): Promise<string[]> {
  const { items } = await client.list<Service>('core/services', { namespace });
  const concerned = (service: Service): boolean => {
    const matchLabels = endpointSelector(service);
    if (matchLabels === undefined) return false;
    return pods === undefined || pods.some(({ metadata }) => selects({ matchLabels }, metadata.labels));
  };
  return items.filter(concerned).map(keyOf);
}

/** Keys of the Services that select the pod, or did so before the change. */
export async function servicesOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  const states = [await change.object(), change.previous].filter((state): state is KubeObject => state !== undefined);
  const [after, before] = states as Pod[];
  if (after !== undefined && before !== undefined && change.type === 'MODIFIED') {
    if (deepEqual(facts(after), facts(before))) return [];
  }
  return servicesSelecting(client, change.namespace, states.length === 0 ? undefined : states);
}
