/** How many replicas a metric asks for (`ReplicaCalculator`). Values are in thousandths. */
import type { Pod } from '../../generated/types/core.v1.ts';
import { isPodReady } from '../pods.ts';
import { groupPods, requestsOf } from './pods.ts';
import type { PodMetricsByName } from './source.ts';

/** How far a ratio may be from 1 without anything being done. */
export interface Tolerance {
  up: number;
  down: number;
}

export interface Proposal {
  replicas: number;
  /** What is used: on average, or in all. */
  usage: number;
  /** In percent of what was asked for. */
  utilization?: number;
}

const isWithin = (ratio: number, { up, down }: Tolerance): boolean => 1 - down <= ratio && ratio <= 1 + up;

interface Load {
  replicas: number;
  pods: readonly Pod[];
  metrics: PodMetricsByName;
  /** Empty for what is no resource. */
  resource: string;
  tolerance: Tolerance;
  now: number;
}

/** A ratio of the metrics to their target, and what it was made of. */
type Measure = (metrics: PodMetricsByName) => { ratio: number; usage: number; utilization?: number };

/** For a target in percent of what pods ask for. */
export function byUtilization(load: Load, target: number, container: string): Proposal {
  const { metrics, resource } = load;
  let requests: ReadonlyMap<string, number> = new Map();
  const measure: Measure = (current) => utilizationRatio(current, requests, target);
  return proposal(load, {
    prepare: () => {
      requests = requestsOf(load.pods, resource, container);
    },
    measure,
    // A pod that says nothing is taken for one that uses all it asked for, so that nothing is scaled down by mistake.
    full: (name) => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100),
    metrics,
  });
}

/** For a target that is an average over pods. */
export function byAverage(load: Load, target: number): Proposal {
  const measure: Measure = (metrics) => {
    const total = [...metrics.values()].reduce((sum, { value }) => sum + value, 0);
    const usage = Math.trunc(total / metrics.size);
    return { ratio: usage / target, usage };
  };
  return proposal(load, { prepare: () => {}, measure, full: () => target, metrics: load.metrics });
}

interface Method {
  /** What can fail before anything is measured. */
  prepare(): void;
  measure: Measure;
  /** What a pod without metrics counts for when replicas would be taken away. */
  full(name: string): number;
  metrics: PodMetricsByName;
}

function proposal({ replicas, pods, resource, tolerance, now }: Load, method: Method): Proposal {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const metrics = new Map(method.metrics);
  const { ready, unready, missing, ignored } = groupPods(pods, metrics, resource, now);
  for (const name of [...ignored, ...unready]) metrics.delete(name);
  if (metrics.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  method.prepare();
  const { ratio, ...measured } = method.measure(metrics);
  const same = { replicas, ...measured };
  const unreadyCount = unready.length > 0 && ratio > 1;
  if (!unreadyCount && missing.length === 0) {
    return isWithin(ratio, tolerance) ? same : { ...same, replicas: Math.ceil(ratio * ready) };
  }
  const assume = (name: string, value: number) => metrics.set(name, { value, timestamp: 0, window: 0 });
  if (ratio !== 1) for (const name of missing) assume(name, ratio < 1 ? method.full(name) : 0);
  if (unreadyCount) for (const name of unready) assume(name, 0);
  const corrected = method.measure(metrics).ratio;
  const turned = (ratio < 1 && corrected > 1) || (ratio > 1 && corrected < 1);
  if (isWithin(corrected, tolerance) || turned) return same;
  const wanted = Math.ceil(corrected * metrics.size);
  const against = (corrected < 1 && wanted > replicas) || (corrected > 1 && wanted < replicas);
  return against ? same : { ...same, replicas: wanted };
}

function utilizationRatio(
  metrics: PodMetricsByName,
  requests: ReadonlyMap<string, number>,
  target: number,
): { ratio: number; usage: number; utilization: number } {
  let [used, asked, count] = [0, 0, 0];
  for (const [name, { value }] of metrics) {
    const request = requests.get(name);
    if (request === undefined) continue;
    used += value;
    asked += request;
    count++;
  }
  if (asked === 0) throw new Error('no metrics returned matched known pods');
  const utilization = Math.trunc((used * 100) / asked);
  return { ratio: utilization / target, usage: Math.trunc(used / count), utilization };
}

/** For a target that the whole must reach. With no replicas the load alone counts, so that some come about. */
export function byTotal(replicas: number, usage: number, target: number, pods: readonly Pod[], tolerance: Tolerance) {
  const ratio = usage / target;
  if (replicas === 0) return { replicas: Math.ceil(ratio), usage };
  if (isWithin(ratio, tolerance)) return { replicas, usage };
  if (pods.length === 0) {
    const why = 'no pods returned by selector while calculating replica count';
    throw new Error(`unable to calculate ready pods: ${why}`);
  }
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length;
  return { replicas: Math.ceil(ratio * ready), usage };
}

/** For a target of each replica's share of the whole. */
export function byShare(replicas: number, usage: number, target: number, tolerance: Tolerance): Proposal {
  const ratio = usage / (target * replicas);
  const wanted = isWithin(ratio, tolerance) ? replicas : Math.ceil(usage / target);
  return { replicas: wanted, usage: Math.ceil(usage / replicas) };
}
