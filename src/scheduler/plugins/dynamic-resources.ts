import { StateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { failed, unschedulable } from '../framework/status.ts';

const SEEN = new StateKey<true>('DynamicResources');

/** DynamicResources, for pods without claims: it has no claim to give back for them. */
export const dynamicResources: PluginFactory = () => ({
  name: 'DynamicResources',
  preFilter(state) {
    state.write(SEEN, true);
    return 'skip';
  },
  async postFilter(state) {
    // Where a plugin before this one refused every node, upstream does not find its own state, and says so.
    if (state.read(SEEN) === undefined) return { status: failed('not found') };
    return { status: unschedulable('no new claims to deallocate') };
  },
});
