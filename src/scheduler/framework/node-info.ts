/** What the scheduler keeps of a node: its facts, and the sums over its pods. */
import type { ContainerImage, Node, Taint } from '../../generated/types/core.v1.ts';
import type { PodInfo } from './pod-info.ts';
import { add, amounts, type Resources, subtract } from './resources.ts';

/** What a node says of itself. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly allocatable: Readonly<Resources>;
  readonly maxPods: number;
  /** Image name -> size in bytes. */
  readonly images: ReadonlyMap<string, number>;
}

/** One object a node for as long as the node, or a pod on it, is known. */
export interface NodeInfo {
  facts: NodeFacts;
  readonly name: string;
  /** False where only its pods are known. */
  exists: boolean;
  /** Sums of the requests of all pods on the node, assumed ones included. */
  readonly requested: Resources;
  /** The same with upstream's defaults for containers that ask for nothing; scoring uses it. */
  readonly nonZero: { cpu: number; memory: number };
  readonly pods: Set<PodInfo>;
  /** `protocol/hostIP/port` -> how many pods hold it. */
  readonly ports: Map<string, number>;
  /** `namespace/name` of a PersistentVolumeClaim -> how many pods use it. */
  readonly claims: Map<string, number>;
}

const NO_FACTS = {
  labels: {},
  annotations: {},
  taints: [],
  unschedulable: false,
  allocatable: {},
  maxPods: 0,
  images: new Map<string, number>(),
};

/** A node of which nothing is known but its name. */
export function unknownNode(name: string): NodeInfo {
  return {
    facts: { name, ...NO_FACTS },
    name,
    exists: false,
    requested: {},
    nonZero: { cpu: 0, memory: 0 },
    pods: new Set(),
    ports: new Map(),
    claims: new Map(),
  };
}

/** What a node object says, as numbers. */
export function nodeFacts({ spec, status, metadata }: Node): NodeFacts {
  const { pods = 0, ...allocatable } = amounts(status?.allocatable);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? NO_FACTS.annotations,
    taints: spec?.taints ?? NO_FACTS.taints,
    unschedulable: spec?.unschedulable === true,
    allocatable,
    maxPods: pods,
    images: imagesOf(status?.images),
  };
}

function imagesOf(list: readonly ContainerImage[] | undefined): ReadonlyMap<string, number> {
  if (list === undefined || list.length === 0) return NO_FACTS.images;
  const images = new Map<string, number>();
  for (const image of list) for (const name of image.names ?? []) images.set(name, Number(image.sizeBytes ?? 0));
  return images;
}

/** Counts a pod in. */
export function addPod(node: NodeInfo, pod: PodInfo): void {
  const { requests, nonZero, ports } = pod.ask;
  node.pods.add(pod);
  add(node.requested, requests);
  node.nonZero.cpu += nonZero.cpu;
  node.nonZero.memory += nonZero.memory;
  for (const port of ports) count(node.ports, port, 1);
  for (const claim of pod.claims) count(node.claims, claim, 1);
}

/** Counts a pod out. */
export function removePod(node: NodeInfo, pod: PodInfo): void {
  if (!node.pods.delete(pod)) return;
  const { requests, nonZero, ports } = pod.ask;
  subtract(node.requested, requests);
  node.nonZero.cpu -= nonZero.cpu;
  node.nonZero.memory -= nonZero.memory;
  for (const port of ports) count(node.ports, port, -1);
  for (const claim of pod.claims) count(node.claims, claim, -1);
}

/** Adds to a count in a map; what comes to nothing goes. */
export function count<K>(counts: Map<K, number>, key: K, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

/** A copy on which pods may be added and removed on trial. */
export function cloneNode(node: NodeInfo): NodeInfo {
  return {
    ...node,
    requested: { ...node.requested },
    nonZero: { ...node.nonZero },
    pods: new Set(node.pods),
    ports: new Map(node.ports),
    claims: new Map(node.claims),
  };
}
