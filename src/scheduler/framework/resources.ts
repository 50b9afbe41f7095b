/** Amounts of resources as plain numbers: exact enough for sums over a node. */
import { toMilli, toNumber } from '../../apimachinery/quantity.ts';
import type { Container, ContainerStatus, Pod } from '../../generated/types/core.v1.ts';

/** By resource name: cpu in thousandths of a core, everything else in its own unit. */
export type Resources = Record<string, number>;

/** Upstream's stand-ins for containers without requests, so that spreading works for them too. */
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/** Adds in place. */
export function add(total: Resources, more: Readonly<Resources>): void {
  for (const name in more) total[name] = (total[name] ?? 0) + (more[name] as number);
}

/** Subtracts in place. */
export function subtract(total: Resources, less: Readonly<Resources>): void {
  for (const name in less) total[name] = (total[name] ?? 0) - (less[name] as number);
}

function raise(total: Resources, other: Readonly<Resources>): void {
  for (const name in other) total[name] = Math.max(total[name] ?? 0, other[name] as number);
}

/** A list of quantities as numbers. */
export function amounts(list: Readonly<Record<string, string>> | undefined): Resources {
  const resources: Resources = {};
  for (const [name, quantity] of Object.entries(list ?? {})) {
    resources[name] = name === 'cpu' ? toMilli(quantity) : toNumber(quantity);
  }
  return resources;
}

/** Resources that may stand in `spec.resources` (`IsSupportedPodLevelResource`). */
const POD_LEVEL = /^(cpu|memory|hugepages-.+)$/;

/**
 * The requests of a pod (`resource.PodRequests`): the sum of its containers and sidecars, or the most that an init container needs
 * together with the sidecars before it; pod-level requests come first, overhead on top. A container that is being resized counts
 * with the most of what it asks for, was granted and has.
 */
export function podRequests(pod: Pod, of: (container: Container) => Resources = requestsOf): Resources {
  const statuses = containerStatuses(pod);
  const asked = (container: Container): Resources => {
    const own = of(container);
    const status = statuses?.get(container.name ?? '');
    if (status === undefined) return own;
    const most = isInfeasible(pod) ? {} : { ...own };
    raise(most, amounts(status.allocatedResources));
    raise(most, amounts(status.resources?.requests));
    return most;
  };
  const total: Resources = {};
  for (const container of pod.spec?.containers ?? []) add(total, asked(container));
  const sidecars: Resources = {};
  const init: Resources = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const own = { ...asked(container) };
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
  for (const [name, amount] of Object.entries(amounts(pod.spec?.resources?.requests))) {
    if (POD_LEVEL.test(name)) total[name] = amount;
  }
  add(total, amounts(pod.spec?.overhead));
  return total;
}

/** cpu and memory with upstream's stand-ins for containers that ask for nothing (`GetNonzeroRequests`). */
export function nonZeroRequests(pod: Pod): { cpu: number; memory: number } {
  const podLevel = pod.spec?.resources?.requests ?? {};
  const { cpu = 0, memory = 0 } = podRequests(pod, (container) => {
    const own = requestsOf(container);
    return {
      cpu: own['cpu'] ?? (podLevel['cpu'] === undefined ? DEFAULT_CPU : 0),
      memory: own['memory'] ?? (podLevel['memory'] === undefined ? DEFAULT_MEMORY : 0),
    };
  });
  return { cpu, memory };
}

const requestsOf = (container: Container): Resources => amounts(container.resources?.requests);

function isInfeasible(pod: Pod): boolean {
  const { conditions = [] } = pod.status ?? {};
  return conditions.some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible');
}

/** Statuses that say what a container was granted or has, by name; undefined when none does. */
export function containerStatuses(pod: Pod): ReadonlyMap<string, ContainerStatus> | undefined {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const telling = all.filter((s) => s.allocatedResources !== undefined || s.resources?.requests !== undefined);
  return telling.length === 0 ? undefined : new Map(telling.map((status) => [status.name ?? '', status]));
}
