/** The scheduler's memory with a large cluster. */

import type { Pod } from '../../src/generated/types/core.v1.ts';
import { Cache } from '../../src/scheduler/cache.ts';
import { podInfo } from '../../src/scheduler/framework/pod-info.ts';
import { makeNode, makePod } from './scheduling-cases.ts';

/** Pods of one workload, as in most clusters. */
const PER_WORKLOAD = 30;

/** A pod as a store has it: its texts are its own. */
function storedPod(i: number, nodes: number): Pod {
  const app = `app-${Math.floor(i / PER_WORKLOAD)}`;
  const suffix = i.toString(36).padStart(5, 'x');
  const pod = makePod(
    `${app}-7d4b9c6f5-${suffix}`,
    { nodeName: `node-${i % nodes}` },
    { app, 'pod-template-hash': '7d4b9c6f5' },
  );
  pod.status = { phase: 'Running', startTime: '2026-01-01T00:00:00Z' };
  return JSON.parse(JSON.stringify(pod)) as Pod;
}

/** Heap in MB that a scheduler's picture of a cluster takes, and how long it takes to make, in ms. */
export function measureMemory(nodes: number, pods: number): { heapMb: number; loadMs: number } {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const cache = new Cache();
  const start = performance.now();
  for (let i = 0; i < nodes; i++) cache.setNode(JSON.parse(JSON.stringify(makeNode(i))));
  for (let i = 0; i < pods; i++) cache.place(podInfo(storedPod(i, nodes)));
  const loadMs = performance.now() - start;
  globalThis.gc?.();
  const heapMb = (process.memoryUsage().heapUsed - before) / 1e6;
  if (cache.size !== pods) throw new Error(`${cache.size} of ${pods} pods are there`);
  return { heapMb, loadMs };
}
