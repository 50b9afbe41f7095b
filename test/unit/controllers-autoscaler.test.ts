import { describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import {
  byAverage,
  byShare,
  byTotal,
  byUtilization,
} from '../../src/controllers/horizontal-pod-autoscaler/calculator.ts';
import { History } from '../../src/controllers/horizontal-pod-autoscaler/history.ts';
import { horizontalPodAutoscalerController } from '../../src/controllers/horizontal-pod-autoscaler/index.ts';
import { evaluate, MetricError, type Target } from '../../src/controllers/horizontal-pod-autoscaler/metrics.ts';
import { normalize } from '../../src/controllers/horizontal-pod-autoscaler/normalize.ts';
import { type MetricsSource, metricsSource } from '../../src/controllers/horizontal-pod-autoscaler/source.ts';
import type { Deployment } from '../../src/generated/types/apps.v1.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
} from '../../src/generated/types/autoscaling.v2.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';
import type { PodMetrics } from '../../src/generated/types/metrics.v1beta1.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const time = (ms: number): string => new Date(ms).toISOString();

interface PodOptions {
  phase?: string;
  ready?: boolean;
  /** Seconds ago. */
  started?: number;
  changed?: number;
  request?: string;
  deleting?: boolean;
}

function pod(name: string, options: PodOptions = {}): Pod {
  const { phase = 'Running', ready = true, started = 3600, changed = 3500, request = '100m', deleting } = options;
  const lastTransitionTime = time(NOW - changed * 1000);
  return {
    metadata: {
      name,
      namespace: 'ns',
      uid: name,
      labels: { app: 'web' },
      ...(deleting && { deletionTimestamp: time(NOW) }),
    },
    spec: { containers: [{ name: 'main', resources: request === '' ? {} : { requests: { cpu: request } } }] },
    status: {
      phase,
      startTime: time(NOW - started * 1000),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
    },
  };
}

const metric = (value: number, age = 10) => ({ value, timestamp: NOW - age * 1000, window: 30_000 });
const metricsOf = (values: Record<string, number>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, metric(value)]));
const TOLERANCE = { up: 0.1, down: 0.1 };
const load = (replicas: number, pods: Pod[], values: Record<string, number>, resource = 'cpu') => ({
  replicas,
  pods,
  metrics: metricsOf(values),
  resource,
  tolerance: TOLERANCE,
  now: NOW,
});
const three = [pod('a'), pod('b'), pod('c')];

describe('replicas by utilization', () => {
  it.each([
    ['twice the target', three, { a: 100, b: 100, c: 100 }, 50, 6],
    ['within tolerance', three, { a: 54, b: 54, c: 54 }, 50, 3],
    ['at its edge', three, { a: 55, b: 55, c: 55 }, 50, 3],
    ['beyond it', three, { a: 56, b: 56, c: 56 }, 50, 4],
    ['half the target', three, { a: 25, b: 25, c: 25 }, 50, 2],
    ['one is missing on the way up: as if it did nothing', three, { a: 100, b: 100 }, 50, 4],
    ['one is missing on the way down: as if it did all', three, { a: 10, b: 10 }, 50, 3],
    ['one is missing and turns the direction', three, { a: 60, b: 60 }, 50, 3],
    [
      'a pending pod counts as idle on the way up',
      [...three, pod('d', { phase: 'Pending' })],
      { a: 100, b: 100, c: 100 },
      50,
      6,
    ],
    [
      'a pending pod does not count on the way down',
      [...three, pod('d', { phase: 'Pending' })],
      { a: 25, b: 25, c: 25 },
      50,
      2,
    ],
    ['a failed pod never counts', [...three, pod('d', { phase: 'Failed' })], { a: 100, b: 100, c: 100, d: 900 }, 50, 6],
    [
      'nor one that is being deleted',
      [...three, pod('d', { deleting: true })],
      { a: 100, b: 100, c: 100, d: 900 },
      50,
      6,
    ],
    [
      'a pod that starts and is not ready',
      [...three, pod('d', { ready: false, started: 60 })],
      { a: 25, b: 25, c: 25, d: 900 },
      50,
      2,
    ],
    [
      'a pod that was not measured since it is ready',
      [...three, pod('d', { started: 60, changed: 20 })],
      { a: 25, b: 25, c: 25, d: 900 },
      50,
      2,
    ],
    [
      'a young pod that was',
      [...three, pod('d', { started: 60, changed: 45 })],
      { a: 50, b: 50, c: 50, d: 450 },
      50,
      12,
    ],
    [
      'an old pod that was never ready',
      [...three, pod('d', { ready: false, started: 900, changed: 890 })],
      { a: 25, b: 25, c: 25, d: 900 },
      50,
      2,
    ],
    [
      'an old pod that is not ready any more',
      [...three, pod('d', { ready: false, started: 900, changed: 100 })],
      { a: 50, b: 50, c: 50, d: 450 },
      50,
      12,
    ],
  ])('%s', (_, pods, values, target, expected) => {
    const current = pods.filter(
      ({ metadata, status }) => !metadata.deletionTimestamp && status?.phase !== 'Failed',
    ).length;
    const replicas = expected === 3 ? 3 : current;
    expect(byUtilization(load(replicas, pods, values), target, '').replicas).toBe(expected);
  });

  it('says what is used', () => {
    expect(byUtilization(load(3, three, { a: 100, b: 40, c: 10 }), 50, '')).toEqual({
      replicas: 3,
      usage: 50,
      utilization: 50,
    });
  });

  it.each([
    ['no pods returned by selector while calculating replica count', [], { a: 1 }],
    ['did not receive metrics for targeted pods (pods might be unready)', three, {}],
    ['missing request for cpu in container main of Pod d', [...three, pod('d', { request: '' })], { a: 1, d: 1 }],
    ['no metrics returned matched known pods', three, { x: 1 }],
  ])('%s', (message, pods, values) => {
    expect(() => byUtilization(load(3, pods, values), 50, '')).toThrow(message);
  });
});

describe('replicas by other measures', () => {
  it('averages', () => {
    expect(byAverage(load(3, three, { a: 20, b: 20, c: 20 }, ''), 10)).toEqual({ replicas: 6, usage: 20 });
    expect(byAverage(load(3, three, { a: 2, b: 2 }, ''), 10)).toEqual({ replicas: 2, usage: 2 });
  });

  it('totals', () => {
    expect(byTotal(3, 20, 10, three, TOLERANCE)).toEqual({ replicas: 6, usage: 20 });
    expect(byTotal(3, 10, 10, three, TOLERANCE).replicas).toBe(3);
    expect(byTotal(0, 25, 10, [], TOLERANCE).replicas).toBe(3);
  });

  it('shares', () => {
    expect(byShare(3, 60, 10, TOLERANCE)).toEqual({ replicas: 6, usage: 20 });
    expect(byShare(3, 31, 10, TOLERANCE)).toEqual({ replicas: 3, usage: 11 });
  });
});

const rules = (type: string, value: number, more: HPAScalingRules = {}): HPAScalingRules => ({
  selectPolicy: 'Max',
  stabilizationWindowSeconds: 0,
  policies: [{ type, value, periodSeconds: 60 }],
  ...more,
});

describe('what may be done', () => {
  const bounds: HorizontalPodAutoscalerSpec = { minReplicas: 2, maxReplicas: 20 };
  const up = rules('Percent', 100);
  const down = rules('Percent', 100);

  it.each<[string, HorizontalPodAutoscalerSpec, number, number, number, string, boolean]>([
    ['as asked', bounds, 5, 7, 7, 'DesiredWithinRange', false],
    ['not more than twice', bounds, 5, 15, 10, 'ScaleUpLimit', true],
    ['but four at least', bounds, 1, 9, 4, 'ScaleUpLimit', true],
    ['not above the maximum', bounds, 15, 25, 20, 'TooManyReplicas', true],
    ['not below the minimum', bounds, 5, 1, 2, 'TooFewReplicas', true],
    [
      'as the policy allows',
      { ...bounds, behavior: { scaleUp: rules('Pods', 3), scaleDown: down } },
      5,
      15,
      8,
      'ScaleUpLimit',
      true,
    ],
    [
      'percents are rounded up',
      { ...bounds, behavior: { scaleUp: rules('Percent', 10), scaleDown: down } },
      5,
      15,
      6,
      'ScaleUpLimit',
      true,
    ],
    [
      'the greater of two',
      {
        ...bounds,
        behavior: {
          scaleUp: rules('Pods', 1, {
            policies: [
              { type: 'Pods', value: 1, periodSeconds: 60 },
              { type: 'Percent', value: 100, periodSeconds: 60 },
            ],
          }),
          scaleDown: down,
        },
      },
      5,
      15,
      10,
      'ScaleUpLimit',
      true,
    ],
    [
      'the lesser of two',
      {
        ...bounds,
        behavior: {
          scaleUp: rules('Pods', 1, {
            selectPolicy: 'Min',
            policies: [
              { type: 'Pods', value: 1, periodSeconds: 60 },
              { type: 'Percent', value: 100, periodSeconds: 60 },
            ],
          }),
          scaleDown: down,
        },
      },
      5,
      15,
      6,
      'ScaleUpLimit',
      true,
    ],
    [
      'nothing, where it is disabled',
      { ...bounds, behavior: { scaleUp: { ...up, selectPolicy: 'Disabled' }, scaleDown: down } },
      5,
      15,
      5,
      'ScaleUpLimit',
      true,
    ],
    [
      'down as the policy allows',
      { ...bounds, behavior: { scaleUp: up, scaleDown: rules('Percent', 10) } },
      15,
      3,
      13,
      'ScaleDownLimit',
      true,
    ],
    [
      'down to the minimum',
      { ...bounds, behavior: { scaleUp: up, scaleDown: down } },
      15,
      1,
      2,
      'TooFewReplicas',
      true,
    ],
  ])('%s', (_, spec, current, desired, expected, reason, holds) => {
    const result = normalize(spec, current, desired, new History(), NOW);
    expect(result).toMatchObject({
      replicas: expected,
      limited: { reason, holds },
      able: { reason: 'ReadyForNewScale' },
    });
  });

  it('comes down when nothing asked for more for five minutes', () => {
    const history = new History();
    history.begin(10, NOW);
    const at = (seconds: number, desired: number) => normalize(bounds, 10, desired, history, NOW + seconds * 1000);
    expect(at(15, 4)).toMatchObject({ replicas: 10, able: { reason: 'ScaleDownStabilized' } });
    expect(at(100, 8).replicas).toBe(10);
    expect(at(301, 4).replicas).toBe(8);
    expect(at(401, 4).replicas).toBe(4);
  });

  it('goes up by the lowest of its window', () => {
    const behavior = { scaleUp: rules('Percent', 900, { stabilizationWindowSeconds: 60 }), scaleDown: down };
    const history = new History();
    history.begin(5, NOW);
    const at = (seconds: number, desired: number) =>
      normalize({ ...bounds, behavior }, 5, desired, history, NOW + seconds * 1000);
    expect(at(15, 9)).toMatchObject({ replicas: 5, able: { reason: 'ScaleUpStabilized' } });
    expect(at(61, 12).replicas).toBe(9);
    expect(at(76, 12).replicas).toBe(12);
  });

  it('does no more in a period than it may', () => {
    const behavior = { scaleUp: rules('Pods', 3), scaleDown: down };
    const history = new History();
    history.scaled(5, 8, NOW - 30_000);
    expect(normalize({ ...bounds, behavior }, 8, 15, history, NOW).replicas).toBe(8);
    expect(normalize({ ...bounds, behavior }, 8, 15, history, NOW + 31_000).replicas).toBe(11);
  });
});

const utilization = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

const nobody = () => Promise.resolve({ status: 503, body: '' });

describe('metrics', () => {
  const target: Target = {
    namespace: 'ns',
    selector: 'app=web',
    specReplicas: 3,
    statusReplicas: 3,
    pods: three,
    now: NOW,
  };
  const source: MetricsSource = {
    resource: async () => metricsOf({ a: 100, b: 100, c: 100 }),
    pods: async () => metricsOf({ a: 20_000, b: 20_000, c: 20_000 }),
    object: async () => 20_000,
    external: async () => [15_000, 15_000],
  };
  const selector = { matchLabels: { q: 'x' } };
  const shown = '&LabelSelector{MatchLabels:map[string]string{q: x,},MatchExpressions:[]LabelSelectorRequirement{},}';

  it.each<[MetricSpec, number, string, object]>([
    [
      utilization(50),
      6,
      'cpu resource utilization (percentage of request)',
      { averageValue: '100m', averageUtilization: 100 },
    ],
    [
      { type: 'Resource', resource: { name: 'cpu', target: { averageValue: '50m' } } },
      6,
      'cpu resource',
      { averageValue: '100m' },
    ],
    [
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', container: 'main', target: { averageUtilization: 50 } },
      },
      6,
      'cpu container resource utilization (percentage of request)',
      { averageValue: '100m', averageUtilization: 100 },
    ],
    [
      { type: 'Pods', pods: { metric: { name: 'qps' }, target: { averageValue: '10' } } },
      6,
      'pods metric qps',
      { averageValue: '20' },
    ],
    [
      {
        type: 'Object',
        object: {
          metric: { name: 'hits' },
          describedObject: { kind: 'Ingress', name: 'i' },
          target: { type: 'Value', value: '10' },
        },
      },
      6,
      'Ingress metric hits',
      { value: '20' },
    ],
    [
      {
        type: 'Object',
        object: {
          metric: { name: 'hits' },
          describedObject: { kind: 'Ingress', name: 'i' },
          target: { type: 'AverageValue', averageValue: '5' },
        },
      },
      4,
      'external metric hits(nil)',
      { averageValue: '6667m' },
    ],
    [
      { type: 'External', external: { metric: { name: 'queue', selector }, target: { averageValue: '5' } } },
      6,
      `external metric queue(${shown})`,
      { averageValue: '10' },
    ],
    [
      { type: 'External', external: { metric: { name: 'queue' }, target: { value: '15' } } },
      6,
      'external metric queue(nil)',
      { value: '30' },
    ],
  ])('%j', async (spec, replicas, name, current) => {
    const result = await evaluate({ spec: {} }, spec, target, source);
    expect(result).toMatchObject({ replicas, name });
    const [status] = Object.values(result.status).filter((value) => typeof value === 'object');
    expect(status).toMatchObject({ current });
  });

  it.each<[MetricSpec, string, string]>([
    [
      utilization(50),
      'FailedGetResourceMetric',
      'failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    ],
    [
      { type: 'Pods', pods: { metric: { name: 'qps' }, target: { averageValue: '1' } } },
      'FailedGetPodsMetric',
      'failed to get pods metric value: unable to get metric qps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    ],
    [
      { type: 'External', external: { metric: { name: 'queue' }, target: { value: '15' } } },
      'FailedGetExternalMetric',
      'failed to get queue external metric value: failed to get external metric queue: unable to get external metric ns/queue/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)',
    ],
  ])('%j that cannot be had', async (spec, reason, message) => {
    const simulation = new Simulation({ controllers: [] });
    const error = await evaluate({ spec: {} }, spec, target, metricsSource(simulation.cluster, nobody)).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(MetricError);
    expect(error).toMatchObject({ reason, message });
  });

  it('minds its own tolerances', async () => {
    const spec = { behavior: { scaleUp: { tolerance: '1500m' }, scaleDown: { tolerance: '0' } } };
    expect((await evaluate({ spec }, utilization(50), target, source)).replicas).toBe(3);
    expect((await evaluate({ spec }, utilization(101), target, source)).replicas).toBe(3);
    expect((await evaluate({ spec }, utilization(200), target, source)).replicas).toBe(2);
  });
});

const autoscaler = (spec: HorizontalPodAutoscalerSpec = {}, name = 'h'): HorizontalPodAutoscaler => ({
  metadata: { name, namespace: 'ns' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 2,
    maxReplicas: 8,
    metrics: [utilization(50)],
    ...spec,
  },
});

async function start(spec: HorizontalPodAutoscalerSpec = {}, replicas = 3): Promise<Simulation> {
  const simulation = new Simulation({ controllers: [horizontalPodAutoscalerController], kubelet: false });
  simulation.time = NOW;
  const deployment = {
    metadata: { name: 'web', namespace: 'ns' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } } },
  } as Deployment;
  await simulation.cluster.create('apps/deployments', deployment);
  await simulation.cluster.create('autoscaling/horizontalpodautoscalers', autoscaler(spec));
  for (const one of three) await simulation.cluster.create('core/pods', one);
  return simulation;
}

async function use(simulation: Simulation, milli: number): Promise<void> {
  for (const { metadata } of three) {
    const metrics: PodMetrics = {
      metadata: { name: metadata.name, namespace: 'ns', labels: { app: 'web' } },
      timestamp: time(simulation.time),
      window: '15s',
      containers: [{ name: 'main', usage: { cpu: `${milli}m` } }],
    };
    await simulation.cluster.delete('metrics.k8s.io/pods', 'ns', metadata.name).catch(() => {});
    await simulation.cluster.create('metrics.k8s.io/pods', metrics);
  }
}

const read = (simulation: Simulation, name = 'h') =>
  simulation.cluster.peek<HorizontalPodAutoscaler>('autoscaling/horizontalpodautoscalers', 'ns', name);
const replicas = (simulation: Simulation) =>
  simulation.cluster.peek<Deployment>('apps/deployments', 'ns', 'web')?.spec?.replicas;
const said = (simulation: Simulation) =>
  read(simulation)?.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const events = (simulation: Simulation) =>
  simulation.cluster.all<Event>('core/events').map(({ type, reason, message }) => `${type} ${reason} ${message}`);

describe('an autoscaler', () => {
  it('looks after 15 s, and every 15 s', async () => {
    const simulation = await start();
    await use(simulation, 100);
    await simulation.settle(14_999);
    expect(read(simulation)?.status).toBeUndefined();
    await simulation.settle(1);
    expect(replicas(simulation)).toBe(6);
    expect(read(simulation)?.status).toMatchObject({
      currentReplicas: 3,
      desiredReplicas: 6,
      lastScaleTime: time(NOW + 15_000).replace('.000', ''),
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '100m' } } },
      ],
    });
    expect(said(simulation)).toEqual([
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=False DesiredWithinRange',
    ]);
    expect(events(simulation)).toEqual([
      'Normal SuccessfulRescale New size: 6; reason: cpu resource utilization (percentage of request) above target',
    ]);
    await use(simulation, 40);
    await simulation.settle(15_000);
    expect(said(simulation)?.[0]).toBe('AbleToScale=True ScaleDownStabilized');
    await simulation.settle(300_000);
    expect(replicas(simulation)).toBe(3);
    expect(events(simulation)).toContain('Normal SuccessfulRescale New size: 3; reason: All metrics below target');
  });

  it('says when there are no metrics, and changes nothing', async () => {
    const simulation = await start();
    await simulation.settle(15_000);
    const cause =
      'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API';
    expect(said(simulation)).toEqual([
      'AbleToScale=True SucceededGetScale',
      'ScalingActive=False FailedGetResourceMetric',
    ]);
    expect(read(simulation)?.status?.conditions?.[1]?.message).toBe(
      `the HPA was unable to compute the replica count: ${cause}`,
    );
    expect(read(simulation)?.status).toMatchObject({ currentReplicas: 3, currentMetrics: [{ type: '' }] });
    expect(events(simulation)).toEqual([
      `Warning FailedGetResourceMetric ${cause}`,
      `Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${cause}`,
    ]);
    expect(replicas(simulation)).toBe(3);
  });

  it.each<[number, HorizontalPodAutoscalerSpec, number, string]>([
    [1, {}, 2, 'New size: 2; reason: Current number of replicas below Spec.MinReplicas'],
    [9, {}, 8, 'New size: 8; reason: Current number of replicas above Spec.MaxReplicas'],
  ])('keeps %i within its bounds', async (current, spec, expected, message) => {
    const simulation = await start(spec, current);
    await simulation.settle(15_000);
    expect(replicas(simulation)).toBe(expected);
    expect(events(simulation)).toEqual([`Normal SuccessfulRescale ${message}`]);
    expect(said(simulation)).toEqual(['AbleToScale=True SucceededRescale']);
  });

  it('leaves alone what was scaled to zero', async () => {
    const simulation = await start({}, 0);
    await simulation.settle(15_000);
    expect(replicas(simulation)).toBe(0);
    expect(said(simulation)).toEqual(['AbleToScale=True SucceededGetScale', 'ScalingActive=False ScalingDisabled']);
  });

  it.each<[HorizontalPodAutoscalerSpec['scaleTargetRef'], string]>([
    [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' }, 'deployments.apps "none" not found'],
    [{ apiVersion: 'apps/v1', kind: 'Nothing', name: 'x' }, 'no matches for kind "Nothing" in group "apps"'],
    [{ apiVersion: 'v1', kind: 'Pod', name: 'a' }, 'the server could not find the requested resource'],
  ])('says what is wrong with target %j', async (scaleTargetRef, message) => {
    const simulation = await start({ scaleTargetRef });
    await simulation.settle(15_000);
    expect(said(simulation)).toEqual(['AbleToScale=False FailedGetScale']);
    expect(events(simulation)).toEqual([`Warning FailedGetScale ${message}`]);
  });

  it('scales custom resources where their definition says', async () => {
    const simulation = await start({ scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Shop', name: 's' } });
    const { cluster } = simulation;
    const scale = {
      specReplicasPath: '.spec.size',
      statusReplicasPath: '.status.size',
      labelSelectorPath: '.status.selector',
    };
    const versions = [{ name: 'v1', served: true, storage: true, subresources: { scale } }];
    const definition = {
      metadata: { name: 'shops.example.com' },
      spec: { group: 'example.com', names: { kind: 'Shop', plural: 'shops' }, versions },
    };
    await cluster.create('apiextensions.k8s.io/customresourcedefinitions', definition as KubeObject);
    const shop = {
      metadata: { name: 's', namespace: 'ns' },
      spec: { size: 3 },
      status: { size: 3, selector: 'app=web' },
    };
    await cluster.create('example.com/shops', shop as KubeObject);
    const patch = vi.spyOn(cluster, 'patch');
    await use(simulation, 100);
    await simulation.settle(15_000);
    expect(read(simulation)?.status).toMatchObject({ currentReplicas: 3, desiredReplicas: 6 });
    expect(patch).toHaveBeenCalledWith('example.com/shops', 'ns', 's', 'merge', { spec: { replicas: 6 } }, 'scale');
  });

  it('tells the cause of an external metric that is missing, and the context only where all of them are summed up', async () => {
    const missing: MetricSpec = { type: 'External', external: { metric: { name: 'queue' }, target: { value: '1' } } };
    const simulation = await start({ metrics: [missing] });
    await simulation.settle(15_000);
    const cause =
      'unable to get external metric ns/queue/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)';
    const context = 'failed to get queue external metric value: failed to get external metric queue';
    expect(events(simulation)).toEqual([
      `Warning FailedGetExternalMetric ${cause}`,
      `Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: ${context}: ${cause}`,
    ]);
  });

  it('does not fight with another for the same pods', async () => {
    const simulation = await start();
    await use(simulation, 100);
    await simulation.cluster.create('autoscaling/horizontalpodautoscalers', autoscaler({}, 'other'));
    await simulation.settle(15_000);
    expect(replicas(simulation)).toBe(3);
    const message = 'pods by selector app=web are controlled by multiple HPAs: [ns/h ns/other]';
    expect(events(simulation)).toContain(`Warning AmbiguousSelector ${message}`);
    expect(said(simulation)).toContain('ScalingActive=False AmbiguousSelector');
  });

  it('scales up by the metrics that there are, but not down', async () => {
    const missing: MetricSpec = { type: 'External', external: { metric: { name: 'queue' }, target: { value: '1' } } };
    for (const [milli, expected] of [
      [100, 6],
      [20, 3],
    ] as const) {
      const simulation = await start({ metrics: [missing, utilization(50)] });
      await use(simulation, milli);
      await simulation.settle(400_000);
      expect(replicas(simulation)).toBe(expected);
    }
  });

  it('goes on after it was evicted between its writes', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const simulation = await start();
    await use(simulation, 100);
    const update = simulation.cluster.update.bind(simulation.cluster);
    let refused = 0;
    simulation.cluster.update = (async (...args: Parameters<typeof update>) => {
      if (refused++ === 0) throw new Error('evicted');
      return update(...args);
    }) as never;
    await simulation.settle(15_000);
    simulation.restart();
    await use(simulation, 50);
    await simulation.settle(15_000);
    expect(replicas(simulation)).toBe(6);
    expect(read(simulation)?.status).toMatchObject({ currentReplicas: 6, desiredReplicas: 6 });
  });
});
