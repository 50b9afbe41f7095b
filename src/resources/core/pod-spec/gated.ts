/** What else may change in a pod that waits behind scheduling gates: no scheduler has looked at it yet. */
import { type FieldError, invalid } from '../../../apimachinery/field.ts';
import type { NodeAffinity, NodeSelectorTerm, PodSpec } from '../../../generated/types/core.v1.ts';
import { nodeSelectorTerm } from '../go-types/scheduling.ts';
import { semanticallyEqual } from './semantic-equal.ts';

const TERMS = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';

function nodeSelectorGrows(spec: PodSpec, old: PodSpec, errors: FieldError[]): void {
  const kept = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
  if (kept) return;
  const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
  errors.push(invalid('spec.nodeSelector', spec.nodeSelector, detail));
}

const startsWith = (list: readonly unknown[] = [], head: readonly unknown[] = []): boolean =>
  semanticallyEqual(list.slice(0, head.length), head);

/** A term may only be narrowed; an empty one matches nothing, so that anything would widen it. */
function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const size = (of: NodeSelectorTerm) => (of.matchExpressions?.length ?? 0) + (of.matchFields?.length ?? 0);
  if (size(old) === 0 && size(term) > 0) return false;
  return startsWith(term.matchExpressions, old.matchExpressions) && startsWith(term.matchFields, old.matchFields);
}

function nodeAffinityNarrows(now: NodeAffinity | undefined, old: NodeAffinity, errors: FieldError[]): void {
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const before = old.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length > 0 && before.length !== terms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(invalid(TERMS, terms.length === 0 ? null : terms.map(nodeSelectorTerm), detail));
    return;
  }
  before.forEach((was, index) => {
    const term = terms[index] ?? {};
    if (onlyAdds(term, was)) return;
    const detail = 'only additions are allowed (no mutations or deletions)';
    errors.push(invalid(`${TERMS}[${index}]`, nodeSelectorTerm(term), detail));
  });
}

/** The spec with node selector and node affinity as they were; errors where they became anything but stricter. */
export function withoutGatedChanges(spec: PodSpec, old: PodSpec, errors: FieldError[]): PodSpec {
  nodeSelectorGrows(spec, old, errors);
  const kept: PodSpec = { ...spec, nodeSelector: old.nodeSelector };
  const now = spec.affinity?.nodeAffinity;
  const was = old.affinity?.nodeAffinity;
  if (semanticallyEqual(now, was)) return kept;
  if (was !== undefined) nodeAffinityNarrows(now, was, errors);
  const { nodeAffinity: _, ...others } = spec.affinity ?? {};
  const affinity = was === undefined ? others : { ...others, nodeAffinity: was };
  const isNew = old.affinity === undefined && Object.keys(others).length === 0;
  return { ...kept, affinity: isNew ? undefined : affinity };
}
