/** `metrics.k8s.io`, as metrics-server answers it: objects made of what the nodes say. */
import type { ResourceId } from '../../apimachinery/client.ts';
import { parseDuration } from '../../apimachinery/duration.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { now } from '../../apimachinery/meta.ts';
import { formatQuantity, fromNumber } from '../../apimachinery/quantity.ts';
import type { CpuStats, MemoryStats, PodStats, Summary } from '../../apimachinery/stats-summary.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import type { NodeMetrics, PodMetrics } from '../../generated/types/metrics.v1beta1.ts';
import type { ListQuery } from '../../store/types.ts';

/** Where the metrics of one cluster come from. */
export interface MetricsScope {
  /** Objects of a store. */
  list<T extends KubeObject>(id: ResourceId, query: ListQuery): Promise<T[]>;
  /** What a node says; undefined where it says nothing. */
  summaryOf(node: string): Promise<Summary | undefined>;
}

/** Metrics of the pods that the query selects, of those that run and were measured. */
export async function podMetrics(scope: MetricsScope, query: ListQuery): Promise<PodMetrics[]> {
  const pods = (await select<Pod>(scope, 'core/pods', query)).filter(({ status }) => status?.phase === 'Running');
  const summaries = await summariesOf(scope, new Set(pods.flatMap(({ spec }) => spec?.nodeName || [])));
  const measured = new Map<string, PodStats>();
  for (const { pods: stats } of summaries.values()) for (const pod of stats) measured.set(pod.podRef.uid, pod);
  return pods.flatMap((pod) => metricsOfPod(pod, measured.get(pod.metadata.uid ?? '')) ?? []);
}

/** Metrics of the nodes that the query selects, of those that answer. */
export async function nodeMetrics(scope: MetricsScope, query: ListQuery): Promise<NodeMetrics[]> {
  const nodes = await select<Node>(scope, 'core/nodes', query);
  const summaries = await summariesOf(scope, new Set(nodes.map(({ metadata }) => metadata.name)));
  return nodes.flatMap((node) => metricsOfNode(node, summaries.get(node.metadata.name)) ?? []);
}

function select<T extends KubeObject>(scope: MetricsScope, id: ResourceId, query: ListQuery): Promise<T[]> {
  // Of a resourceVersion or a page there is nothing to be said: metrics have none.
  const { prefix, labelSelector, fieldSelector } = query;
  return scope.list<T>(id, {
    prefix,
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  });
}

async function summariesOf(scope: MetricsScope, nodes: ReadonlySet<string>): Promise<Map<string, Summary>> {
  const answers = await Promise.all([...nodes].map(async (node) => [node, await scope.summaryOf(node)] as const));
  return new Map(answers.filter((answer): answer is readonly [string, Summary] => answer[1] !== undefined));
}

function metricsOfNode({ metadata }: Node, summary: Summary | undefined): NodeMetrics | undefined {
  const { cpu, memory } = summary?.node ?? {};
  if (cpu === undefined || memory === undefined) return undefined;
  return { ...head('NodeMetrics', metadata), ...measuredAt([cpu]), usage: usageOf(cpu, memory) };
}

function metricsOfPod(pod: Pod, stats: PodStats | undefined): PodMetrics | undefined {
  const containers = stats?.containers ?? [];
  const running = (pod.status?.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined);
  // A sum without one of the containers would be wrong.
  const complete = running.every(({ name }) => containers.some((container) => container.name === name));
  if (containers.length === 0 || !complete) return undefined;
  return {
    ...head('PodMetrics', pod.metadata),
    ...measuredAt(containers.map(({ cpu }) => cpu)),
    containers: containers.map(({ name, cpu, memory }) => ({ name, usage: usageOf(cpu, memory) })),
  };
}

function head(kind: string, { name, namespace, labels }: KubeObject['metadata']) {
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    creationTimestamp: now(),
    ...(labels === undefined ? {} : { labels }),
  };
  return { kind, apiVersion: 'metrics.k8s.io/v1beta1', metadata };
}

/** The oldest reading counts, with its window. */
function measuredAt(readings: readonly CpuStats[]): { timestamp: string; window: string } {
  const [oldest] = [...readings].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const window = oldest !== undefined && parseDuration(oldest.window) !== undefined ? oldest.window : '0s';
  return { timestamp: now(Date.parse(oldest?.time ?? '')), window };
}

function usageOf({ usageNanoCores }: CpuStats, { workingSetBytes }: MemoryStats): Record<string, string> {
  return {
    cpu: formatQuantity({ nano: BigInt(Math.round(usageNanoCores)), format: 'DecimalSI' }),
    memory: formatQuantity(fromNumber(workingSetBytes, 'BinarySI')),
  };
}
