/** What the scheduler keeps of a node: its facts, and the sums over its pods. Never the pods themselves. */
import type { Node, Taint } from '../../generated/types/core.v1.ts';
import { add, type PodInfo, type Resources, subtract } from './pod-info.ts';
import { milliValue, parseQuantity, value } from './quantities.ts';

export interface NodeInfo {
  name: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  unschedulable: boolean;
  allocatable: Resources;
  maxPods: number;
  /** Sums of the requests of all pods on the node, assumed ones included. */
  requested: Resources;
  /** The same with upstream's defaults for containers that ask for nothing; scoring uses it. */
  nonZero: { cpu: number; memory: number };
  pods: number;
  /** `protocol/hostIP/port` -> how many pods hold it. */
  ports: Map<string, number>;
  /** Image name -> size in bytes. */
  images: ReadonlyMap<string, number>;
}

/** A node without pods; with `before`, the sums of what it had are kept. */
export function nodeInfo(node: Node, before?: NodeInfo): NodeInfo {
  const { spec, status, metadata } = node;
  const allocatable: Resources = {};
  for (const [name, quantity] of Object.entries(status?.allocatable ?? {})) {
    const parsed = parseQuantity(quantity);
    allocatable[name] = name === 'cpu' ? milliValue(parsed) : value(parsed);
  }
  const maxPods = allocatable['pods'] ?? 0;
  delete allocatable['pods'];
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    taints: spec?.taints ?? [],
    unschedulable: spec?.unschedulable === true,
    allocatable,
    maxPods,
    requested: before?.requested ?? {},
    nonZero: before?.nonZero ?? { cpu: 0, memory: 0 },
    pods: before?.pods ?? 0,
    ports: before?.ports ?? new Map(),
    images: imagesOf(node),
  };
}

function imagesOf(node: Node): Map<string, number> {
  const images = new Map<string, number>();
  for (const image of node.status?.images ?? []) {
    for (const name of image.names ?? []) images.set(name, Number(image.sizeBytes ?? 0));
  }
  return images;
}

/** Counts a pod in. */
export function addPod(node: NodeInfo, pod: PodInfo): void {
  add(node.requested, pod.requests);
  node.nonZero.cpu += pod.nonZero.cpu;
  node.nonZero.memory += pod.nonZero.memory;
  node.pods++;
  for (const port of pod.ports) node.ports.set(port, (node.ports.get(port) ?? 0) + 1);
}

/** Counts a pod out. */
export function removePod(node: NodeInfo, pod: PodInfo): void {
  subtract(node.requested, pod.requests);
  node.nonZero.cpu -= pod.nonZero.cpu;
  node.nonZero.memory -= pod.nonZero.memory;
  node.pods--;
  for (const port of pod.ports) {
    const left = (node.ports.get(port) ?? 0) - 1;
    if (left > 0) node.ports.set(port, left);
    else node.ports.delete(port);
  }
}
