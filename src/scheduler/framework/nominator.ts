/** Pods for which preemption is making room, by the node they shall get (`PodNominator`). */
import type { Candidate } from './pod-info.ts';

export class Nominator {
  private readonly byNode = new Map<string, Map<string, Candidate>>();
  private readonly nodeOf = new Map<string, string>();

  /** Nominates a pod to a node, wherever it was nominated before; an empty name nominates it to none. */
  set(candidate: Candidate, node: string): void {
    const { key } = candidate.info;
    this.delete(key);
    if (node === '') return;
    const pods = this.byNode.get(node) ?? new Map<string, Candidate>();
    pods.set(key, candidate);
    this.byNode.set(node, pods);
    this.nodeOf.set(key, node);
  }

  delete(key: string): void {
    const node = this.nodeOf.get(key);
    if (node === undefined) return;
    this.nodeOf.delete(key);
    const pods = this.byNode.get(node);
    pods?.delete(key);
    if (pods?.size === 0) this.byNode.delete(node);
  }

  /** The pods nominated to a node. */
  on(node: string): Iterable<Candidate> {
    return this.byNode.get(node)?.values() ?? [];
  }

  /** The node that a pod is nominated to. */
  nodeFor(key: string): string | undefined {
    return this.nodeOf.get(key);
  }

  get size(): number {
    return this.nodeOf.size;
  }
}
