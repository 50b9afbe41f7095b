import { tolerates, toleratesAll } from '../../resources/core/tolerations.ts';
import { ADD, UPDATE_NODE_TAINT, UPDATE_POD_TOLERATION } from '../framework/cluster-event.ts';
import { defaultNormalize, type PluginFactory } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

const REFUSED = { ...unresolvable('node(s) had untolerated taint(s)'), plugin: 'TaintToleration' };
const SOFT = 'PreferNoSchedule';

/** TaintToleration: hard taints keep pods away, soft ones make a node the worse the more there are. */
export const taintToleration: PluginFactory = () => ({
  name: 'TaintToleration',
  events: [
    {
      kind: 'node',
      actions: ADD | UPDATE_NODE_TAINT,
      hint: ({ pod }, before, after) =>
        !(before !== undefined && toleratesAll(before.taints, pod.spec?.tolerations)) &&
        toleratesAll(after?.taints ?? [], pod.spec?.tolerations),
    },
    { kind: 'pending', actions: UPDATE_POD_TOLERATION },
  ],
  filter(_, { pod }, { facts }) {
    return facts.taints.length === 0 || toleratesAll(facts.taints, pod.spec?.tolerations) ? undefined : REFUSED;
  },
  preScore(_state, _candidate, nodes) {
    // Without soft taints every node scores the same.
    return nodes.some(({ facts }) => facts.taints.some(({ effect }) => effect === SOFT)) ? undefined : 'skip';
  },
  score(_, { pod }, { facts }) {
    const answers = (pod.spec?.tolerations ?? []).filter((t) => !t.effect || t.effect === SOFT);
    return facts.taints.filter((taint) => taint.effect === SOFT && !answers.some((t) => tolerates(t, taint))).length;
  },
  normalizeScores(_state, _candidate, scores) {
    defaultNormalize(scores, true);
  },
});
