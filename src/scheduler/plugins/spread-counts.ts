/** PodTopologySpread's filter: how many pods of each constraint every domain has. */
import { matches } from '../../apimachinery/labels.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Snapshot } from '../framework/plugin.ts';
import type { PodGroup } from '../framework/pod-group.ts';
import type { Candidate, PodTraits } from '../framework/pod-info.ts';
import { type Constraint, hasAllKeys, includes } from './spread-constraints.ts';

export class SpreadCounts {
  readonly constraints: readonly Constraint[];
  /** By constraint: domain -> pods. Every domain that counts is there, with 0 when nothing is in it. */
  private readonly domains: readonly Map<string, number>[];
  private readonly least: (number | undefined)[];

  private constructor(constraints: readonly Constraint[], domains: readonly Map<string, number>[]) {
    this.constraints = constraints;
    this.domains = domains;
    this.least = constraints.map(() => undefined);
  }

  /** Counts all pods of the cluster. */
  static of(constraints: readonly Constraint[], candidate: Candidate, snapshot: Snapshot): SpreadCounts {
    const counts = new SpreadCounts(
      constraints,
      constraints.map(() => new Map()),
    );
    const { pod, info } = candidate;
    const everywhere = reachesAll(constraints, pod, snapshot);
    const nodes = everywhere ? [] : snapshot.all().filter((node) => hasAllKeys(node, constraints));
    for (const [i, constraint] of constraints.entries()) {
      const domains = counts.domains[i] as Map<string, number>;
      const groups = groupsOf(snapshot, info.traits.namespace, constraint);
      if (everywhere) {
        // Every node counts: what is known of domains need not be found out node by node.
        for (const domain of snapshot.domains(constraint.topologyKey).keys()) domains.set(domain, 0);
        for (const group of groups) {
          for (const [domain, pods] of group.domains(constraint.topologyKey).pods)
            domains.set(domain, (domains.get(domain) ?? 0) + pods);
        }
        continue;
      }
      const perNode = podsPerNode(groups);
      for (const node of nodes) {
        if (!includes(constraint, pod, node.facts)) continue;
        const domain = node.facts.labels[constraint.topologyKey] as string;
        domains.set(domain, (domains.get(domain) ?? 0) + (perNode.get(node) ?? 0));
      }
    }
    return counts;
  }

  /** As if a pod were on a node (`by` 1), or not any more (-1). */
  update({ pod, info }: Candidate, other: PodTraits, node: NodeInfo, by: number): void {
    if (other.namespace !== info.traits.namespace || !hasAllKeys(node, this.constraints)) return;
    for (const [i, constraint] of this.constraints.entries()) {
      if (!matches(constraint.selector, other.labels) || !includes(constraint, pod, node.facts)) continue;
      const domain = node.facts.labels[constraint.topologyKey] as string;
      const domains = this.domains[i] as Map<string, number>;
      domains.set(domain, (domains.get(domain) ?? 0) + by);
      this.least[i] = undefined;
    }
  }

  /** How many pods of a constraint are in a node's domain. */
  at(i: number, node: NodeInfo): number {
    const { topologyKey } = this.constraints[i] as Constraint;
    return this.domains[i]?.get(node.facts.labels[topologyKey] ?? '') ?? 0;
  }

  /** The least that any domain has; 0 while there are fewer domains than there have to be. */
  minimum(i: number): number {
    const domains = this.domains[i] as Map<string, number>;
    if (domains.size < (this.constraints[i] as Constraint).minDomains) return 0;
    let least = this.least[i];
    if (least === undefined) {
      least = Number.POSITIVE_INFINITY;
      for (const pods of domains.values()) if (pods < least) least = pods;
      this.least[i] = least;
    }
    return least;
  }

  clone(): SpreadCounts {
    return new SpreadCounts(
      this.constraints,
      this.domains.map((domains) => new Map(domains)),
    );
  }
}

/** Whether all nodes have all keys, and the pods of none are left out. */
function reachesAll(constraints: readonly Constraint[], { spec }: Pod, snapshot: Snapshot): boolean {
  if (constraints.some(({ honorsTaints }) => honorsTaints)) return false;
  const selective = spec?.nodeSelector !== undefined || spec?.affinity?.nodeAffinity !== undefined;
  if (selective && constraints.some(({ honorsAffinity }) => honorsAffinity)) return false;
  const nodes = snapshot.all().length;
  return constraints.every(({ topologyKey }) => {
    let having = 0;
    for (const there of snapshot.domains(topologyKey).values()) having += there;
    return having === nodes;
  });
}

/** The pods that a constraint means; those that are being deleted do not count. */
export function groupsOf({ groups }: Snapshot, namespace: string, { selector }: Constraint): PodGroup[] {
  const found: PodGroup[] = [];
  for (const [traits, group] of groups) {
    if (traits.namespace === namespace && !traits.terminating && matches(selector, traits.labels)) found.push(group);
  }
  return found;
}

/** How many pods of some groups each node has that has any. */
export function podsPerNode([first, ...others]: readonly PodGroup[]): ReadonlyMap<NodeInfo, number> {
  if (first === undefined || others.length === 0) return first?.nodes ?? new Map();
  const sums = new Map(first.nodes);
  for (const { nodes } of others) for (const [node, pods] of nodes) sums.set(node, (sums.get(node) ?? 0) + pods);
  return sums;
}

/** PodTopologySpread's state between PreFilter and Filter. */
export const COUNTS = new StateKey<SpreadCounts>('PreFilterPodTopologySpread', (counts) => counts.clone());
