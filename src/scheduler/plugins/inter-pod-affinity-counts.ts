/** InterPodAffinity's filter: how many pods of each topology mean the incoming one, or are meant by it. */
import { type AffinityTerm, type NamespaceLabels, termMatches } from '../framework/affinity-terms.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Snapshot } from '../framework/plugin.ts';
import type { PodGroup } from '../framework/pod-group.ts';
import type { PodTraits } from '../framework/pod-info.ts';
import { TopologyCounts } from '../framework/topology.ts';

export class AffinityCounts {
  /** Pods with anti-affinity to the incoming one. */
  readonly existingAnti: TopologyCounts;
  /** Pods that all affinity terms of the incoming one mean. */
  readonly affinity: TopologyCounts;
  /** Pods that an anti-affinity term of the incoming one means. */
  readonly anti: TopologyCounts;
  private readonly incoming: PodTraits;
  private readonly namespaces: NamespaceLabels;

  constructor(
    incoming: PodTraits,
    namespaces: NamespaceLabels,
    counts: readonly [TopologyCounts, TopologyCounts, TopologyCounts] = [
      new TopologyCounts(),
      new TopologyCounts(),
      new TopologyCounts(),
    ],
  ) {
    this.incoming = incoming;
    this.namespaces = namespaces;
    [this.existingAnti, this.affinity, this.anti] = counts;
  }

  /** Counts all pods of the cluster; those alone that can matter are looked at. */
  static of(incoming: PodTraits, { groups, affine }: Snapshot, namespaces: NamespaceLabels): AffinityCounts {
    const counts = new AffinityCounts(incoming, namespaces);
    const { requiredAffinity, requiredAntiAffinity } = incoming.terms;
    const wants = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0;
    for (const traits of wants ? groups.keys() : affine) {
      const effect = counts.effectOf(traits);
      if (effect === undefined) continue;
      const group = groups.get(traits);
      if (group !== undefined) counts.applyGroup(effect, group);
    }
    return counts;
  }

  /** As if a pod were on a node (`by` 1), or not any more (-1). */
  update(other: PodTraits, node: NodeInfo, by: number): void {
    const effect = this.effectOf(other);
    if (effect !== undefined) this.apply(effect, node, by);
  }

  private apply({ existingAnti, affinity, anti }: Effect, node: NodeInfo, by: number): void {
    for (const key of existingAnti) this.existingAnti.add(node, key, by);
    for (const key of affinity) this.affinity.add(node, key, by);
    for (const key of anti) this.anti.add(node, key, by);
  }

  private applyGroup({ existingAnti, affinity, anti }: Effect, group: PodGroup): void {
    for (const key of existingAnti) this.existingAnti.addGroup(group, key);
    for (const key of affinity) this.affinity.addGroup(group, key);
    for (const key of anti) this.anti.addGroup(group, key);
  }

  /** The topology keys of the terms by which two pods have to do with each other; undefined when by none. */
  private effectOf(other: PodTraits): Effect | undefined {
    const { requiredAffinity, requiredAntiAffinity } = this.incoming.terms;
    const meansIncoming = (term: AffinityTerm): boolean => termMatches(term, this.incoming, this.namespaces);
    const meansOther = (term: AffinityTerm): boolean => termMatches(term, other, this.namespaces);
    const existingAnti = keysOf(other.terms.requiredAntiAffinity.filter(meansIncoming));
    const affinity = requiredAffinity.every(meansOther) ? keysOf(requiredAffinity) : [];
    const anti = keysOf(requiredAntiAffinity.filter(meansOther));
    if (existingAnti.length + affinity.length + anti.length === 0) return undefined;
    return { existingAnti, affinity, anti };
  }

  /** Whether there is nothing that a node could violate. */
  get idle(): boolean {
    const { requiredAffinity, requiredAntiAffinity } = this.incoming.terms;
    return this.existingAnti.empty && requiredAffinity.length === 0 && requiredAntiAffinity.length === 0;
  }

  /** All affinity terms have a pod where the node is; the first of a group that means itself needs none. */
  affinityHolds(node: NodeInfo): boolean {
    const { requiredAffinity } = this.incoming.terms;
    let found = true;
    for (const { topologyKey } of requiredAffinity) {
      const pods = this.affinity.at(node, topologyKey);
      if (pods === undefined) return false;
      if (pods <= 0) found = false;
    }
    if (found) return true;
    return this.affinity.empty && requiredAffinity.every((term) => termMatches(term, this.incoming, this.namespaces));
  }

  /** No anti-affinity term of the incoming pod has a pod where the node is. */
  antiAffinityHolds(node: NodeInfo): boolean {
    return this.incoming.terms.requiredAntiAffinity.every((term) => (this.anti.at(node, term.topologyKey) ?? 0) <= 0);
  }

  /** No pod where the node is has anti-affinity to the incoming one. */
  existingAntiAffinityHolds(node: NodeInfo): boolean {
    for (const key of this.existingAnti.keys()) if ((this.existingAnti.at(node, key) ?? 0) > 0) return false;
    return true;
  }

  clone(): AffinityCounts {
    const copies = [this.existingAnti.clone(), this.affinity.clone(), this.anti.clone()] as const;
    return new AffinityCounts(this.incoming, this.namespaces, copies);
  }
}

interface Effect {
  readonly existingAnti: readonly string[];
  readonly affinity: readonly string[];
  readonly anti: readonly string[];
}

const keysOf = (terms: readonly AffinityTerm[]): string[] => terms.map(({ topologyKey }) => topologyKey);

/** InterPodAffinity's state between PreFilter and Filter. */
export const COUNTS = new StateKey<AffinityCounts>('PreFilterInterPodAffinity', (counts) => counts.clone());
