import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_SCORE, type Plugin } from '../framework/plugin.ts';

/** NodeResourcesFit: what a pod asks for must be free; the emptier node is the better one (LeastAllocated over cpu and memory). */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  filter({ info }, node) {
    const short: string[] = [];
    let unresolvable = false;
    if (node.pods + 1 > node.maxPods) short.push('Too many pods');
    for (const [name, wanted] of Object.entries(info.requests)) {
      if (wanted === 0) continue;
      const allocatable = node.allocatable[name] ?? 0;
      if (wanted <= allocatable - (node.requested[name] ?? 0)) continue;
      short.push(`Insufficient ${name}`);
      if (wanted > allocatable) unresolvable = true;
    }
    return short.length === 0 ? undefined : { reasons: short, unresolvable };
  },
  score({ info }, node) {
    return Math.floor((free(node, 'cpu', info.nonZero.cpu) + free(node, 'memory', info.nonZero.memory)) / 2);
  },
};

function free(node: NodeInfo, name: 'cpu' | 'memory', wanted: number): number {
  const allocatable = node.allocatable[name] ?? 0;
  const used = node.nonZero[name] + wanted;
  return allocatable === 0 || used > allocatable ? 0 : Math.floor(((allocatable - used) * MAX_SCORE) / allocatable);
}
