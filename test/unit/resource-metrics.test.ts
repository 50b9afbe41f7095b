/** `metrics.k8s.io`: from the runtime's counters to what `kubectl top` reads. */
import { describe, expect, it } from 'vitest';
import { StatsCollector } from '../../agent/kubelet/stats.ts';
import type { ContainerStats } from '../../agent/runtime/cri-types.ts';
import { tableOf } from '../../src/api/printers/table.ts';
import { type MetricsScope, nodeMetrics, podMetrics } from '../../src/api/resource-metrics/metrics.ts';
import { findResource } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const log = { debug() {}, info() {}, warn() {}, error() {} };

const container = (id: string, name: string, pod: string, seconds: number, cpuMs: number): ContainerStats => ({
  attributes: {
    id,
    metadata: { name, attempt: 0 },
    labels: {
      'io.kubernetes.pod.name': pod,
      'io.kubernetes.pod.namespace': 'ns',
      'io.kubernetes.pod.uid': `uid-${pod}`,
      'io.kubernetes.container.name': name,
    },
  },
  cpu: { timestamp: String((START + seconds * 1000) * 1e6), usageCoreNanoSeconds: { value: String(cpuMs * 1e6) } },
  memory: { timestamp: '0', workingSetBytes: { value: '10485760' }, usageBytes: { value: '20971520' } },
});

async function collected(...samples: ContainerStats[][]) {
  let seconds = 0;
  const machine = () => {
    const at = START + seconds * 1000;
    return { node: { at, cpu: seconds * 5e8 }, memory: { time: '', usageBytes: 0, workingSetBytes: 1 << 30 } };
  };
  const collector = new StatsCollector({ listContainerStats: async () => samples.shift() ?? [] }, 'node', log, machine);
  while (samples.length > 0) {
    await collector.sample();
    seconds += 15;
  }
  return collector.summary();
}

describe('a node', () => {
  it('knows nothing before its second sample', async () => {
    const summary = await collected([container('1', 'main', 'a', 0, 0)]);
    expect(summary).toMatchObject({ node: { nodeName: 'node' }, pods: [] });
    expect(summary.node).not.toHaveProperty('cpu');
  });

  it('tells what was used between two samples', async () => {
    const before = [container('1', 'main', 'a', 0, 1000), container('2', 'side', 'a', 0, 0)];
    const after = [container('1', 'main', 'a', 15, 4000), container('2', 'side', 'a', 15, 150)];
    const { node, pods } = await collected(before, after);
    expect(node.cpu).toMatchObject({ usageNanoCores: 500_000_000, window: '15s' });
    expect(pods).toMatchObject([
      {
        podRef: { name: 'a', namespace: 'ns', uid: 'uid-a' },
        containers: [
          { name: 'main', cpu: { usageNanoCores: 200_000_000, window: '15s' }, memory: { workingSetBytes: 10485760 } },
          { name: 'side', cpu: { usageNanoCores: 10_000_000 } },
        ],
      },
    ]);
  });

  it.each([
    ['was not there before', [], [container('1', 'main', 'a', 15, 10)]],
    ['was not read anew', [container('1', 'main', 'a', 15, 10)], [container('1', 'main', 'a', 15, 10)]],
    ['counts anew', [container('1', 'main', 'a', 0, 10)], [container('1', 'main', 'a', 15, 5)]],
    ['is gone', [container('1', 'main', 'a', 0, 10)], []],
  ])('says nothing of a container that %s', async (_, before, after) => {
    expect((await collected(before, after)).pods).toEqual([]);
  });
});

const pod = (name: string, node: string, running: string[], phase = 'Running') => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, labels: { app: name } },
  spec: { nodeName: node },
  status: { phase, containerStatuses: running.map((container) => ({ name: container, state: { running: {} } })) },
});

const cpu = (usageNanoCores: number, time = '2026-01-01T00:00:15.000000Z') => ({
  time,
  window: '15s',
  usageNanoCores,
  usageCoreNanoSeconds: 0,
});
const memory = (workingSetBytes: number) => ({ time: '', usageBytes: 0, workingSetBytes });
const used = (name: string, nanoCores: number, bytes: number, time?: string) => ({
  name,
  cpu: cpu(nanoCores, time),
  memory: memory(bytes),
});

/** A cluster with a node that answers and one that does not. */
const scope: MetricsScope = {
  list: async (id) =>
    (id === 'core/nodes'
      ? [{ metadata: { name: 'one', labels: { zone: 'z' } } }, { metadata: { name: 'silent' } }]
      : [
          pod('a', 'one', ['main', 'side']),
          pod('partial', 'one', ['main', 'side']),
          pod('unmeasured', 'one', ['main']),
          pod('ended', 'one', [], 'Succeeded'),
          pod('b', 'silent', ['main']),
          pod('pending', '', [], 'Pending'),
        ]) as never,
  summaryOf: async (node) =>
    node === 'silent'
      ? undefined
      : {
          node: { nodeName: node, cpu: cpu(1_500_000_000), memory: memory(1 << 30) },
          pods: [
            {
              podRef: { name: 'a', namespace: 'ns', uid: 'uid-a' },
              containers: [
                used('main', 200_000_000, 10485760),
                used('side', 12_345, 4096, '2026-01-01T00:00:10.000000Z'),
              ],
            },
            { podRef: { name: 'partial', namespace: 'ns', uid: 'uid-partial' }, containers: [used('main', 1, 1)] },
            { podRef: { name: 'ended', namespace: 'ns', uid: 'uid-ended' }, containers: [used('main', 1, 1)] },
          ],
        },
};

describe('metrics', () => {
  it('of nodes: those that answer', async () => {
    expect(await nodeMetrics(scope, { prefix: '' })).toEqual([
      {
        kind: 'NodeMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: { name: 'one', labels: { zone: 'z' }, creationTimestamp: expect.any(String) },
        timestamp: '2026-01-01T00:00:15Z',
        window: '15s',
        usage: { cpu: '1500m', memory: '1Gi' },
      },
    ]);
  });

  it('of pods: those that run, all of whose containers were measured', async () => {
    expect(await podMetrics(scope, { prefix: 'ns/' })).toMatchObject([
      {
        metadata: { name: 'a', namespace: 'ns', labels: { app: 'a' } },
        timestamp: '2026-01-01T00:00:10Z',
        containers: [
          { name: 'main', usage: { cpu: '200m', memory: '10Mi' } },
          { name: 'side', usage: { cpu: '12345n', memory: '4Ki' } },
        ],
      },
    ]);
  });

  it('are printed with a column for each resource', () => {
    const resource = findResource('metrics.k8s.io', 'v1beta1', 'pods') as Resource;
    const metrics = {
      metadata: { name: 'a' },
      window: '15s',
      containers: [{ usage: { cpu: '200m', memory: '10Mi' } }, { usage: { cpu: '5000000n', memory: '512Ki' } }],
    };
    const options = { metaVersion: 'meta.k8s.io/v1', includeObject: 'None', resourceVersion: '' } as const;
    const table = tableOf(resource, [metrics], options, 0) as { columnDefinitions: { name: string }[]; rows: object[] };
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'cpu', 'memory', 'Window']);
    expect(table.rows).toMatchObject([{ cells: ['a', '205m', '10752Ki', '15s'] }]);
  });
});
