/** What a whole pod asks for and may use at most (`resource.PodRequests`, `resource.PodLimits`), exact. */
import { findCondition } from '../../apimachinery/conditions.ts';
import type { Container, ContainerStatus, Pod } from '../../generated/types/core.v1.ts';
import { addLists, maxLists, type ResourceList } from '../quota/resource-list.ts';

export interface PodResourcesOptions {
  /** Count what a container still holds while it is being resized. */
  withStatus?: boolean;
  /** Leave out what the pod says as a whole, and its overhead. */
  containersOnly?: boolean;
  /** Leave out its overhead. */
  withoutOverhead?: boolean;
}

type Kind = 'requests' | 'limits';

const POD_LEVEL = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

const leavesOverhead = ({ containersOnly, withoutOverhead }: PodResourcesOptions): boolean =>
  containersOnly === true || withoutOverhead === true;

/** Requests of the containers and sidecars together, or of the most demanding init container; pod-level ones and overhead on top. */
export function podRequests(pod: Pod, options: PodResourcesOptions = {}): ResourceList {
  const total = podResources(pod, 'requests', options);
  return leavesOverhead(options) ? total : addLists(total, pod.spec?.overhead ?? {});
}

/** As {@link podRequests}; overhead raises only limits that there are. */
export function podLimits(pod: Pod, options: PodResourcesOptions = {}): ResourceList {
  const total = podResources(pod, 'limits', options);
  if (leavesOverhead(options)) return total;
  const overhead = Object.entries(pod.spec?.overhead ?? {}).filter(([name]) => Object.hasOwn(total, name));
  return addLists(total, Object.fromEntries(overhead));
}

/** Whether the pod itself, not its containers, says what it needs (`IsPodLevelResourcesSet`). */
export function hasPodLevelResources({ spec }: Pod): boolean {
  const { requests = {}, limits = {} } = spec?.resources ?? {};
  return [...Object.keys(requests), ...Object.keys(limits)].some(POD_LEVEL);
}

function podResources(pod: Pod, kind: Kind, options: PodResourcesOptions): ResourceList {
  const of = options.withStatus ? heldBy(pod, kind) : (container: Container) => container.resources?.[kind] ?? {};
  let total: ResourceList = {};
  for (const container of pod.spec?.containers ?? []) total = addLists(total, of(container));
  let sidecars: ResourceList = {};
  let peak: ResourceList = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const own = of(container);
    if (container.restartPolicy === 'Always') {
      total = addLists(total, own);
      sidecars = addLists(sidecars, own);
      peak = maxLists(peak, sidecars);
    } else {
      peak = maxLists(peak, addLists(own, sidecars));
    }
  }
  total = maxLists(total, peak);
  if (options.containersOnly) return total;
  const podLevel = Object.entries(pod.spec?.resources?.[kind] ?? {}).filter(([name]) => POD_LEVEL(name));
  return { ...total, ...Object.fromEntries(podLevel) };
}

/** During a resize a container counts by the most of what it asks for, was given and has; of a resize that cannot be, what was asked does not count. */
function heldBy({ spec, status }: Pod, kind: Kind): (container: Container) => ResourceList {
  const statuses = new Map<string, ContainerStatus>();
  for (const one of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    statuses.set(one.name ?? '', one);
  }
  const pending = findCondition(status?.conditions, 'PodResizePending');
  const infeasible = pending?.reason === 'Infeasible' && spec !== undefined;
  return (container) => {
    const asked = container.resources?.[kind] ?? {};
    const known = statuses.get(container.name ?? '');
    if (known?.resources === undefined) return asked;
    const given = kind === 'requests' ? (known.allocatedResources ?? {}) : {};
    const held = maxLists(known.resources[kind] ?? {}, given);
    return infeasible ? held : maxLists(asked, held);
  };
}
