/** Labels of nodes that have been replaced, and warnings of those who still select by them. */
import { isLabelValue } from '../../apimachinery/names.ts';
import type { NodeSelectorTerm } from '../../generated/types/core.v1.ts';

/** Today's label by yesterday's. */
export const REPLACED_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

const DEPRECATED_LABELS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(REPLACED_LABELS).map(([key, today]) => [key, replaced(key, today)])),
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

function replaced(key: string, today: string): string {
  const since = /^beta.kubernetes.io\/(arch|os)$/.test(key) ? 'v1.14' : 'v1.17';
  return `deprecated since ${since}; use "${today}" instead`;
}

/** What to say of a label that is of the past; undefined for all others (`GetNodeLabelDeprecatedMessage`). */
export function deprecatedNodeLabel(key: string): string | undefined {
  return Object.hasOwn(DEPRECATED_LABELS, key) ? DEPRECATED_LABELS[key] : undefined;
}

/** Warnings of a term of a node selector; `values`: also of values that no label has (`GetWarningsForNodeSelectorTerm`). */
export function nodeSelectorTermWarnings(term: NodeSelectorTerm | undefined, path: string, values = false): string[] {
  return (term?.matchExpressions ?? []).flatMap((expression, index) => {
    const { key = '' } = expression;
    const at = `${path}.matchExpressions[${index}]`;
    const advice = deprecatedNodeLabel(key);
    const warnings = advice === undefined ? [] : [`${at}.key: ${key} is ${advice}`];
    if (!values) return warnings;
    const wrong = (expression.values ?? []).flatMap((value, position) =>
      isLabelValue(value).map((problem) => `${at}.values[${position}]: ${value} is invalid, ${problem}`),
    );
    return [...warnings, ...wrong];
  });
}
