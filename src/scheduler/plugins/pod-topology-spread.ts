import { matches } from '../../apimachinery/labels.ts';
import type { Pod, TopologySpreadConstraint } from '../../generated/types/core.v1.ts';
import {
  ADD,
  DELETE,
  UPDATE_NODE_LABEL,
  UPDATE_NODE_TAINT,
  UPDATE_POD_LABEL,
  UPDATE_POD_TOLERATION,
} from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import type { Candidate, PodInfo } from '../framework/pod-info.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';
import { defaultSelector, selectorNeeds } from './default-selector.ts';
import { type Action, type Constraint, readConstraints, SYSTEM_DEFAULTS } from './spread-constraints.ts';
import { COUNTS, SpreadCounts } from './spread-counts.ts';
import { SCORES, SpreadScores } from './spread-scores.ts';

const NAME = 'PodTopologySpread';
const REASON = "node(s) didn't match pod topology spread constraints";
const SKEWED = { ...unschedulable(REASON), plugin: NAME };
const NO_KEY = { ...unresolvable(`${REASON} (missing required label)`), plugin: NAME };

interface Args {
  defaultConstraints?: readonly TopologySpreadConstraint[];
  /** `System` by default, `List` for {@link defaultConstraints}. */
  defaultingType?: string;
}

/** PodTopologySpread: pods that are alike spread evenly over zones, nodes, or whatever else a label tells apart. */
export const podTopologySpread: PluginFactory = ({ snapshot, objects }, args) => {
  const { defaultConstraints = [], defaultingType = 'System' } = args as Args;
  const system = defaultingType === 'System';
  const defaults = system ? SYSTEM_DEFAULTS : defaultConstraints;
  const own = ({ spec }: Pod): readonly TopologySpreadConstraint[] => spec?.topologySpreadConstraints ?? [];

  const constraintsOf = (pod: Pod, action: Action): Constraint[] => {
    const labels = pod.metadata.labels ?? {};
    if (own(pod).length > 0) return readConstraints(own(pod), labels, action);
    if (!defaults.some(({ whenUnsatisfiable }) => whenUnsatisfiable === action)) return [];
    const selector = defaultSelector(pod, objects);
    return selector.length === 0 ? [] : readConstraints(defaults, labels, action, selector);
  };

  const counts = ({ pod, info }: Candidate, other: PodInfo | undefined): boolean =>
    other !== undefined &&
    other.traits.namespace === info.traits.namespace &&
    constraintsOf(pod, 'DoNotSchedule').some(({ selector }) => matches(selector, other.traits.labels));

  return {
    name: NAME,
    events: [
      {
        kind: 'pod',
        actions: ADD | DELETE | UPDATE_POD_LABEL,
        hint: (pod, before, after) => counts(pod, before) !== counts(pod, after),
      },
      { kind: 'node', actions: ADD | DELETE | UPDATE_NODE_LABEL | UPDATE_NODE_TAINT },
      { kind: 'pending', actions: UPDATE_POD_LABEL | UPDATE_POD_TOLERATION },
    ],
    needs: (pod) => (own(pod).length > 0 || defaults.length === 0 ? [] : selectorNeeds(pod)),
    preFilter(state, candidate) {
      const constraints = constraintsOf(candidate.pod, 'DoNotSchedule');
      if (constraints.length === 0) return 'skip';
      state.write(COUNTS, SpreadCounts.of(constraints, candidate, snapshot));
      return undefined;
    },
    addPod(state, candidate, other, node) {
      state.read(COUNTS)?.update(candidate, other.traits, node, 1);
    },
    removePod(state, candidate, other, node) {
      state.read(COUNTS)?.update(candidate, other.traits, node, -1);
    },
    filter(state, { info }, node) {
      const spread = state.read(COUNTS);
      if (spread === undefined) return undefined;
      for (const [i, { topologyKey, selector, maxSkew }] of spread.constraints.entries()) {
        if (!Object.hasOwn(node.facts.labels, topologyKey)) return NO_KEY;
        const self = matches(selector, info.traits.labels) ? 1 : 0;
        if (spread.at(i, node) + self - spread.minimum(i) > maxSkew) return SKEWED;
      }
      return undefined;
    },
    preScore(state, candidate, nodes) {
      const constraints = constraintsOf(candidate.pod, 'ScheduleAnyway');
      if (constraints.length === 0) return 'skip';
      // By the system's defaults nodes without a zone are still told apart by their names.
      const everyKey = own(candidate.pod).length > 0 || !system;
      state.write(SCORES, new SpreadScores(constraints, candidate, nodes, snapshot, everyKey));
      return undefined;
    },
    score: (state, _candidate, node) => state.read(SCORES)?.crowd(node) ?? 0,
    normalizeScores(state, _candidate, scores, nodes) {
      state.read(SCORES)?.normalize(scores, nodes);
    },
  };
};
