/** Scales workloads by their metrics, every 15 seconds. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { now as timestamp } from '../../apimachinery/meta.ts';
import type { HorizontalPodAutoscaler, MetricStatus } from '../../generated/types/autoscaling.v2.ts';
import type { Controller, ControllerContext, ObjectChange, ObjectRef, Requeue } from '../controller.ts';
import { messageOf } from '../objects.ts';
import { checkSelector } from './ambiguity.ts';
import { forgetHistory, type History, historyOf } from './history.ts';
import { evaluate, MetricError, type MetricResult } from './metrics.ts';
import { normalize } from './normalize.ts';
import { metricsSource } from './source.ts';
import { type Autoscaler, setCondition } from './status.ts';
import { readScale, type Scale, writeScale } from './target.ts';

const AUTOSCALERS = 'autoscaling/horizontalpodautoscalers';
/** `--horizontal-pod-autoscaler-sync-period`. */
const PERIOD_MS = 15_000;
/** After a key: the autoscaler is new or was changed, and is looked at when a period has passed. */
const CHANGED = '/changed';

/** Upstream's `horizontal-pod-autoscaler`. */
export const horizontalPodAutoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  watches: [{ resource: AUTOSCALERS, keys: keysOf }],
  async reconcile(client, ref, context): Promise<Requeue | undefined> {
    if (ref.name.endsWith(CHANGED)) {
      context.schedule.after(ref.key.slice(0, -CHANGED.length), PERIOD_MS);
      return;
    }
    const read = await client.get<HorizontalPodAutoscaler>(AUTOSCALERS, ref.namespace, ref.name);
    if (read === undefined) {
      forgetHistory(context, ref.key);
      return;
    }
    const kind = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
    const autoscaler: Autoscaler = { ...read, ...kind, status: structuredClone(read.status ?? {}) };
    await autoscale(client, autoscaler, ref, context);
    if (!deepEqual(autoscaler.status, read.status ?? {})) await client.update(AUTOSCALERS, autoscaler, 'status');
    return { requeueAfterMs: PERIOD_MS };
  },
};

async function keysOf(change: ObjectChange): Promise<string[]> {
  if (change.type === 'DELETED') return [change.key];
  const before = (change.previous as HorizontalPodAutoscaler | undefined)?.spec;
  const after = ((await change.object()) as HorizontalPodAutoscaler | undefined)?.spec;
  return before !== undefined && deepEqual(before, after) ? [] : [change.key + CHANGED];
}

/** One look: what is measured, what follows from it, and the new status (`reconcileAutoscaler`). */
async function autoscale(
  client: Client,
  autoscaler: Autoscaler,
  ref: ObjectRef,
  context: ControllerContext,
): Promise<void> {
  const { status } = autoscaler;
  const at = context.now();
  let scale: Scale;
  try {
    scale = await readScale(client, autoscaler);
  } catch (error) {
    context.events.record(autoscaler, 'Warning', 'FailedGetScale', messageOf(error));
    const message = `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`;
    setCondition(status, at, 'AbleToScale', 'False', 'FailedGetScale', message);
    return;
  }
  const got = "the HPA controller was able to get the target's current scale";
  setCondition(status, at, 'AbleToScale', 'True', 'SucceededGetScale', got);
  const current = scale.specReplicas;
  const history = historyOf(context, ref.key);
  history.begin(current, at);
  const plan = await planOf(client, autoscaler, scale, history, context);
  status.currentReplicas = current;
  status.currentMetrics = plan.metrics;
  if (plan.desired === undefined) return;
  if (plan.desired !== current) {
    try {
      await writeScale(client, scale, plan.desired);
    } catch (error) {
      const size = `New size: ${plan.desired}; reason: ${plan.reason}`;
      context.events.record(autoscaler, 'Warning', 'FailedRescale', `${size}; error: ${messageOf(error)}`);
      const message = `the HPA controller was unable to update the target scale: ${messageOf(error)}`;
      setCondition(status, at, 'AbleToScale', 'False', 'FailedUpdateScale', message);
      return;
    }
    const message = `the HPA controller was able to update the target scale to ${plan.desired}`;
    setCondition(status, at, 'AbleToScale', 'True', 'SucceededRescale', message);
    const size = `New size: ${plan.desired}; reason: ${plan.reason}`;
    context.events.record(autoscaler, 'Normal', 'SuccessfulRescale', size);
    history.scaled(current, plan.desired, at);
    status.lastScaleTime = timestamp(at);
  }
  status.desiredReplicas = plan.desired;
}

interface Plan {
  /** Undefined where nothing is known: all stays as it is. */
  desired?: number;
  reason: string;
  metrics: MetricStatus[] | null;
}

/** How many replicas there should be, and why. */
async function planOf(
  client: Client,
  autoscaler: Autoscaler,
  scale: Scale,
  history: History,
  context: ControllerContext,
): Promise<Plan> {
  const { spec = {}, status } = autoscaler;
  const { minReplicas = 1, maxReplicas = 1 } = spec;
  const current = scale.specReplicas;
  const at = context.now();
  const none = { metrics: null, reason: '' };
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    setCondition(status, at, 'ScalingActive', 'False', 'ScalingDisabled', message);
    return { ...none, desired: 0 };
  }
  if (current > maxReplicas) {
    return { ...none, desired: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' };
  }
  if (current < minReplicas) {
    return { ...none, desired: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' };
  }
  const measured = await measure(client, autoscaler, scale, context);
  if (measured.failure !== undefined) {
    context.events.record(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', measured.failure);
    return { metrics: measured.metrics, reason: '' };
  }
  const { replicas, able, limited } = normalize(spec, current, measured.replicas, history, at);
  setCondition(status, at, 'AbleToScale', 'True', able.reason, able.message);
  setCondition(status, at, 'ScalingLimited', limited.holds ? 'True' : 'False', limited.reason, limited.message);
  const up = measured.replicas > current;
  const reason = up ? `${measured.name} above target` : 'All metrics below target';
  return { desired: replicas, reason, metrics: measured.metrics };
}

interface Measured {
  replicas: number;
  name: string;
  metrics: MetricStatus[] | null;
  failure?: string;
}

/** The greatest number that a metric asks for (`computeReplicasForMetrics`). One that says nothing keeps replicas from being taken away. */
async function measure(
  client: Client,
  autoscaler: Autoscaler,
  scale: Scale,
  context: ControllerContext,
): Promise<Measured> {
  const { spec = {}, status } = autoscaler;
  const specs = spec.metrics ?? [];
  const at = context.now();
  const checked = await checkSelector(client, autoscaler, scale, context);
  if (checked.failure !== undefined) return { replicas: 0, name: '', metrics: null, failure: checked.failure };
  const target = { ...scale, pods: checked.pods, now: at };
  const source = metricsSource(client, context.askExtension);
  const metrics: MetricStatus[] = [];
  const failures: MetricError[] = [];
  let best: MetricResult | undefined;
  for (const metric of specs) {
    try {
      const result = await evaluate(autoscaler, metric, target, source);
      metrics.push(result.status);
      if (best === undefined || result.replicas > best.replicas) best = result;
    } catch (error) {
      if (!(error instanceof MetricError)) throw error;
      metrics.push({ type: '' });
      failures.push(error);
      context.events.record(autoscaler, 'Warning', error.reason, error.cause);
    }
  }
  const [first] = failures;
  if (first !== undefined && (best === undefined || best.replicas < scale.specReplicas)) {
    const message = `the HPA was unable to compute the replica count: ${first.cause}`;
    setCondition(status, at, 'ScalingActive', 'False', first.reason, message);
    const counts = `${failures.length} invalid out of ${specs.length}`;
    return { replicas: 0, name: '', metrics, failure: `invalid metrics (${counts}), first error is: ${first.message}` };
  }
  const { replicas, name } = best ?? { replicas: scale.specReplicas, name: '' };
  const found = `the HPA was able to successfully calculate a replica count from ${name}`;
  setCondition(status, at, 'ScalingActive', 'True', 'ValidMetricFound', found);
  return { replicas, name, metrics };
}
