/** Requests and limits: QoS classes, OOM scores, CPU shares and quotas. */
import type { Container, Pod } from '../../src/generated/types/core.v1.ts';
import type { LinuxContainerResources } from '../runtime/cri-types.ts';
import { allContainers, isSidecar } from './pod.ts';
import { milli, quantity } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const CPU_PERIOD = 100_000;
const MIN_QUOTA = 1000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

/** `kubectl describe`'s QoS Class (`v1qos.GetPodQOS`). */
export function qosClass(pod: Pod): QosClass {
  const own = pod.spec?.resources;
  const parts = own?.requests || own?.limits ? [own] : allContainers(pod).map((container) => container.resources);
  let any = false;
  let guaranteed = true;
  for (const resources of parts) {
    for (const name of ['cpu', 'memory']) {
      const limit = quantity(resources?.limits?.[name]);
      const request = quantity(resources?.requests?.[name] ?? resources?.limits?.[name]);
      if (limit > 0 || request > 0) any = true;
      if (limit === 0 || limit !== request) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** A container's request of `name`: its limit where it has no request. In cores or bytes. */
export function requestOf(container: Container, name: string): number {
  return quantity(container.resources?.requests?.[name] ?? container.resources?.limits?.[name]);
}

/** What the scheduler counts for the pod: sidecars add up with the main containers, other init containers only peak. */
export function podRequest(pod: Pod, name: string): number {
  let sidecars = 0;
  let peak = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    const request = requestOf(container, name);
    if (isSidecar(container)) sidecars += request;
    peak = Math.max(peak, isSidecar(container) ? sidecars : sidecars + request);
  }
  const main = (pod.spec?.containers ?? []).reduce((sum, container) => sum + requestOf(container, name), sidecars);
  const own = pod.spec?.resources?.requests?.[name];
  const total = own === undefined ? Math.max(peak, main) : quantity(own);
  return total + quantity(pod.spec?.overhead?.[name]);
}

/** The pod's limit of `name`, or undefined when a container has none and may take what there is. */
export function podLimit(pod: Pod, name: string): number | undefined {
  const own = pod.spec?.resources?.limits?.[name];
  if (own !== undefined) return quantity(own);
  let sidecars = 0;
  let peak = 0;
  let main = 0;
  for (const container of allContainers(pod)) {
    const limit = quantity(container.resources?.limits?.[name]);
    if (limit === 0) return undefined;
    const isInit = pod.spec?.initContainers?.includes(container) === true;
    if (!isInit) main += limit;
    else if (isSidecar(container)) {
      sidecars += limit;
      peak = Math.max(peak, sidecars);
    } else peak = Math.max(peak, sidecars + limit);
  }
  return Math.max(peak, main + sidecars) + quantity(pod.spec?.overhead?.[name]);
}

/** cgroup v1's `cpu.shares` for a request in cores. */
export function cpuShares(cores: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milli(cores) * 1024) / 1000)));
}

/** Microseconds per {@link CPU_PERIOD}; undefined for no limit. */
export function cpuQuota(cores: number): number | undefined {
  return cores <= 0 ? undefined : Math.max(MIN_QUOTA, Math.ceil((milli(cores) * CPU_PERIOD) / 1000));
}

/** How soon the kernel kills a container when memory runs out: -997 for guaranteed pods to 1000 for best-effort ones. */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacity: number): number {
  const qos = qosClass(pod);
  if (pod.spec?.priorityClassName === 'system-node-critical') return -997;
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = requestOf(container, 'memory');
  const score = 1000 - Math.floor((1000 * request) / memoryCapacity);
  return Math.min(999, Math.max(3, score));
}

/** The resources of a container as CRI takes them. */
export function containerResources(pod: Pod, container: Container, memoryCapacity: number): LinuxContainerResources {
  const limits = container.resources?.limits;
  const quota = cpuQuota(quantity(limits?.['cpu']));
  const memory = quantity(limits?.['memory']);
  return {
    cpuShares: String(cpuShares(requestOf(container, 'cpu'))),
    cpuPeriod: String(CPU_PERIOD),
    ...(quota === undefined ? {} : { cpuQuota: String(quota) }),
    ...(memory > 0 ? { memoryLimitInBytes: String(Math.floor(memory)) } : {}),
    oomScoreAdj: String(oomScoreAdj(pod, container, memoryCapacity)),
  };
}
