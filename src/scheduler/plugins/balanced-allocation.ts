import { CPU_AND_MEMORY, type ResourceSpec, usage } from '../framework/node-score.ts';
import { MAX_SCORE, type PluginFactory } from '../framework/plugin.ts';

interface Args {
  resources?: readonly ResourceSpec[];
}

/** NodeResourcesBalancedAllocation: a node whose resources fill evenly is better than one that runs out of one. */
export const balancedAllocation: PluginFactory = (_, args) => {
  const given = (args as Args).resources;
  const names = (given?.length ? given : CPU_AND_MEMORY).map(({ name }) => name);
  return {
    name: 'NodeResourcesBalancedAllocation',
    // Pods that ask for nothing would all go to the node that happens to be the most even.
    preScore: (_, { info }) => (names.every((name) => (info.ask.requests[name] ?? 0) === 0) ? 'skip' : undefined),
    score(_, { info }, node) {
      let sum = 0;
      let squares = 0;
      let many = 0;
      for (const name of names) {
        const used = usage(info, node, name, true);
        if (used === undefined) continue;
        const fraction = Math.min(used[0] / used[1], 1);
        sum += fraction;
        squares += fraction * fraction;
        many++;
      }
      const deviation = many < 2 ? 0 : Math.sqrt(Math.max(squares / many - (sum / many) ** 2, 0));
      return Math.trunc((1 - deviation) * MAX_SCORE);
    },
  };
};
