/** TaintNodesByCondition: a new node takes no pods until the node controller has seen it ready. */
import type { Node } from '../../generated/types/core.v1.ts';
import { type AdmissionPlugin, creates } from './plugin.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: creates('nodes'),
  admit({ object }) {
    const node = object as Node;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    if (taints.some((t) => t.key === NOT_READY.key && t.effect === NOT_READY.effect)) return;
    node.spec.taints = [...taints, { ...NOT_READY }];
  },
};
