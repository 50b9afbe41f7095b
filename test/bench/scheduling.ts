/** scheduler_perf inside the scheduler: pods/s from creation to bound, latency of a single pod, memory. */

import { World } from '../support/scheduler-world.ts';
import { Figures, round } from './figures.ts';
import { CASES, type Case, makeNode, makePod } from './scheduling-cases.ts';
import { measureMemory } from './scheduling-memory.ts';

const LONE = 200;
/** Numbers of nodes that are measured. */
export const SIZES: readonly number[] = [500, 5000];
/** Upstream's largest cluster. */
const LARGEST = { nodes: 5000, pods: 150_000 };

interface SchedulingFigure {
  case: string;
  nodes: number;
  pods: number;
  podsPerSecond: number;
  /** Of a pod that comes alone, in ms. */
  p50: number;
  p99: number;
  /** Heap in use, in MB. */
  heap: number;
}

/** Runs one case at a number of nodes. */
async function measureCase(test: Case, nodes: number): Promise<SchedulingFigure> {
  const world = new World();
  for (let i = 0; i < nodes; i++) world.addNode(makeNode(i, test.node?.(i)));
  for (let i = 0; i < (test.before?.count(nodes) ?? 0); i++) world.addPod(test.before!.pod(i));
  await world.settle();
  const pods = test.measured.count(nodes);
  let bound = 0;
  world.onBound = ({ metadata }) => {
    if (metadata.name.startsWith('pod-')) bound++;
  };
  const start = performance.now();
  for (let i = 0; i < pods; i++) {
    world.addPod(test.measured.pod(i));
    if (test.churn && i % 20 === 0) await churn(world, nodes, i);
    // As they come from many clients: some at a time.
    if (i % 100 === 99) await world.turn();
  }
  await world.settle();
  const seconds = (performance.now() - start) / 1000;
  if (bound < pods) throw new Error(`${test.name}: ${pods - bound} of ${pods} pods were not bound`);
  const [p50, p99] = await lone(world);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed / 1e6;
  // What is measured has to be there still.
  if (world.pods.size === 0) throw new Error('no pods');
  return { case: test.name, nodes, pods, podsPerSecond: pods / seconds, p50, p99, heap };
}

/** Pods that come one by one. */
async function lone(world: World): Promise<[p50: number, p99: number]> {
  const times: number[] = [];
  for (let i = 0; i < LONE; i++) {
    const start = performance.now();
    world.addPod(makePod(`lone-${i}`, { priority: 10 }));
    await world.settle();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return [times[LONE >> 1] ?? 0, times[Math.floor(LONE * 0.99)] ?? 0];
}

/** A node comes, a pod that fits nowhere comes and goes. */
async function churn(world: World, nodes: number, i: number): Promise<void> {
  world.addNode(makeNode(nodes + i));
  world.addPod(makePod(`churn-${i}`, {}, undefined, '9'));
  if (i >= 100) world.deletePod(`bench/churn-${i - 100}`);
}

/** Runs all cases, or those of a name, at numbers of nodes, and says what memory the largest cluster takes. */
export async function measureScheduling(figures: Figures, sizes: readonly number[], only?: string): Promise<void> {
  for (const nodes of sizes) {
    for (const test of CASES) {
      if (only !== undefined && test.name !== only) continue;
      const { podsPerSecond, p50, p99, heap } = await measureCase(test, nodes);
      figures.add({
        name: `${test.name}, ${nodes} nodes`,
        perSecond: Math.round(podsPerSecond),
        p50Ms: round(p50),
        p99Ms: round(p99),
        value: Math.round(heap),
        unit: 'MB',
      });
    }
  }
  if (only !== undefined) return;
  const { heapMb } = measureMemory(LARGEST.nodes, LARGEST.pods);
  const name = `the scheduler's memory, ${LARGEST.nodes} nodes, ${LARGEST.pods} pods`;
  figures.add({ name, value: Math.round(heapMb), unit: 'MB' });
}

// By itself: `node --expose-gc test/bench/scheduling.ts [CASE|all] [NODES...]`.
if (import.meta.main) {
  const [only, ...sizes] = process.argv.slice(2);
  const wanted = sizes.length === 0 ? SIZES : sizes.map(Number);
  await measureScheduling(new Figures(), wanted, only === 'all' ? undefined : only);
}
