/**
 * Node selectors: `nodeSelector`, node affinity, and the node affinity of volumes, as the scheduler and controllers judge them
 * (`component-helpers/scheduling/corev1/nodeaffinity`). Pure.
 */
import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../generated/types/core.v1.ts';

/** What selectors look at in a node. An object's metadata is one. */
export interface SelectableNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Whether a term asks for nothing; it matches no node where it is required. */
export const isEmptyTerm = (term: NodeSelectorTerm): boolean =>
  (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;

/** Whether a node satisfies all requirements of a term; an empty term matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: SelectableNode): boolean {
  if (isEmptyTerm(term)) return false;
  return (
    (term.matchExpressions ?? []).every((r) => matchesRequirement(r, own(node.labels, r.key ?? ''))) &&
    (term.matchFields ?? []).every((r) => matchesRequirement(r, r.key === 'metadata.name' ? node.name : undefined))
  );
}

/** Whether a node satisfies one of the terms. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], node: SelectableNode): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

/** Whether a node is one that the pod's `nodeSelector` and required node affinity allow (`GetRequiredNodeAffinity().Match`). */
export function matchesPod(spec: PodSpec | undefined, node: SelectableNode): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {}))
    if (own(node.labels, key) !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesTerms(required.nodeSelectorTerms ?? [], node);
}

const own = (labels: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;

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
