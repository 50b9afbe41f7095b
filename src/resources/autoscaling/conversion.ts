/** Between `autoscaling/v1` and the v2 that is kept: v1 knows one metric, the others travel in annotations. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { HorizontalPodAutoscaler as V1 } from '../../generated/types/autoscaling.v1.ts';
import type { HorizontalPodAutoscaler as V2 } from '../../generated/types/autoscaling.v2.ts';
import type { Resource } from '../resource.ts';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

type Metric = NonNullable<NonNullable<V2['spec']>['metrics']>[number];
type CurrentMetric = NonNullable<NonNullable<V2['status']>['currentMetrics']>[number];

const isCpu = ({ type, resource }: Metric | CurrentMetric): boolean => type === 'Resource' && resource?.name === 'cpu';
/** What v1 can say in a field of its own. */
const isPlain = (metric: Metric): boolean => isCpu(metric) && metric.resource?.target?.averageUtilization !== undefined;

function fromStored(object: KubeObject): KubeObject {
  const { spec = {}, status, metadata, ...rest } = object as V2;
  const { metrics: given, behavior, ...common } = spec as NonNullable<V2['spec']>;
  const metrics = given ?? [];
  const plain = metrics.find(isPlain);
  const annotations: Record<string, string> = { ...metadata.annotations };
  const others = metrics.filter((metric) => metric !== plain);
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  if (behavior != null) annotations[BEHAVIOR] = JSON.stringify(behavior);
  const { currentMetrics, conditions, ...counts } = status ?? {};
  const usage = currentMetrics?.find(isCpu)?.resource?.current?.averageUtilization;
  const othersNow = (currentMetrics ?? []).filter((metric) => !isCpu(metric));
  if (othersNow.length > 0) annotations[CURRENT] = JSON.stringify(othersNow);
  if (conditions?.length) annotations[CONDITIONS] = JSON.stringify(conditions);
  const utilization = plain?.resource?.target?.averageUtilization;
  const hpa = {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...common, ...(utilization === undefined ? {} : { targetCPUUtilizationPercentage: utilization }) },
    status: {
      currentReplicas: 0,
      ...counts,
      ...(usage === undefined ? {} : { currentCPUUtilizationPercentage: usage }),
    },
  };
  return hpa as unknown as KubeObject;
}

function toStored(object: KubeObject): KubeObject {
  const { spec = {}, status = {}, metadata, ...rest } = object as V1;
  const { targetCPUUtilizationPercentage: averageUtilization, ...common } = spec as NonNullable<V1['spec']>;
  const { currentCPUUtilizationPercentage: usage, currentReplicas, ...counts } = status as NonNullable<V1['status']>;
  const annotations: Record<string, string> = { ...metadata.annotations };
  const take = <T>(name: string): T | undefined => {
    const text = annotations[name];
    delete annotations[name];
    return text === undefined ? undefined : parsed<T>(text);
  };
  const metrics: Metric[] = take<Metric[]>(METRICS) ?? [];
  if (averageUtilization !== undefined) {
    metrics.unshift({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
    });
  }
  const behavior = take(BEHAVIOR);
  const conditions = take(CONDITIONS);
  const current = take<CurrentMetric[]>(CURRENT) ?? [];
  if (usage !== undefined) {
    current.unshift({
      type: 'Resource',
      resource: { name: 'cpu', current: { averageUtilization: usage } },
    } as CurrentMetric);
  }
  const hpa = {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, annotations),
    spec: {
      ...common,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      // v1 always says it, v2 only where there are some.
      ...(currentReplicas ? { currentReplicas } : {}),
      ...counts,
      currentMetrics: current.length === 0 ? null : current,
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
  return hpa as unknown as KubeObject;
}

/** An annotation that a client broke is as good as none. */
function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function withAnnotations(
  metadata: KubeObject['metadata'],
  annotations: Record<string, string>,
): KubeObject['metadata'] {
  const { annotations: _, ...others } = metadata;
  return Object.keys(annotations).length === 0 ? others : { ...others, annotations };
}

/** Of the resource `autoscaling/v1 horizontalpodautoscalers`. */
export const autoscalerConversion: NonNullable<Resource['conversion']> = { fromStored, toStored };
