import type { Pod } from '../../generated/types/core.v1.ts';
import { tolerates } from '../../resources/core/tolerations.ts';
import { ADD, UPDATE_NODE_TAINT, UPDATE_POD_TOLERATION } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const REFUSED = { ...unresolvable('node(s) were unschedulable'), plugin: 'NodeUnschedulable' };

const toleratesCordon = (pod: Pod): boolean => (pod.spec?.tolerations ?? []).some((t) => tolerates(t, TAINT));

/** NodeUnschedulable: cordoned nodes take only pods that tolerate it. */
export const nodeUnschedulable: PluginFactory = () => ({
  name: 'NodeUnschedulable',
  events: [
    {
      kind: 'node',
      actions: ADD | UPDATE_NODE_TAINT,
      hint: (_, before, after) => (before?.unschedulable ?? true) && after?.unschedulable === false,
    },
    { kind: 'pending', actions: UPDATE_POD_TOLERATION, hint: (_, { pod }) => toleratesCordon(pod) },
  ],
  filter(_, { pod }, { facts }) {
    return facts.unschedulable && !toleratesCordon(pod) ? REFUSED : undefined;
  },
});
