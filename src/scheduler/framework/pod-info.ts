/** What a pod asks for, as numbers. */
import type { Container, Pod } from '../../generated/types/core.v1.ts';
import { milliValue, parseQuantity, value } from './quantities.ts';

/** By resource name: cpu in thousandths of a core, everything else in its own unit. */
export type Resources = Record<string, number>;

/** What counts on a node for one pod. */
export interface PodInfo {
  key: string;
  node: string;
  requests: Resources;
  nonZero: { cpu: number; memory: number };
  ports: readonly string[];
}

/** Upstream's stand-ins for containers without requests, so that spreading works for them too. */
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/** Adds in place. */
export function add(total: Resources, more: Resources): void {
  for (const [name, amount] of Object.entries(more)) total[name] = (total[name] ?? 0) + amount;
}

/** Subtracts in place. */
export function subtract(total: Resources, less: Resources): void {
  for (const [name, amount] of Object.entries(less)) total[name] = (total[name] ?? 0) - amount;
}

function raise(total: Resources, other: Resources): void {
  for (const [name, amount] of Object.entries(other)) total[name] = Math.max(total[name] ?? 0, amount);
}

function amounts(list: Readonly<Record<string, string>> | undefined): Resources {
  const resources: Resources = {};
  for (const [name, quantity] of Object.entries(list ?? {})) {
    const parsed = parseQuantity(quantity);
    resources[name] = name === 'cpu' ? milliValue(parsed) : value(parsed);
  }
  return resources;
}

/**
 * The requests of a pod (`resource.PodRequests`): the sum of its containers and sidecars, or the most that an init container needs
 * together with the sidecars before it; pod-level requests come first, overhead on top.
 */
export function podRequests(pod: Pod, of: (container: Container) => Resources = requestsOf): Resources {
  const total: Resources = {};
  for (const container of pod.spec?.containers ?? []) add(total, of(container));
  const sidecars: Resources = {};
  const init: Resources = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const own = { ...of(container) };
    if (container.restartPolicy === 'Always') {
      add(total, own);
      add(sidecars, own);
      raise(init, sidecars);
    } else {
      add(own, sidecars);
      raise(init, own);
    }
  }
  raise(total, init);
  Object.assign(total, amounts(pod.spec?.resources?.requests));
  add(total, amounts(pod.spec?.overhead));
  return total;
}

const requestsOf = (container: Container): Resources => amounts(container.resources?.requests);

function nonZeroOf(container: Container): Resources {
  const own = requestsOf(container);
  return { cpu: own['cpu'] ?? DEFAULT_CPU, memory: own['memory'] ?? DEFAULT_MEMORY };
}

/** Host ports of a pod, as {@link NodeInfo.ports} counts them. */
export function hostPorts(pod: Pod): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => `${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`),
  );
}

/** The numbers of a pod. */
export function podInfo(pod: Pod): PodInfo {
  const nonZero = podRequests(pod, nonZeroOf);
  return {
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    node: pod.spec?.nodeName ?? '',
    requests: podRequests(pod),
    nonZero: { cpu: nonZero['cpu'] ?? 0, memory: nonZero['memory'] ?? 0 },
    ports: hostPorts(pod),
  };
}

/** Whether a pod still holds what it asked for. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
