/** The downward API's values: fields of the pod, and resources of its containers. */
import type { Container, Pod, ResourceFieldSelector } from '../../src/generated/types/core.v1.ts';
import { allContainers } from './pod.ts';
import { divided, quantity } from './quantity.ts';

/** What the node would allow a container that has no limit: its allocatable cores, bytes and so on. */
export type Allocatable = Readonly<Record<string, number>>;

const quoteLines = (map: Record<string, string> = {}): string =>
  Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');

/** The value of a fieldRef (`fieldpath.ExtractFieldPathAsString` and the kubelet's own fields). Throws for an unknown path. */
export function fieldValue(pod: Pod, path: string, node: { name: string; ip: string }): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
    const key = subscript[2] ?? '';
    return map !== undefined && Object.hasOwn(map, key) ? (map[key] ?? '') : '';
  }
  const ips = pod.status?.podIPs?.map((entry) => entry.ip ?? '') ?? [];
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return quoteLines(pod.metadata.labels);
    case 'metadata.annotations':
      return quoteLines(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? node.name;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return node.ip;
    case 'status.podIP':
      return pod.status?.podIP ?? ips[0] ?? '';
    case 'status.podIPs':
      return ips.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** The value of a resourceFieldRef, rounded up to whole divisors. `self` is the container that asks. */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  self: Container | undefined,
  allocatable: Allocatable,
): string {
  const wanted = selector.containerName ?? '';
  const container = wanted === '' ? self : allContainers(pod).find((candidate) => candidate.name === wanted);
  if (container === undefined) throw new Error(`container ${wanted} not found`);
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource ?? '');
  if (match === null) throw new Error(`unsupported container resource : ${selector.resource}`);
  const name = match[2] ?? '';
  const limit = container.resources?.limits?.[name];
  if (match[1] === 'requests') {
    return divided(quantity(container.resources?.requests?.[name] ?? limit), selector.divisor);
  }
  return divided(limit === undefined ? (allocatable[name] ?? 0) : quantity(limit), selector.divisor);
}
