/** Whether a pod's node selector and required node affinity hold for a node. Pure. */
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../generated/types/core.v1.ts';

const INTEGER = /^[+-]?\d+$/;

/** Whether a pod of this spec may be on the node, by its selector and required affinity (`GetRequiredNodeAffinity`). */
export function selectsNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labelOf(labels, key) === value);
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (required === undefined || (required.nodeSelectorTerms ?? []).some((term) => holds(term, node)));
}

const labelOf = (labels: Record<string, string>, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** A term without requirements matches nothing. */
function holds({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((one) => satisfies(one, labelOf(metadata.labels ?? {}, one.key ?? ''))) &&
    matchFields.every((one) => satisfies(one, one.key === 'metadata.name' ? metadata.name : undefined))
  );
}

function satisfies({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
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
      const [bound = ''] = values;
      if (actual === undefined || !INTEGER.test(actual) || !INTEGER.test(bound)) return false;
      return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound);
    }
    default:
      return false;
  }
}
