/** What an autoscaler's metrics ask for, one by one. */
import { formatQuantity, fromMilli, toMilli } from '../../apimachinery/quantity.ts';
import type {
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../generated/types/autoscaling.v2.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { formatGoSelector } from '../go-selector.ts';
import { messageOf } from '../objects.ts';
import { byAverage, byShare, byTotal, byUtilization, type Proposal, type Tolerance } from './calculator.ts';
import type { MetricsSource } from './source.ts';

const DEFAULT_TOLERANCE = 0.1;

/** The target and its pods, as they are now. */
export interface Target {
  namespace: string;
  /** As written in a query string. */
  selector: string;
  specReplicas: number;
  statusReplicas: number;
  pods: readonly Pod[];
  now: number;
}

export interface MetricResult {
  replicas: number;
  /** As events name it. */
  name: string;
  status: MetricStatus;
}

/** A metric that says nothing; `reason` is the condition's and the event's, `cause` what went wrong, the message puts it in context. */
export class MetricError extends Error {
  readonly reason: string;
  override readonly cause: string;

  constructor(reason: string, cause: string, context?: string) {
    super(context === undefined ? cause : `${context}: ${cause}`);
    this.reason = reason;
    this.cause = cause;
  }
}

/** How many replicas one metric asks for. Throws a {@link MetricError}. */
export function evaluate(
  autoscaler: Pick<HorizontalPodAutoscaler, 'spec'>,
  spec: MetricSpec,
  target: Target,
  source: MetricsSource,
): Promise<MetricResult> {
  const tolerance = toleranceOf(autoscaler);
  switch (spec.type) {
    case 'Resource': {
      const { name = '', target: wanted = {} } = spec.resource ?? {};
      const context = `failed to get ${name} resource metric value`;
      return named('FailedGetResourceMetric', context, async () => {
        const { current, ...result } = await resourceMetric(name, wanted, '', target, tolerance, source);
        return { ...result, status: { type: spec.type, resource: { name, current } } };
      });
    }
    case 'ContainerResource': {
      const { name = '', container = '', target: wanted = {} } = spec.containerResource ?? {};
      const context = `failed to get ${container} container metric value`;
      return named('FailedGetContainerResourceMetric', context, async () => {
        const { current, ...result } = await resourceMetric(name, wanted, container, target, tolerance, source);
        return { ...result, status: { type: spec.type, containerResource: { name, current, container } } };
      });
    }
    case 'Pods':
      return named('FailedGetPodsMetric', 'failed to get pods metric value', () =>
        podsMetric(spec, target, tolerance, source),
      );
    case 'Object':
      return named('FailedGetObjectMetric', 'failed to get object metric value', () =>
        objectMetric(spec, target, tolerance, source),
      );
    case 'External': {
      const context = `failed to get ${spec.external?.metric?.name} external metric value`;
      return named('FailedGetExternalMetric', context, () => externalMetric(spec, target, tolerance, source));
    }
    default: {
      const cause = `unknown metric source type ${JSON.stringify(spec.type ?? '')}`;
      return Promise.reject(new MetricError('InvalidMetricSourceType', cause));
    }
  }
}

async function named(reason: string, context: string, work: () => Promise<MetricResult>): Promise<MetricResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UntoldContext) throw new MetricError(reason, error.cause, `${context}: ${error.message}`);
    throw new MetricError(reason, messageOf(error), context);
  }
}

/** A context that only the autoscaler's own error has: its condition and event say no more than the cause. */
class UntoldContext extends Error {
  override readonly cause: string;

  constructor(context: string, cause: string) {
    super(context);
    this.cause = cause;
  }
}

/** What went wrong, to be put in a context that is not told. */
async function untold<T>(context: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UntoldContext(context, messageOf(error));
  }
}

function toleranceOf({ spec }: Pick<HorizontalPodAutoscaler, 'spec'>): Tolerance {
  const read = (text: string | undefined): number => (text === undefined ? DEFAULT_TOLERANCE : toMilli(text) / 1000);
  return { up: read(spec?.behavior?.scaleUp?.tolerance), down: read(spec?.behavior?.scaleDown?.tolerance) };
}

const text = (milli: number): string => formatQuantity(fromMilli(milli));

/** What went wrong, put in context. */
async function within<T>(context: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${context}: ${messageOf(error)}`);
  }
}

async function resourceMetric(
  name: string,
  wanted: MetricTarget,
  container: string,
  { namespace, selector, specReplicas, pods, now }: Target,
  tolerance: Tolerance,
  source: MetricsSource,
): Promise<{ replicas: number; name: string; current: MetricValueStatus }> {
  const metrics = () =>
    within(`unable to get metrics for resource ${name}`, () => source.resource(name, namespace, selector, container));
  const load = { replicas: specReplicas, pods, resource: name, tolerance, now };
  const { averageValue, averageUtilization } = wanted;
  if (averageValue !== undefined) {
    const { replicas, usage } = await within(`failed to get ${name} usage`, async () =>
      byAverage({ ...load, metrics: await metrics() }, toMilli(averageValue)),
    );
    return { replicas, name: `${name} resource`, current: { averageValue: text(usage) } };
  }
  if (averageUtilization === undefined) {
    const missing = 'neither an average utilization target nor an average value (usage) target was set';
    throw new Error(`invalid resource metric source: ${missing}`);
  }
  const { replicas, usage, utilization } = await within(`failed to get ${name} utilization`, async () =>
    byUtilization({ ...load, metrics: await metrics() }, averageUtilization, container),
  );
  const what = container === '' ? 'resource' : 'container resource';
  const current = {
    averageValue: text(usage),
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
  };
  return { replicas, name: `${name} ${what} utilization (percentage of request)`, current };
}

async function podsMetric(
  { type, pods: asked }: MetricSpec,
  { namespace, selector, specReplicas, pods, now }: Target,
  tolerance: Tolerance,
  source: MetricsSource,
): Promise<MetricResult> {
  const metric = asked?.metric ?? {};
  const metrics = await within(`unable to get metric ${metric.name}`, () => source.pods(metric, namespace, selector));
  const load = { replicas: specReplicas, pods, metrics, resource: '', tolerance, now };
  const { replicas, usage } = byAverage(load, toMilli(asked?.target?.averageValue ?? 0));
  const status = { type, pods: { metric, current: { averageValue: text(usage) } } };
  return { replicas, name: `pods metric ${metric.name}`, status };
}

async function objectMetric(
  { type, object }: MetricSpec,
  target: Target,
  tolerance: Tolerance,
  source: MetricsSource,
): Promise<MetricResult> {
  const { metric = {}, describedObject = {}, target: wanted = {} } = object ?? {};
  const { namespace } = target;
  const read = async (): Promise<number> => {
    try {
      return await source.object(metric, namespace, describedObject);
    } catch (error) {
      const { kind, name } = describedObject;
      throw new Error(`unable to get metric ${metric.name}: ${kind} on ${namespace} ${name}/${messageOf(error)}`);
    }
  };
  if (wanted.type === 'Value' && wanted.value !== undefined) {
    const { replicas, usage } = total(await read(), wanted.value, target, tolerance);
    const status = { type, object: { metric, current: { value: text(usage) }, describedObject } };
    return { replicas, name: `${describedObject.kind} metric ${metric.name}`, status };
  }
  if (wanted.type === 'AverageValue' && wanted.averageValue !== undefined) {
    const usageOfAll = await untold(`failed to get ${metric.name} object metric`, read);
    const { replicas, usage } = share(usageOfAll, wanted.averageValue, target, tolerance);
    const status = { type, object: { metric, current: { averageValue: text(usage) }, describedObject: {} } };
    return { replicas, name: externalName(metric), status };
  }
  const missing = 'neither a value target nor an average value target was set';
  throw new Error(`invalid object metric source: ${missing}`);
}

async function externalMetric(
  { type, external }: MetricSpec,
  target: Target,
  tolerance: Tolerance,
  source: MetricsSource,
): Promise<MetricResult> {
  const { metric = {}, target: wanted = {} } = external ?? {};
  const { namespace } = target;
  const read = async (): Promise<number> => {
    const shown = formatGoSelector(metric.selector);
    const place = `unable to get external metric ${namespace}/${metric.name}/${shown}`;
    const values = await within(place, () => source.external(metric, namespace));
    return values.reduce((sum, value) => sum + value, 0);
  };
  const name = externalName(metric);
  if (wanted.averageValue !== undefined) {
    const usageOfAll = await untold(`failed to get ${metric.name} external metric`, read);
    const { replicas, usage } = share(usageOfAll, wanted.averageValue, target, tolerance);
    return { replicas, name, status: { type, external: { metric, current: { averageValue: text(usage) } } } };
  }
  if (wanted.value === undefined) {
    const missing = 'neither a value target nor an average value target was set';
    throw new Error(`invalid external metric source: ${missing}`);
  }
  const { replicas, usage } = total(
    await untold(`failed to get external metric ${metric.name}`, read),
    wanted.value,
    target,
    tolerance,
  );
  return { replicas, name, status: { type, external: { metric, current: { value: text(usage) } } } };
}

const total = (usage: number, wanted: string, { specReplicas, pods }: Target, tolerance: Tolerance): Proposal =>
  byTotal(specReplicas, usage, toMilli(wanted), pods, tolerance);

const share = (usage: number, wanted: string, { statusReplicas }: Target, tolerance: Tolerance): Proposal =>
  byShare(statusReplicas, usage, toMilli(wanted), tolerance);

const externalName = (metric: MetricIdentifier): string =>
  `external metric ${metric.name}(${formatGoSelector(metric.selector)})`;
