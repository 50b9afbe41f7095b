/** `matchLabelKeys`: the pod's own values of these labels become part of the label selectors beside them. */

import type { Pod, PodAffinityTerm, TopologySpreadConstraint } from '../../../generated/types/core.v1.ts';
import type { LabelSelector } from '../../../generated/types/meta.v1.ts';

function merge(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Record<string, string>,
): void {
  if (selector === undefined) return;
  for (const key of keys ?? []) {
    if (!Object.hasOwn(labels, key)) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [labels[key] as string] });
  }
}

/** Extends the selectors of a new pod's affinity terms and topology spread constraints, in place. */
export function applyMatchLabelKeys(pod: Pod): void {
  const labels = pod.metadata.labels ?? {};
  const affinity = pod.spec?.affinity;
  for (const kind of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const terms: (PodAffinityTerm | undefined)[] = [
      ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
    ];
    for (const term of terms) {
      merge(term?.labelSelector, term?.matchLabelKeys, 'In', labels);
      merge(term?.labelSelector, term?.mismatchLabelKeys, 'NotIn', labels);
    }
  }
  const constraints: TopologySpreadConstraint[] = pod.spec?.topologySpreadConstraints ?? [];
  for (const constraint of constraints) merge(constraint.labelSelector, constraint.matchLabelKeys, 'In', labels);
}
