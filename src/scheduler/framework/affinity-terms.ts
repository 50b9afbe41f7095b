/** Pod affinity and anti-affinity, read once (`framework.AffinityTerm`). */
import { fromLabelSelector, type LabelSelector, matches, NOTHING, type Selector } from '../../apimachinery/labels.ts';
import type { Affinity, PodAffinityTerm, WeightedPodAffinityTerm } from '../../generated/types/core.v1.ts';

export interface AffinityTerm {
  /** Empty together with a {@link namespaceSelector} of nothing never occurs: then the pod's own namespace is in it. */
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: Selector;
  readonly selector: Selector;
  readonly topologyKey: string;
  /** 1 to 100 for preferred terms; 0 for required ones. */
  readonly weight: number;
}

export interface AffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

export const NO_TERMS: AffinityTerms = {
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
};

/** The terms of a pod in a namespace; {@link NO_TERMS} itself when there is none. */
export function affinityTerms(affinity: Affinity | undefined, namespace: string): AffinityTerms {
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return NO_TERMS;
  const required = (terms: readonly PodAffinityTerm[] | undefined) =>
    (terms ?? []).map((term) => readTerm(term, 0, namespace));
  const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined) =>
    (terms ?? [])
      .filter(({ weight }) => (weight ?? 0) !== 0)
      .map(({ podAffinityTerm, weight }) => readTerm(podAffinityTerm ?? {}, weight ?? 0, namespace));
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

function readTerm(term: Partial<PodAffinityTerm>, weight: number, namespace: string): AffinityTerm {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  return {
    namespaces: new Set(own ? [namespace] : named),
    namespaceSelector: selectorOf(term.namespaceSelector),
    selector: selectorOf(term.labelSelector),
    topologyKey: term.topologyKey ?? '',
    weight,
  };
}

/** A selector of an object as {@link matches} takes it; one that cannot be read selects nothing. */
export function selectorOf(selector: LabelSelector | undefined): Selector {
  try {
    return fromLabelSelector(selector);
  } catch {
    return NOTHING;
  }
}

/** Labels of a namespace, by name. */
export type NamespaceLabels = (namespace: string) => Record<string, string> | undefined;

/** Whether a term is about a pod of this namespace with these labels (`AffinityTerm.Matches`). */
export function termMatches(
  term: AffinityTerm,
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  namespaceLabels: NamespaceLabels,
): boolean {
  const there = term.namespaces.has(namespace) || selectsNamespace(term.namespaceSelector, namespace, namespaceLabels);
  return there && matches(term.selector, labels);
}

function selectsNamespace(selector: Selector, namespace: string, namespaceLabels: NamespaceLabels): boolean {
  if (selector === NOTHING) return false;
  return selector.length === 0 || matches(selector, namespaceLabels(namespace));
}
