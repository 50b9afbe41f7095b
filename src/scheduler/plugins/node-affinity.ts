import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../generated/types/core.v1.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Plugin } from '../framework/plugin.ts';

/** NodeAffinity: `nodeSelector`, required and preferred node affinity. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  normalize: 'higher',
  filter({ pod }, node) {
    const selector = Object.entries(pod.spec?.nodeSelector ?? {});
    const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    const selected = selector.every(([key, value]) => node.labels[key] === value);
    if (selected && (terms === undefined || terms.some((term) => matchesTerm(term, node)))) return undefined;
    return { reasons: ["node(s) didn't match Pod's node affinity/selector"], unresolvable: true };
  },
  score({ pod }, node) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return preferred
      .filter(({ preference = {} }) => isEmpty(preference) || matchesTerm(preference, node))
      .reduce((sum, { weight = 0 }) => sum + weight, 0);
  },
};

const isEmpty = (term: NodeSelectorTerm): boolean =>
  (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;

/** A term without requirements matches nothing. */
function matchesTerm(term: NodeSelectorTerm, node: NodeInfo): boolean {
  if (isEmpty(term)) return false;
  return (
    (term.matchExpressions ?? []).every((r) => matchesRequirement(r, node.labels[r.key ?? ''])) &&
    (term.matchFields ?? []).every((r) => matchesRequirement(r, r.key === 'metadata.name' ? node.name : undefined))
  );
}

const INTEGER = /^[+-]?\d+$/;

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = values[0] ?? '';
      if (actual === undefined || !INTEGER.test(actual) || !INTEGER.test(bound)) return false;
      return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound);
    }
    default:
      return false;
  }
}
