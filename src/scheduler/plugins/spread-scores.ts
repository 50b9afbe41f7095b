/** PodTopologySpread's score: the fewer pods of a constraint a node's domains have, the better. */
import type { Pod } from '../../generated/types/core.v1.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_SCORE, type Snapshot } from '../framework/plugin.ts';
import type { Candidate } from '../framework/pod-info.ts';
import { type Constraint, hasAllKeys, includes } from './spread-constraints.ts';
import { groupsOf, podsPerNode } from './spread-counts.ts';

const HOSTNAME = 'kubernetes.io/hostname';

interface Scored {
  readonly constraint: Constraint;
  readonly perNode: ReadonlyMap<NodeInfo, number>;
  /** Pods of each domain that a feasible node is in; none for hostnames, where {@link perNode} says it. */
  readonly perDomain: Map<string, number>;
  /** Few domains weigh less, so that their many pods do not drown the others. */
  readonly weight: number;
}

export class SpreadScores {
  private readonly scored: readonly Scored[];
  private readonly ignored: ReadonlySet<NodeInfo>;

  /** `everyKey`: nodes that lack a constraint's key get no score. */
  constructor(
    constraints: readonly Constraint[],
    { pod, info }: Candidate,
    feasible: readonly NodeInfo[],
    snapshot: Snapshot,
    everyKey: boolean,
  ) {
    this.ignored = new Set(everyKey ? feasible.filter((node) => !hasAllKeys(node, constraints)) : []);
    const counted = everyKey ? snapshot.all().filter((node) => hasAllKeys(node, constraints)) : snapshot.all();
    this.scored = constraints.map((constraint) => {
      const perNode = podsPerNode(groupsOf(snapshot, info.traits.namespace, constraint));
      const perDomain = new Map<string, number>();
      if (constraint.topologyKey !== HOSTNAME) {
        for (const node of feasible) if (!this.ignored.has(node)) perDomain.set(domainOf(constraint, node), 0);
        countDomains(constraint, pod, counted, perNode, perDomain);
      }
      const domains = constraint.topologyKey === HOSTNAME ? feasible.length - this.ignored.size : perDomain.size;
      return { constraint, perNode, perDomain, weight: Math.log(domains + 2) };
    });
  }

  /** How crowded a node's domains are. */
  crowd(node: NodeInfo): number {
    if (this.ignored.has(node)) return 0;
    let sum = 0;
    for (const { constraint, perNode, perDomain, weight } of this.scored) {
      if (!Object.hasOwn(node.facts.labels, constraint.topologyKey)) continue;
      const hostname = constraint.topologyKey === HOSTNAME;
      const pods = (hostname ? perNode.get(node) : perDomain.get(domainOf(constraint, node))) ?? 0;
      sum += pods * weight + (constraint.maxSkew - 1);
    }
    return Math.round(sum);
  }

  /** The least crowded gets the most; in place. */
  normalize(scores: number[], nodes: readonly NodeInfo[]): void {
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (const [i, score] of scores.entries()) {
      if (this.ignored.has(nodes[i] as NodeInfo)) continue;
      least = Math.min(least, score);
      most = Math.max(most, score);
    }
    for (const [i, score] of scores.entries()) {
      if (this.ignored.has(nodes[i] as NodeInfo)) scores[i] = 0;
      else scores[i] = most === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (most + least - score)) / most);
    }
  }
}

const domainOf = ({ topologyKey }: Constraint, { facts }: NodeInfo): string => facts.labels[topologyKey] ?? '';

function countDomains(
  constraint: Constraint,
  pod: Pod,
  nodes: readonly NodeInfo[],
  perNode: ReadonlyMap<NodeInfo, number>,
  perDomain: Map<string, number>,
): void {
  if (perNode.size === 0) return;
  for (const node of nodes) {
    const pods = perNode.get(node);
    if (pods === undefined) continue;
    const domain = domainOf(constraint, node);
    const before = perDomain.get(domain);
    if (before !== undefined && includes(constraint, pod, node.facts)) perDomain.set(domain, before + pods);
  }
}

/** PodTopologySpread's state between PreScore and Score. */
export const SCORES = new StateKey<SpreadScores>('PreScorePodTopologySpread');
