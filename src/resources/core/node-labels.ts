/** Labels of nodes that have been replaced, and warnings of those who still select by them. */
import type { NodeSelectorTerm } from '../../generated/types/core.v1.ts';

/** Today's label by yesterday's. */
export const REPLACED_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** What to say of a label that has been replaced; undefined for all others. */
export function deprecatedNodeLabel(key: string): string | undefined {
  if (!Object.hasOwn(REPLACED_LABELS, key)) return undefined;
  const since = /^beta.kubernetes.io\/(arch|os)$/.test(key) ? 'v1.14' : 'v1.17';
  return `deprecated since ${since}; use "${REPLACED_LABELS[key]}" instead`;
}

/** Warnings of a term of a node selector (`GetWarningsForNodeSelectorTerm`). */
export function nodeSelectorTermWarnings(term: NodeSelectorTerm | undefined, path: string): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key = '' }, index) => {
    const advice = deprecatedNodeLabel(key);
    return advice === undefined ? [] : [`${path}.matchExpressions[${index}].key: ${key} is ${advice}`];
  });
}
