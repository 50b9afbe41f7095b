/** Topology spread constraints, read once (`topologySpreadConstraint`). */
import { fromSet, type Selector } from '../../apimachinery/labels.ts';
import type { Pod, TopologySpreadConstraint } from '../../generated/types/core.v1.ts';
import { matchesPod } from '../../resources/core/node-selector.ts';
import { toleratesAll } from '../../resources/core/tolerations.ts';
import { selectorOf } from '../framework/affinity-terms.ts';
import type { NodeFacts, NodeInfo } from '../framework/node-info.ts';

export interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly minDomains: number;
  /** Nodes that the pod's node affinity rules out do not count. */
  readonly honorsAffinity: boolean;
  /** Nodes with taints that the pod does not tolerate do not count. */
  readonly honorsTaints: boolean;
}

export type Action = 'DoNotSchedule' | 'ScheduleAnyway';

/** Upstream's constraints for pods without any (`systemDefaultConstraints`). */
export const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

/** The constraints with one action. */
export function readConstraints(
  constraints: readonly TopologySpreadConstraint[],
  labels: Readonly<Record<string, string>>,
  action: Action,
  selector?: Selector,
): Constraint[] {
  return constraints
    .filter((constraint) => constraint.whenUnsatisfiable === action)
    .map((constraint) => ({
      maxSkew: constraint.maxSkew ?? 1,
      topologyKey: constraint.topologyKey ?? '',
      selector: selector ?? withOwnLabels(constraint, labels),
      minDomains: constraint.minDomains ?? 1,
      honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
      honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
    }));
}

/** `matchLabelKeys`: the pod's own values of these labels are asked for too. */
function withOwnLabels(constraint: TopologySpreadConstraint, labels: Readonly<Record<string, string>>): Selector {
  const own: Record<string, string> = {};
  for (const key of constraint.matchLabelKeys ?? []) if (Object.hasOwn(labels, key)) own[key] = labels[key] as string;
  return [...selectorOf(constraint.labelSelector), ...fromSet(own)];
}

/** Whether a node has the keys of all constraints. */
export function hasAllKeys({ facts }: NodeInfo, constraints: readonly Constraint[]): boolean {
  return constraints.every(({ topologyKey }) => Object.hasOwn(facts.labels, topologyKey));
}

/** Whether pods on a node count for a constraint (`matchNodeInclusionPolicies`). */
export function includes({ honorsAffinity, honorsTaints }: Constraint, pod: Pod, node: NodeFacts): boolean {
  if (honorsAffinity && !matchesPod(pod.spec, node)) return false;
  return !honorsTaints || node.taints.length === 0 || toleratesAll(node.taints, pod.spec?.tolerations);
}
