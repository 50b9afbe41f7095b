/** Where an autoscaler's metrics come from (`MetricsClient`). Values are in thousandths. */
import type { Client } from '../../apimachinery/client.ts';
import { parseDuration } from '../../apimachinery/duration.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import { parseApiVersion } from '../../apimachinery/meta.ts';
import { toMilli } from '../../apimachinery/quantity.ts';
import { refusalOf } from '../../apimachinery/refusal.ts';
import type { CrossVersionObjectReference, MetricIdentifier } from '../../generated/types/autoscaling.v2.ts';
import type { PodMetrics } from '../../generated/types/metrics.v1beta1.ts';
import type { ExtensionCall } from '../controller.ts';
import { messageOf, timeOf } from '../objects.ts';
import { extensionItems, extensionOf, type MetricValue, type Question } from './extension-metrics.ts';
import { resourceOfKind } from './target.ts';

const CUSTOM = 'custom.metrics.k8s.io';
const EXTERNAL = 'external.metrics.k8s.io';
/** Of a value that does not say over which time it was measured. */
const DEFAULT_WINDOW_SECONDS = 60;

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

/** Metrics of the built-in `metrics.k8s.io`, and of what APIServices hand to extension API servers. */
export function metricsSource(client: Client, read: ExtensionCall): MetricsSource {
  return {
    async resource(name, namespace, selector, container) {
      const items = await from('resource', () => podMetrics(client, read, namespace, selector));
      if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
      return container === '' ? podTotals(items, name) : ofContainer(items, name, container);
    },
    async pods(metric, namespace, labelSelector) {
      const asked = { resource: 'pods', namespace, name: '*' };
      const items = await from('custom', () => customMetrics(client, read, metric, asked, labelSelector));
      if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
      return new Map(items.map((item) => [item.describedObject?.name ?? '', pointOf(item)]));
    },
    object: (metric, namespace, described) =>
      from('custom', async () => {
        const asked = await placeOf(client, namespace, described);
        const items = await customMetrics(client, read, metric, asked);
        const [item] = items;
        if (items.length === 1 && item !== undefined) return pointOf(item).value;
        const many = `the custom metrics API server returned ${items.length} results`;
        throw new Error(`${many} when we asked for exactly one`);
      }),
    async external({ name = '', selector }, namespace) {
      const items = await from('external', async () => {
        const service = await extensionOf(client, EXTERNAL, ['v1beta1']);
        if (service === undefined) throw new Error(`${refusalOf(404, '')} (get ${name}.${EXTERNAL})`);
        const query = { labelSelector: formatLabelSelector(selector) };
        return extensionItems<MetricValue>(read, service, { resource: name, namespace, query });
      });
      if (items.length === 0) throw new Error('no metrics returned from external metrics API');
      return items.map((item) => pointOf(item).value);
    },
  };
}

/** Says of which API it was that a failure came. */
async function from<T>(api: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`);
  }
}

async function podMetrics(
  client: Client,
  read: ExtensionCall,
  namespace: string,
  labelSelector: string,
): Promise<PodMetrics[]> {
  const service = await extensionOf(client, 'metrics.k8s.io', ['v1beta1']);
  if (service === undefined) {
    return (await client.list<PodMetrics>('metrics.k8s.io/pods', { namespace, labelSelector })).items;
  }
  return extensionItems<PodMetrics>(read, service, { resource: 'pods', namespace, query: { labelSelector } });
}

async function customMetrics(
  client: Client,
  read: ExtensionCall,
  { name = '', selector }: MetricIdentifier,
  asked: Omit<Question, 'query'>,
  labelSelector = '',
): Promise<MetricValue[]> {
  const service = await extensionOf(client, CUSTOM, ['v1beta2', 'v1beta1']);
  if (service === undefined) throw new Error(`no custom metrics API (${CUSTOM}) registered`);
  const query = { labelSelector, metricLabelSelector: formatLabelSelector(selector) };
  // Of a namespace the metric is itself what is asked for.
  const part = asked.resource === 'metrics' ? { name } : { subresource: name };
  return extensionItems<MetricValue>(read, service, { ...asked, ...part, query });
}

/** Where custom metrics of an object are found; those of another namespace than one's own are none of one's business. */
async function placeOf(
  client: Client,
  namespace: string,
  { apiVersion = '', kind = '', name = '' }: CrossVersionObjectReference,
): Promise<Omit<Question, 'query'>> {
  const { group } = parseApiVersion(apiVersion);
  if (kind === 'Namespace' && group === '') return { resource: 'metrics', namespace };
  const qualified = (plain: string): string => (group === '' ? plain : `${plain}.${group}`);
  const mapped = await resourceOfKind(client, group, kind).catch((error: unknown) => {
    throw new Error(`unable to map kind ${qualified(kind)} to resource: ${messageOf(error)}`);
  });
  return { resource: qualified(mapped.resource), namespace, name };
}

/** Throws where the server has sent what is no quantity. */
function pointOf({ value = '', timestamp, window, windowSeconds }: MetricValue): PodMetric {
  const seconds = windowSeconds ?? window ?? DEFAULT_WINDOW_SECONDS;
  return { value: toMilli(value), timestamp: timeOf(timestamp), window: seconds * 1000 };
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
