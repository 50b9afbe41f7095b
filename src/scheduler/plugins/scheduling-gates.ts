import { UPDATE_POD_GATES_ELIMINATED } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

const GATED = unresolvable('Scheduling is blocked due to non-empty scheduling gates');

/** SchedulingGates: a gated pod is not tried. */
export const schedulingGates: PluginFactory = () => ({
  name: 'SchedulingGates',
  events: [{ kind: 'pending', actions: UPDATE_POD_GATES_ELIMINATED }],
  preEnqueue: (pod) => ((pod.spec?.schedulingGates ?? []).length === 0 ? undefined : GATED),
});
