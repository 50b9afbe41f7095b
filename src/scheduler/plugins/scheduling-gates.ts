import type { Plugin } from '../framework/plugin.ts';

/** SchedulingGates: a gated pod is not tried. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  preEnqueue(pod) {
    if ((pod.spec?.schedulingGates ?? []).length === 0) return undefined;
    return { reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates' };
  },
};
