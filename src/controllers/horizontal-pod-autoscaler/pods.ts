/** Pods as an autoscaler sees them: which of them speak for the load. */
import { toMilli } from '../../apimachinery/quantity.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';
import { podCondition } from '../pods.ts';
import type { PodMetric, PodMetricsByName } from './source.ts';

/** While a pod is so young, its CPU counts only once it is ready and measured since (`--horizontal-pod-autoscaler-cpu-initialization-period`). */
const CPU_INITIALIZATION_MS = 300_000;
/** A pod that became unready so soon after its start was never ready (`--horizontal-pod-autoscaler-initial-readiness-delay`). */
const INITIAL_READINESS_MS = 30_000;

export interface PodGroups {
  ready: number;
  /** Not to be counted yet. */
  unready: string[];
  /** Of which there are no metrics. */
  missing: string[];
  /** Which have ended, or soon will. */
  ignored: string[];
}

/** Sorts pods by what their metrics are worth (`groupPods`). */
export function groupPods(pods: readonly Pod[], metrics: PodMetricsByName, resource: string, now: number): PodGroups {
  const groups: PodGroups = { ready: 0, unready: [], missing: [], ignored: [] };
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const metric = metrics.get(name);
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') groups.ignored.push(name);
    else if (pod.status?.phase === 'Pending') groups.unready.push(name);
    else if (metric === undefined) groups.missing.push(name);
    else if (resource === 'cpu' && startsUp(pod, metric, now)) groups.unready.push(name);
    else groups.ready++;
  }
  return groups;
}

/** Whether the pod's CPU is still that of its start. */
function startsUp(pod: Pod, metric: PodMetric, now: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready === undefined || pod.status?.startTime === undefined) return true;
  const started = timeOf(pod.status.startTime);
  const changed = timeOf(ready.lastTransitionTime);
  const unready = ready.status === 'False';
  if (started + CPU_INITIALIZATION_MS > now) return unready || metric.timestamp < changed + metric.window;
  return unready && started + INITIAL_READINESS_MS > changed;
}

/** What the pods ask for of a resource, in thousandths; throws for a container that asks for none of it. */
export function requestsOf(pods: readonly Pod[], resource: string, container: string): Map<string, number> {
  return new Map(pods.map((pod) => [pod.metadata.name, requestOf(pod, resource, container)]));
}

function requestOf({ metadata, spec }: Pod, resource: string, container: string): number {
  const whole = spec?.resources?.requests?.[resource];
  if (container === '' && whole !== undefined) return toMilli(whole);
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  let sum = 0;
  for (const { name, resources } of [...(spec?.containers ?? []), ...sidecars]) {
    if (container !== '' && container !== name) continue;
    const request = resources?.requests?.[resource];
    if (request === undefined) {
      throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
    }
    sum += toMilli(request);
  }
  return sum;
}
