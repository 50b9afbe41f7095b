/** One pod's scheduling cycle: filter, score, choose; or say why no node will do (`ScheduleOne`, `FitError`). */
import type { Pod } from '../generated/types/core.v1.ts';
import type { NodeInfo } from './framework/node-info.ts';
import { type Candidate, normalize, type Plugin, type Rejection } from './framework/plugin.ts';
import { podInfo } from './framework/pod-info.ts';

export type Verdict = { node: string } | { message: string };

/** Upstream looks at no fewer nodes than this, however many there are. */
const MIN_FEASIBLE = 100;

/** Runs cycles over a set of nodes, beginning each where the last one stopped looking. */
export class Cycle {
  private readonly plugins: readonly Plugin[];
  private start = 0;

  constructor(plugins: readonly Plugin[]) {
    this.plugins = plugins;
  }

  /** The node for a pod, or upstream's words for why there is none. */
  schedule(pod: Pod, nodes: readonly NodeInfo[]): Verdict {
    if (nodes.length === 0) return { message: 'no nodes available to schedule pods' };
    const candidate: Candidate = { pod, info: podInfo(pod) };
    const wanted = feasibleNodesToFind(nodes.length);
    const feasible: NodeInfo[] = [];
    const rejections: Rejection[] = [];
    let looked = 0;
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(this.start + looked) % nodes.length] as NodeInfo;
      const rejection = this.filter(candidate, node);
      if (rejection === undefined) feasible.push(node);
      else rejections.push(rejection);
    }
    this.start = (this.start + looked) % nodes.length;
    if (feasible.length === 0) return { message: fitError(pod, rejections) };
    return { node: this.best(candidate, feasible).name };
  }

  private filter(candidate: Candidate, node: NodeInfo): Rejection | undefined {
    for (const plugin of this.plugins) {
      const rejection = plugin.filter?.(candidate, node);
      if (rejection !== undefined) return rejection;
    }
    return undefined;
  }

  private best(candidate: Candidate, nodes: readonly NodeInfo[]): NodeInfo {
    if (nodes.length === 1) return nodes[0] as NodeInfo;
    const totals = new Array<number>(nodes.length).fill(0);
    for (const plugin of this.plugins) {
      if (plugin.score === undefined) continue;
      const scores = nodes.map((node) => plugin.score?.(candidate, node, nodes) ?? 0);
      if (plugin.normalize !== undefined) normalize(scores, plugin.normalize);
      for (const [i, score] of scores.entries()) totals[i] = (totals[i] as number) + score * (plugin.weight ?? 1);
    }
    const most = Math.max(...totals);
    const ties = nodes.filter((_, i) => totals[i] === most);
    // Any of the best will do; always the first would crowd it.
    return ties[Math.floor(Math.random() * ties.length)] as NodeInfo;
  }
}

/** How many feasible nodes are enough (`numFeasibleNodesToFind`). */
export function feasibleNodesToFind(nodes: number): number {
  if (nodes < MIN_FEASIBLE) return nodes;
  const percentage = Math.max(50 - Math.floor(nodes / 125), 5);
  return Math.max(Math.floor((nodes * percentage) / 100), MIN_FEASIBLE);
}

function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
}

function fitError(pod: Pod, rejections: readonly Rejection[]): string {
  const none = `0/${rejections.length} nodes are available:`;
  const head = `${none} ${counted(rejections.flatMap((r) => r.reasons))}.`;
  if (pod.spec?.preemptionPolicy === 'Never') {
    return `${head} no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.`;
  }
  const hopes = rejections.map((r) =>
    r.unresolvable ? 'Preemption is not helpful for scheduling' : 'No preemption victims found for incoming pod',
  );
  return `${head} no new claims to deallocate, preemption: ${none} ${counted(hopes)}.`;
}
