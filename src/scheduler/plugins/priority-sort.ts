import type { PluginFactory } from '../framework/plugin.ts';

/** PrioritySort: the highest priority first, then the one that waits for longest. */
export const prioritySort: PluginFactory = () => ({
  name: 'PrioritySort',
  compare: (a, b) => b.priority - a.priority || a.since - b.since,
});
