import { ADD } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

const REFUSED = { ...unresolvable("node(s) didn't match the requested node name"), plugin: 'NodeName' };

/** NodeName: a pod that names its node goes there or nowhere. */
export const nodeName: PluginFactory = () => ({
  name: 'NodeName',
  events: [{ kind: 'node', actions: ADD, hint: ({ pod }, _, after) => pod.spec?.nodeName === after?.name }],
  filter(_, { pod }, node) {
    const wanted = pod.spec?.nodeName;
    return wanted && wanted !== node.name ? REFUSED : undefined;
  },
});
