import type { Taint, Toleration } from '../../generated/types/core.v1.ts';
import type { Plugin } from '../framework/plugin.ts';
import { tolerates } from './tolerations.ts';

const HARD = new Set(['NoSchedule', 'NoExecute']);

const untolerated = (taints: readonly Taint[], tolerations: readonly Toleration[]): Taint[] =>
  taints.filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));

/** TaintToleration: hard taints keep pods away, soft ones make a node the worse the more there are. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  normalize: 'lower',
  filter({ pod }, node) {
    const hard = node.taints.filter((taint) => HARD.has(taint.effect ?? ''));
    if (untolerated(hard, pod.spec?.tolerations ?? []).length === 0) return undefined;
    return { reasons: ['node(s) had untolerated taint(s)'], unresolvable: true };
  },
  score({ pod }, node) {
    const soft = node.taints.filter((taint) => taint.effect === 'PreferNoSchedule');
    const answers = (pod.spec?.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule');
    return untolerated(soft, answers).length;
  },
};
