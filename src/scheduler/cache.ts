/** The scheduler's picture of the cluster: an aggregate per node and a few references per pod, kept up with what the stores say. */
import { deepEqual } from '../apimachinery/equal.ts';
import type { Node } from '../generated/types/core.v1.ts';
import { NO_TERMS } from './framework/affinity-terms.ts';
import {
  addPod,
  count,
  type NodeFacts,
  type NodeInfo,
  nodeFacts,
  removePod,
  unknownNode,
} from './framework/node-info.ts';
import type { Snapshot } from './framework/plugin.ts';
import { PodGroup } from './framework/pod-group.ts';
import type { PodInfo, PodTraits } from './framework/pod-info.ts';

const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';

export class Cache implements Snapshot {
  readonly groups = new Map<PodTraits, PodGroup>();
  readonly affine = new Set<PodTraits>();
  private readonly nodes = new Map<string, NodeInfo>();
  /** Pods that hold something on a node, by key; assumed ones included. */
  private readonly placed = new Map<string, PodInfo>();
  /** Image name -> number of nodes that have it. */
  private readonly images = new Map<string, number>();
  /** Priority -> number of pods that have a node. */
  private readonly priorities = new Map<number, number>();
  /** By topology key, as far as it was asked for. */
  private readonly nodeDomains = new Map<string, Map<string, number>>();
  private list: readonly NodeInfo[] | undefined;

  all(): readonly NodeInfo[] {
    this.list ??= byZones([...this.nodes.values()].filter((node) => node.exists));
    return this.list;
  }

  node(name: string): NodeInfo | undefined {
    const node = this.nodes.get(name);
    return node?.exists ? node : undefined;
  }

  pod(key: string): PodInfo | undefined {
    return this.placed.get(key);
  }

  imageNodes(image: string): number {
    return this.images.get(image) ?? 0;
  }

  lowestPriority(): number {
    return Math.min(...this.priorities.keys());
  }

  /** How many pods have a node. */
  get size(): number {
    return this.placed.size;
  }

  /** Takes a node as the store has it. Answers what it was before. */
  setNode(node: Node): { before: NodeFacts | undefined; after: NodeFacts } {
    const info = this.nodeOf(node.metadata.name);
    const before = info.exists ? info.facts : undefined;
    const after = nodeFacts(node);
    this.countImages(before, -1);
    this.countImages(after, 1);
    info.facts = after;
    info.exists = true;
    if (before === undefined || !deepEqual(before.labels, after.labels)) this.relabelled(info);
    return { before, after };
  }

  /** Answers what it was. */
  removeNode(name: string): NodeFacts | undefined {
    const node = this.nodes.get(name);
    if (node === undefined || !node.exists) return undefined;
    const { facts } = node;
    this.countImages(facts, -1);
    node.exists = false;
    node.facts = unknownNode(name).facts;
    this.relabelled(node);
    if (node.pods.size === 0) this.nodes.delete(name);
    return facts;
  }

  /** Counts a pod on its node, in place of what was known of it. */
  place(pod: PodInfo): void {
    this.remove(pod.key);
    const node = this.nodeOf(pod.node);
    this.placed.set(pod.key, pod);
    addPod(node, pod);
    count(this.priorities, pod.ask.priority, 1);
    let group = this.groups.get(pod.traits);
    if (group === undefined) {
      group = new PodGroup();
      this.groups.set(pod.traits, group);
      if (pod.traits.terms !== NO_TERMS) this.affine.add(pod.traits);
    }
    group.add(node, 1);
  }

  /** Takes a pod off its node. Answers what was known of it. */
  remove(key: string): PodInfo | undefined {
    const pod = this.placed.get(key);
    if (pod === undefined) return undefined;
    this.placed.delete(key);
    const node = this.nodeOf(pod.node);
    removePod(node, pod);
    count(this.priorities, pod.ask.priority, -1);
    if (!node.exists && node.pods.size === 0) this.nodes.delete(node.name);
    const group = this.groups.get(pod.traits);
    if (group === undefined) return pod;
    group.add(node, -1);
    if (group.nodes.size > 0) return pod;
    this.groups.delete(pod.traits);
    this.affine.delete(pod.traits);
    return pod;
  }

  domains(key: string): ReadonlyMap<string, number> {
    let domains = this.nodeDomains.get(key);
    if (domains === undefined) {
      domains = new Map();
      for (const { facts } of this.all()) {
        if (Object.hasOwn(facts.labels, key)) count(domains, facts.labels[key] as string, 1);
      }
      this.nodeDomains.set(key, domains);
    }
    return domains;
  }

  /** A node came, went, or has other labels: what was worked out from labels is not true any more. */
  private relabelled({ pods }: NodeInfo): void {
    this.list = undefined;
    this.nodeDomains.clear();
    for (const { traits } of pods) this.groups.get(traits)?.forgetDomains();
  }

  private nodeOf(name: string): NodeInfo {
    let node = this.nodes.get(name);
    if (node === undefined) {
      node = unknownNode(name);
      this.nodes.set(name, node);
    }
    return node;
  }

  private countImages(facts: NodeFacts | undefined, by: number): void {
    for (const image of facts?.images.keys() ?? []) count(this.images, image, by);
  }
}

/** One node of each zone in turn, so that a sample of the first ones is spread over all of them (`nodeTree.list`). */
function byZones(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const { labels } = node.facts;
    const zone = `${labels[REGION] ?? ''}/${labels[ZONE] ?? ''}`;
    const there = zones.get(zone);
    if (there === undefined) zones.set(zone, [node]);
    else there.push(node);
  }
  if (zones.size <= 1) return [...nodes];
  const turns: NodeInfo[] = [];
  for (let i = 0; turns.length < nodes.length; i++) {
    for (const zone of zones.values()) if (i < zone.length) turns.push(zone[i] as NodeInfo);
  }
  return turns;
}
