/** Scores a node by how full its resources are, or would be with the pod (`resourceAllocationScorer`). */
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** A resource that counts, as a profile names it; a weight of 0 means 1. */
export interface ResourceSpec {
  name: string;
  weight?: number;
}

export const CPU_AND_MEMORY: readonly ResourceSpec[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** Resources that are no node's by default: a pod that does not ask for them is not scored by them (`IsScalarResourceName`). */
const isScalar = (name: string): boolean =>
  name.includes('/') || name.startsWith('hugepages-') || name.startsWith('attachable-volumes-');

/**
 * What is asked of a resource with the pod, and what there is; undefined where the resource does not count for this pod and node.
 * `plain`: the requests as they are, not upstream's stand-ins for pods that ask for nothing.
 */
export function usage(
  pod: PodInfo,
  node: NodeInfo,
  name: string,
  plain: boolean,
): readonly [number, number] | undefined {
  const { requests, nonZero } = pod.ask;
  if ((requests[name] ?? 0) === 0 && isScalar(name)) return undefined;
  const allocatable = node.facts.allocatable[name] ?? 0;
  if (allocatable === 0) return undefined;
  if (!plain && (name === 'cpu' || name === 'memory')) return [node.nonZero[name] + nonZero[name], allocatable];
  return [(node.requested[name] ?? 0) + (requests[name] ?? 0), allocatable];
}
