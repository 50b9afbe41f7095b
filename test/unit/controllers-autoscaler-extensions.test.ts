import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { horizontalPodAutoscalerController } from '../../src/controllers/horizontal-pod-autoscaler/index.ts';
import { type MetricsSource, metricsSource } from '../../src/controllers/horizontal-pod-autoscaler/source.ts';
import type { APIService } from '../../src/generated/types/apiregistration.v1.ts';
import type { Deployment } from '../../src/generated/types/apps.v1.ts';
import type { HorizontalPodAutoscaler } from '../../src/generated/types/autoscaling.v2.ts';
import type { Event } from '../../src/generated/types/core.v1.ts';

const CUSTOM = 'custom.metrics.k8s.io';
const EXTERNAL = 'external.metrics.k8s.io';

const apiService = (group: string, version: string, versionPriority = 100): APIService => ({
  metadata: { name: `${version}.${group}` },
  spec: { group, version, versionPriority, groupPriorityMinimum: 100, service: { namespace: 'mon', name: 'adapter' } },
});

const list = (...items: object[]) => JSON.stringify({ items });
const point = (value: string, more: object = {}) => ({ value, timestamp: '2026-01-01T00:00:00Z', ...more });

/** A source whose extension API server gives one answer, and the paths that it was asked for. */
async function source(services: readonly APIService[], body: string, status = 200) {
  const cluster = new FakeCluster();
  for (const service of services) await cluster.create('apiregistration.k8s.io/apiservices', service);
  const asked: string[] = [];
  const metrics = metricsSource(cluster, async (_, path) => {
    asked.push(path);
    return { status, body };
  });
  return { metrics, asked };
}

const hits = { name: 'hits', selector: { matchLabels: { verb: 'GET' } } };
const root = `/apis/${CUSTOM}/v1beta2/namespaces/ns`;

describe('metrics of extension API servers', () => {
  it.each<[string, (metrics: MetricsSource) => Promise<unknown>, string, string, unknown]>([
    [
      'pods',
      (metrics) => metrics.pods(hits, 'ns', 'app=web'),
      list(point('1500m', { describedObject: { name: 'a' }, windowSeconds: 30 })),
      `${root}/pods/*/hits?labelSelector=app%3Dweb&metricLabelSelector=verb%3DGET`,
      new Map([['a', { value: 1500, timestamp: Date.parse('2026-01-01T00:00:00Z'), window: 30_000 }]]),
    ],
    [
      'an object of a named group',
      (metrics) => metrics.object({ name: 'hits' }, 'ns', { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }),
      list(point('7')),
      `${root}/deployments.apps/web/hits`,
      7000,
    ],
    [
      'an object of the core group',
      (metrics) => metrics.object(hits, 'ns', { apiVersion: 'v1', kind: 'Service', name: 'web' }),
      list(point('7')),
      `${root}/services/web/hits?metricLabelSelector=verb%3DGET`,
      7000,
    ],
    [
      'the namespace itself, whichever is named',
      (metrics) => metrics.object({ name: 'hits' }, 'ns', { kind: 'Namespace', name: 'other' }),
      list(point('7')),
      `${root}/metrics/hits`,
      7000,
    ],
    [
      'something outside',
      (metrics) => metrics.external({ name: 'queue', selector: { matchLabels: { q: 'x' } } }, 'ns'),
      list(point('3'), point('4500m')),
      `/apis/${EXTERNAL}/v1beta1/namespaces/ns/queue?labelSelector=q%3Dx`,
      [3000, 4500],
    ],
    [
      'resources, where they are not built in',
      (metrics) => metrics.resource('cpu', 'ns', 'app=web', ''),
      list({
        metadata: { name: 'a', namespace: 'ns' },
        timestamp: '2026-01-01T00:00:00Z',
        window: '15s',
        containers: [{ name: 'c', usage: { cpu: '250m' } }],
      }),
      '/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods?labelSelector=app%3Dweb',
      new Map([['a', { value: 250, timestamp: Date.parse('2026-01-01T00:00:00Z'), window: 15_000 }]]),
    ],
  ])('of %s', async (_, ask, body, path, values) => {
    const services = [
      apiService(CUSTOM, 'v1beta1'),
      apiService(CUSTOM, 'v1beta2'),
      apiService(EXTERNAL, 'v1beta1'),
      apiService('metrics.k8s.io', 'v1beta1'),
    ];
    const { metrics, asked } = await source(services, body);
    expect(await ask(metrics)).toEqual(values);
    expect(asked).toEqual([path]);
  });

  it('are asked for in the version that its owner prefers, or the only one there is', async () => {
    const old = { ...point('2', { describedObject: { name: 'a' }, window: 15 }) };
    for (const services of [
      [apiService(CUSTOM, 'v1beta1')],
      [apiService(CUSTOM, 'v1beta1', 200), apiService(CUSTOM, 'v1beta2')],
    ]) {
      const { metrics, asked } = await source(services, list(old));
      expect((await metrics.pods({ name: 'hits' }, 'ns', '')).get('a')).toMatchObject({ value: 2000, window: 15_000 });
      expect(asked).toEqual([`/apis/${CUSTOM}/v1beta1/namespaces/ns/pods/*/hits`]);
    }
  });

  const pods = (metrics: MetricsSource) => metrics.pods({ name: 'hits' }, 'ns', '');
  const object = (metrics: MetricsSource) => metrics.object({ name: 'hits' }, 'ns', { kind: 'Pod', name: 'a' });
  const external = (metrics: MetricsSource) => metrics.external({ name: 'queue' }, 'ns');
  const custom = 'unable to fetch metrics from custom metrics API: ';

  it.each<[(metrics: MetricsSource) => Promise<unknown>, number, string, string]>([
    [
      pods,
      404,
      JSON.stringify({ kind: 'Status', message: 'the server could not find the metric hits for pods' }),
      `${custom}the server could not find the metric hits for pods`,
    ],
    [
      pods,
      503,
      'service unavailable\n',
      `${custom}the server is currently unable to handle the request (get pods.${CUSTOM} *)`,
    ],
    [pods, 200, list(), 'no metrics returned from custom metrics API'],
    [pods, 200, 'not JSON', `${custom}${CUSTOM}/v1beta2 did not return a list of metrics`],
    [pods, 200, 'null', `${custom}${CUSTOM}/v1beta2 did not return a list of metrics`],
    [
      object,
      200,
      list(point('1'), point('2')),
      `${custom}the custom metrics API server returned 2 results when we asked for exactly one`,
    ],
    [
      (metrics) => metrics.object(hits, 'ns', { apiVersion: 'none.example/v1', kind: 'Nothing', name: 'a' }),
      200,
      list(),
      `${custom}unable to map kind Nothing.none.example to resource: no matches for kind "Nothing" in group "none.example"`,
    ],
    [external, 200, list(), 'no metrics returned from external metrics API'],
    [
      external,
      404,
      '404 page not found',
      `unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.${EXTERNAL})`,
    ],
  ])('that cannot be had: %#', async (ask, status, body, message) => {
    const { metrics } = await source([apiService(CUSTOM, 'v1beta2'), apiService(EXTERNAL, 'v1beta1')], body, status);
    await expect(ask(metrics)).rejects.toThrow(new Error(message));
  });

  it('that are no quantity are refused', async () => {
    const { metrics } = await source([apiService(EXTERNAL, 'v1beta1')], list({ value: 'many' }));
    await expect(external(metrics)).rejects.toThrow();
  });
});

describe('an autoscaler by an external metric', () => {
  it('scales while it can be had, and says why not when it cannot', async () => {
    let answer = { status: 200, body: list(point('40')) };
    const simulation = new Simulation({
      controllers: [horizontalPodAutoscalerController],
      kubelet: false,
      askExtension: async () => answer,
    });
    const { cluster } = simulation;
    const labels = { app: 'web' };
    await cluster.create('apiregistration.k8s.io/apiservices', apiService(EXTERNAL, 'v1beta1'));
    await cluster.create('core/pods', { metadata: { name: 'a', namespace: 'ns', labels } });
    await cluster.create<Deployment>('apps/deployments', {
      metadata: { name: 'web', namespace: 'ns' },
      spec: { replicas: 1, selector: { matchLabels: labels } },
      status: { replicas: 1 },
    } as Deployment);
    await cluster.create<HorizontalPodAutoscaler>('autoscaling/horizontalpodautoscalers', {
      metadata: { name: 'h', namespace: 'ns' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        maxReplicas: 8,
        metrics: [{ type: 'External', external: { metric: { name: 'queue' }, target: { averageValue: '10' } } }],
      },
    });
    await simulation.settle(16_000);
    const replicas = () => cluster.peek<Deployment>('apps/deployments', 'ns', 'web')?.spec?.replicas;
    const active = () =>
      cluster
        .peek<HorizontalPodAutoscaler>('autoscaling/horizontalpodautoscalers', 'ns', 'h')
        ?.status?.conditions?.find(({ type }) => type === 'ScalingActive');
    expect(replicas()).toBe(4);
    expect(active()).toMatchObject({
      status: 'True',
      reason: 'ValidMetricFound',
      message: 'the HPA was able to successfully calculate a replica count from external metric queue(nil)',
    });

    answer = { status: 503, body: 'service unavailable\n' };
    await simulation.settle(16_000);
    const why = `unable to get external metric ns/queue/nil: unable to fetch metrics from external metrics API: the server is currently unable to handle the request (get queue.${EXTERNAL})`;
    expect(replicas()).toBe(4);
    expect(active()).toMatchObject({ status: 'False', reason: 'FailedGetExternalMetric' });
    expect(active()?.message).toContain(why);
    const events = cluster.all<Event>('core/events').map(({ reason }) => reason);
    expect(events).toEqual(
      expect.arrayContaining(['SuccessfulRescale', 'FailedGetExternalMetric', 'FailedComputeMetricsReplicas']),
    );
  });
});
