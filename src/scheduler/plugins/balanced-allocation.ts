import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_SCORE, type Plugin } from '../framework/plugin.ts';

/** NodeResourcesBalancedAllocation: a node whose cpu and memory fill evenly is better than one that runs out of one. */
export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  score({ info }, node) {
    const cpu = fraction(node, 'cpu', info.requests['cpu'] ?? 0);
    const memory = fraction(node, 'memory', info.requests['memory'] ?? 0);
    const deviation = Math.abs(cpu - memory) / 2;
    return Math.floor((1 - deviation) * MAX_SCORE);
  },
};

function fraction(node: NodeInfo, name: string, wanted: number): number {
  const allocatable = node.allocatable[name] ?? 0;
  return allocatable === 0 ? 1 : Math.min(((node.requested[name] ?? 0) + wanted) / allocatable, 1);
}
