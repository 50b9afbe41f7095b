/** The scheduler's picture of the cluster: an aggregate per node and a few numbers per pod, kept up with what the stores say. */
import type { Node, Pod } from '../generated/types/core.v1.ts';
import { addPod, type NodeInfo, nodeInfo, removePod } from './framework/node-info.ts';
import { isTerminal, type PodInfo, podInfo } from './framework/pod-info.ts';

export class Cache {
  private readonly nodes = new Map<string, NodeInfo>();
  /** Pods that hold something on a node, by key; assumed ones included. */
  private readonly placed = new Map<string, PodInfo>();
  private list: NodeInfo[] | undefined;

  /** The nodes that exist, in a stable order. */
  all(): readonly NodeInfo[] {
    this.list ??= [...this.nodes.values()];
    return this.list;
  }

  setNode(node: Node): void {
    const { name } = node.metadata;
    const before = this.nodes.get(name);
    const info = nodeInfo(node, before);
    this.nodes.set(name, info);
    this.list = undefined;
    if (before === undefined) for (const pod of this.placed.values()) if (pod.node === name) addPod(info, pod);
  }

  removeNode(name: string): void {
    this.nodes.delete(name);
    this.list = undefined;
  }

  /** Takes a pod as the store has it: placed, or not (any more). */
  setPod(pod: Pod): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (!pod.spec?.nodeName || isTerminal(pod)) this.removePod(key);
    else this.place(podInfo(pod));
  }

  removePod(key: string): void {
    const before = this.placed.get(key);
    if (before === undefined) return;
    this.placed.delete(key);
    const node = this.nodes.get(before.node);
    if (node !== undefined) removePod(node, before);
  }

  /** Counts a pod on a node before the store has confirmed it; {@link removePod} takes it back. */
  assume(pod: Pod, node: string): void {
    this.place({ ...podInfo(pod), node });
  }

  private place(info: PodInfo): void {
    this.removePod(info.key);
    this.placed.set(info.key, info);
    const node = this.nodes.get(info.node);
    if (node !== undefined) addPod(node, info);
  }
}
