import type { NodeAffinity, NodeSelectorTerm, Pod, PreferredSchedulingTerm } from '../../generated/types/core.v1.ts';
import { isEmptyTerm, matchesPod, matchesTerm, matchesTerms } from '../../resources/core/node-selector.ts';
import { ADD, UPDATE_NODE_LABEL } from '../framework/cluster-event.ts';
import { intersection } from '../framework/intersection.ts';
import type { NodeFacts } from '../framework/node-info.ts';
import { defaultNormalize, type PluginFactory } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

const NAME = 'NodeAffinity';
const REFUSED = { ...unresolvable("node(s) didn't match Pod's node affinity/selector"), plugin: NAME };
const ENFORCED = { ...unresolvable("node(s) didn't match scheduler-enforced node affinity"), plugin: NAME };

interface Args {
  addedAffinity?: NodeAffinity;
}

/** NodeAffinity: `nodeSelector`, required and preferred node affinity, and what the profile adds to every pod's. */
export const nodeAffinity: PluginFactory = (_, args) => {
  const { addedAffinity } = args as Args;
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const addedPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const enforced = (node: NodeFacts): boolean => added === undefined || matchesTerms(added, node);
  const preferredOf = (pod: Pod): readonly PreferredSchedulingTerm[] => [
    ...addedPreferred,
    ...(pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  const matches = (pod: Pod, node: NodeFacts): boolean => enforced(node) && matchesPod(pod.spec, node);
  return {
    name: NAME,
    events: [
      {
        kind: 'node',
        actions: ADD | UPDATE_NODE_LABEL,
        hint: ({ pod }, before, after) =>
          after !== undefined && matches(pod, after) && !(before !== undefined && matches(pod, before)),
      },
    ],
    preFilter(_, { pod }) {
      const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      if (required === undefined) {
        return added === undefined && pod.spec?.nodeSelector === undefined ? 'skip' : undefined;
      }
      const names = namesOf(required.nodeSelectorTerms ?? []);
      if (names === undefined) return undefined;
      return names.size === 0 ? unresolvable('pod affinity terms conflict') : { nodes: names };
    },
    filter(_, { pod }, { facts }) {
      if (!enforced(facts)) return ENFORCED;
      return matchesPod(pod.spec, facts) ? undefined : REFUSED;
    },
    preScore: (_, { pod }) => (preferredOf(pod).length === 0 ? 'skip' : undefined),
    score(_, { pod }, { facts }) {
      let sum = 0;
      for (const { preference = {}, weight = 0 } of preferredOf(pod)) {
        if (isEmptyTerm(preference) || matchesTerm(preference, facts)) sum += weight;
      }
      return sum;
    },
    normalizeScores(_state, _candidate, scores) {
      defaultNormalize(scores, false);
    },
  };
};

/** The only nodes that the terms can mean, when each of them names some; undefined when one does not. */
function namesOf(terms: readonly NodeSelectorTerm[]): Set<string> | undefined {
  const all = new Set<string>();
  let named = false;
  for (const { matchFields = [] } of terms) {
    let names: Set<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      names = names === undefined ? new Set(values) : intersection(names, new Set(values));
    }
    if (names === undefined) return undefined;
    named = true;
    for (const name of names) all.add(name);
  }
  return named ? all : undefined;
}
