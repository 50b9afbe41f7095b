/** scheduler_perf inside the scheduler: pods/s from creation to bound, latency of a single pod, memory. */
import { World } from '../support/scheduler-world.ts';
import { CASES, type Case, makeNode, makePod } from './scheduling-cases.ts';

const LONE = 200;

export interface SchedulingFigure {
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
export async function measureCase(test: Case, nodes: number): Promise<SchedulingFigure> {
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

/** Runs all cases at 500 and 5,000 nodes. */
export async function measureScheduling(say: (figure: SchedulingFigure) => void, sizes = [500, 5000]): Promise<void> {
  for (const nodes of sizes) for (const test of CASES) say(await measureCase(test, nodes));
}

if (import.meta.main) {
  const only = process.argv[2];
  const sizes = process.argv[3] === undefined ? [500, 1000, 5000] : process.argv.slice(3).map(Number);
  for (const nodes of sizes) {
    for (const test of CASES) {
      if (only === undefined || only === 'all' || test.name === only) {
        process.stdout.write(`${JSON.stringify(await measureCase(test, nodes))}\n`);
      }
    }
  }
}
