import { type AffinityTerm, type NamespaceLabels, termMatches } from '../framework/affinity-terms.ts';
import { ADD, DELETE, UPDATE_NODE_LABEL, UPDATE_POD_LABEL } from '../framework/cluster-event.ts';
import { StateKey } from '../framework/cycle-state.ts';
import { MAX_SCORE, type PluginFactory, type Snapshot } from '../framework/plugin.ts';
import type { Candidate, PodInfo, PodTraits } from '../framework/pod-info.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';
import { TopologyCounts } from '../framework/topology.ts';
import { AffinityCounts, COUNTS } from './inter-pod-affinity-counts.ts';

const NAME = 'InterPodAffinity';
const AFFINITY = { ...unresolvable("node(s) didn't match pod affinity rules"), plugin: NAME };
const ANTI_AFFINITY = { ...unschedulable("node(s) didn't match pod anti-affinity rules"), plugin: NAME };
const EXISTING = { ...unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"), plugin: NAME };
const SCORES = new StateKey<TopologyCounts>('PreScoreInterPodAffinity');

interface Args {
  hardPodAffinityWeight?: number;
  ignorePreferredTermsOfExistingPods?: boolean;
}

/** InterPodAffinity: pods that want to be, or want not to be, where certain other pods are. */
export const interPodAffinity: PluginFactory = ({ snapshot, objects }, args) => {
  const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = args as Args;
  const namespaces: NamespaceLabels = (name) => objects.get('core/namespaces', '', name)?.metadata.labels;
  const matters = (candidate: Candidate, other: PodInfo | undefined): boolean =>
    other !== undefined && concerns(candidate.info.traits, other.traits, namespaces);
  return {
    name: NAME,
    events: [
      {
        kind: 'pod',
        actions: ADD | DELETE | UPDATE_POD_LABEL,
        hint: (pod, before, after) => matters(pod, before) || matters(pod, after),
      },
      { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
      { kind: 'pending', actions: UPDATE_POD_LABEL },
    ],
    needs({ spec }) {
      const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
      return podAffinity || podAntiAffinity || snapshot.affine.size > 0 ? ['core/namespaces'] : [];
    },
    preFilter(state, { info }) {
      const counts = AffinityCounts.of(info.traits, snapshot, namespaces);
      if (counts.idle) return 'skip';
      state.write(COUNTS, counts);
      return undefined;
    },
    addPod(state, _candidate, other, node) {
      state.read(COUNTS)?.update(other.traits, node, 1);
    },
    removePod(state, _candidate, other, node) {
      state.read(COUNTS)?.update(other.traits, node, -1);
    },
    filter(state, _candidate, node) {
      const counts = state.read(COUNTS);
      if (counts === undefined) return undefined;
      if (!counts.affinityHolds(node)) return AFFINITY;
      if (!counts.antiAffinityHolds(node)) return ANTI_AFFINITY;
      return counts.existingAntiAffinityHolds(node) ? undefined : EXISTING;
    },
    preScore(state, { info }) {
      const scores = scoresOf(info.traits, snapshot, namespaces, {
        hardWeight: hardPodAffinityWeight,
        ignorePreferred: ignorePreferredTermsOfExistingPods,
      });
      if (scores.empty) return 'skip';
      state.write(SCORES, scores);
      return undefined;
    },
    score(state, _candidate, node) {
      const scores = state.read(SCORES);
      let sum = 0;
      for (const key of scores?.keys() ?? []) sum += scores?.at(node, key) ?? 0;
      return sum;
    },
    normalizeScores(_state, _candidate, scores) {
      const most = Math.max(0, ...scores);
      const least = Math.min(0, ...scores);
      for (const [i, score] of scores.entries()) {
        scores[i] = most === least ? 0 : Math.trunc(MAX_SCORE * ((score - least) / (most - least)));
      }
    },
  };
};

/** Whether a required term of either pod is about the other. */
function concerns(incoming: PodTraits, other: PodTraits, namespaces: NamespaceLabels): boolean {
  const { requiredAffinity, requiredAntiAffinity } = incoming.terms;
  return (
    requiredAffinity.some((term) => termMatches(term, other, namespaces)) ||
    requiredAntiAffinity.some((term) => termMatches(term, other, namespaces)) ||
    other.terms.requiredAntiAffinity.some((term) => termMatches(term, incoming, namespaces))
  );
}

interface Weights {
  /** What a required affinity term of a pod that is there counts. */
  hardWeight: number;
  ignorePreferred: boolean;
}

/** For each topology the sum of the weights of the preferences that a pod there fulfils, either way. */
function scoresOf(
  incoming: PodTraits,
  { groups, affine }: Snapshot,
  namespaces: NamespaceLabels,
  { hardWeight, ignorePreferred }: Weights,
): TopologyCounts {
  const scores = new TopologyCounts();
  const { preferredAffinity, preferredAntiAffinity } = incoming.terms;
  const wants = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0;
  if (!wants && (affine.size === 0 || (ignorePreferred && hardWeight === 0))) return scores;
  for (const traits of wants ? groups.keys() : affine) {
    const weighted: [key: string, weight: number][] = [];
    const weigh = (terms: readonly AffinityTerm[], meant: PodTraits, weight: (term: AffinityTerm) => number): void => {
      for (const term of terms) {
        if (termMatches(term, meant, namespaces)) weighted.push([term.topologyKey, weight(term)]);
      }
    };
    weigh(preferredAffinity, traits, (term) => term.weight);
    weigh(preferredAntiAffinity, traits, (term) => -term.weight);
    if (hardWeight > 0) weigh(traits.terms.requiredAffinity, incoming, () => hardWeight);
    if (!ignorePreferred) {
      weigh(traits.terms.preferredAffinity, incoming, (term) => term.weight);
      weigh(traits.terms.preferredAntiAffinity, incoming, (term) => -term.weight);
    }
    if (weighted.length === 0) continue;
    const group = groups.get(traits);
    if (group !== undefined) for (const [key, weight] of weighted) scores.addGroup(group, key, weight);
  }
  return scores;
}
