/** Node selectors: `nodeSelector`, node affinity, and the node affinity of volumes (`nodeaffinity` of component-helpers). */
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../generated/types/core.v1.ts';
import type { NodeFacts } from './node-info.ts';

/** Whether a term asks for nothing; it matches no node where it is required. */
export const isEmptyTerm = (term: NodeSelectorTerm): boolean =>
  (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;

/** Whether a node satisfies all requirements of a term; an empty term matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: NodeFacts): boolean {
  if (isEmptyTerm(term)) return false;
  return (
    (term.matchExpressions ?? []).every((r) => matchesRequirement(r, own(node.labels, r.key ?? ''))) &&
    (term.matchFields ?? []).every((r) => matchesRequirement(r, r.key === 'metadata.name' ? node.name : undefined))
  );
}

/** Whether a node satisfies one of the terms. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], node: NodeFacts): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

/** Whether a node is one that the pod's `nodeSelector` and required node affinity allow (`GetRequiredNodeAffinity().Match`). */
export function matchesPod({ spec }: Pod, node: NodeFacts): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {}))
    if (own(node.labels, key) !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesTerms(required.nodeSelectorTerms ?? [], node);
}

const own = (labels: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

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

/** The names that are in both sets. */
export function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((name) => b.has(name)));
}
