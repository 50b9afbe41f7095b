/** Where an autoscaler's metrics come from (`MetricsClient`). Values are in thousandths. */
import type { Client } from '../../apimachinery/client.ts';
import { parseDuration } from '../../apimachinery/duration.ts';
import { toMilli } from '../../apimachinery/quantity.ts';
import type { CrossVersionObjectReference, MetricIdentifier } from '../../generated/types/autoscaling.v2.ts';
import type { PodMetrics } from '../../generated/types/metrics.v1beta1.ts';
import { messageOf, timeOf } from '../objects.ts';

/** What one pod used. Times in ms. */
export interface PodMetric {
  value: number;
  timestamp: number;
  window: number;
}

export type PodMetricsByName = Map<string, PodMetric>;

/** All methods throw upstream's words where there is nothing to be had. */
export interface MetricsSource {
  /** Of the pods that the selector selects; of one container of each where `container` is not empty. */
  resource(name: string, namespace: string, selector: string, container: string): Promise<PodMetricsByName>;
  pods(metric: MetricIdentifier, namespace: string, selector: string): Promise<PodMetricsByName>;
  object(metric: MetricIdentifier, namespace: string, described: CrossVersionObjectReference): Promise<number>;
  external(metric: MetricIdentifier, namespace: string): Promise<number[]>;
}

/** Resource metrics from `metrics.k8s.io`. Nothing serves the APIs of the other kinds of metrics. */
export function metricsSource(client: Client): MetricsSource {
  const noCustomMetrics = async (): Promise<never> => {
    throw new Error(
      'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    );
  };
  return {
    async resource(name, namespace, selector, container) {
      const items = await listPodMetrics(client, namespace, selector);
      if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
      return container === '' ? podTotals(items, name) : ofContainer(items, name, container);
    },
    pods: noCustomMetrics,
    object: noCustomMetrics,
    async external({ name }) {
      const missing = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`;
      throw new Error(`unable to fetch metrics from external metrics API: ${missing}`);
    },
  };
}

async function listPodMetrics(client: Client, namespace: string, labelSelector: string): Promise<PodMetrics[]> {
  try {
    return (await client.list<PodMetrics>('metrics.k8s.io/pods', { namespace, labelSelector })).items;
  } catch (error) {
    throw new Error(`unable to fetch metrics from resource metrics API: ${messageOf(error)}`);
  }
}

/** The sums over the containers; a pod of which a container says nothing is left out. */
function podTotals(items: readonly PodMetrics[], resource: string): PodMetricsByName {
  const metrics: PodMetricsByName = new Map();
  for (const item of items) {
    const usages = (item.containers ?? []).map(({ usage }) => usage?.[resource]);
    if (usages.includes(undefined)) continue;
    const value = usages.reduce((sum, usage) => sum + toMilli(usage ?? 0), 0);
    metrics.set(item.metadata.name, metricOf(item, value));
  }
  return metrics;
}

function ofContainer(items: readonly PodMetrics[], resource: string, container: string): PodMetricsByName {
  const metrics: PodMetricsByName = new Map();
  for (const item of items) {
    const { name, namespace } = item.metadata;
    const found = item.containers?.find((candidate) => candidate.name === container);
    if (found === undefined) {
      const missing = `container ${container} not present in metrics for pod ${namespace}/${name}`;
      throw new Error(`failed to get container metrics: ${missing}`);
    }
    const usage = found.usage?.[resource];
    if (usage !== undefined) metrics.set(name, metricOf(item, toMilli(usage)));
  }
  return metrics;
}

const metricOf = ({ timestamp, window }: PodMetrics, value: number): PodMetric => ({
  value,
  timestamp: timeOf(timestamp),
  window: parseDuration(window ?? '') ?? 0,
});
