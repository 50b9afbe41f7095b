import type { Plugin } from '../framework/plugin.ts';
import { tolerates } from './tolerations.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** NodeUnschedulable: cordoned nodes take only pods that tolerate it. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter({ pod }, node) {
    if (!node.unschedulable || (pod.spec?.tolerations ?? []).some((t) => tolerates(t, TAINT))) return undefined;
    return { reasons: ['node(s) were unschedulable'], unresolvable: true };
  },
};
