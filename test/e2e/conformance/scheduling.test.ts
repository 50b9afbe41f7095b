/** Scheduling, preemption and disruption, by the names of Kubernetes' conformance tests. One after another: they fill nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplicaSet } from '../../../src/generated/types/apps.v1.ts';
import type { Node, Pod } from '../../../src/generated/types/core.v1.ts';
import type { PodDisruptionBudget } from '../../../src/generated/types/policy.v1.ts';
import type { PriorityClass } from '../../../src/generated/types/scheduling.v1.ts';
import { Cluster, refusal, type TestNamespace } from './cluster.ts';
import { pod, podSpec, workload } from './objects.ts';
import { operations } from './operations.ts';
import type { Resource } from './resource.ts';

let cluster: Cluster;
const nodes = () => cluster.of<Node>('v1', 'nodes');
const classes = () => cluster.of<PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses');

const RESOURCE = 'scheduling.k8s.io/foo';
const LOW = 'e2e-low';
const HIGH = 'e2e-high';

beforeAll(async () => {
  cluster = await Cluster.start();
  await classes().create({ metadata: { name: LOW }, value: 1 });
  await classes().create({ metadata: { name: HIGH }, value: 1000 });
  for (const name of ['sim-1', 'sim-2', 'sim-3']) {
    const status = { capacity: { [RESOURCE]: '5' }, allocatable: { [RESOURCE]: '5' } };
    await nodes().patch(name, { status }, { subresource: 'status' });
  }
});
afterAll(() => cluster?.stop());

const asking = (requests: Record<string, string>, more: object = {}): object =>
  podSpec({ containers: [{ name: 'main', image: 'pause', resources: { requests, limits: requests } }], ...more });

const podsOf = (ns: TestNamespace): Resource<Pod> => ns.of<Pod>('v1', 'pods');

const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';

const unschedulable = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') ?? false;

describe('[sig-scheduling] SchedulerPredicates', () => {
  it('validates resource limits of pods that are allowed to run', async () => {
    const ns = await cluster.namespace();
    const pods = podsOf(ns);
    for (const node of ['sim-1', 'sim-2', 'sim-3']) {
      const nodeSelector = { 'kubernetes.io/hostname': node };
      await pods.create(pod(`filler-${node}`, asking({ cpu: '3' }, { nodeSelector })));
    }
    for (const node of ['sim-1', 'sim-2', 'sim-3']) await pods.until(`filler-${node}`, isRunning);
    await pods.create(pod('additional', asking({ cpu: '2' })));
    await pods.until('additional', unschedulable);
    await pods.deleteCollection();
  });

  it('validates that NodeSelector is respected if not matching', async () => {
    const pods = podsOf(await cluster.namespace());
    await pods.create(pod('restricted', podSpec({ nodeSelector: { label: 'nonempty' } })));
    await pods.until('restricted', unschedulable);
  });

  it('validates that NodeSelector is respected if matching', async () => {
    const pods = podsOf(await cluster.namespace());
    await nodes().patch('sim-2', { metadata: { labels: { 'kubernetes.io/e2e': '42' } } });
    await pods.create(pod('with-labels', podSpec({ nodeSelector: { 'kubernetes.io/e2e': '42' } })));
    expect((await pods.until('with-labels', isRunning)).spec?.nodeName).toBe('sim-2');
    await nodes().patch('sim-2', { metadata: { labels: { 'kubernetes.io/e2e': null } } });
  });

  it('validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP', async () => {
    const pods = podsOf(await cluster.namespace());
    const nodeSelector = { 'kubernetes.io/hostname': 'sim-1' };
    const onPort = (hostIP: string): object => {
      const ports = [{ containerPort: 54322, hostPort: 54322, protocol: 'TCP', hostIP }];
      return podSpec({ nodeSelector, containers: [{ name: 'main', image: 'pause', ports }] });
    };
    await pods.create(pod('pod4', onPort('0.0.0.0')));
    await pods.until('pod4', isRunning);
    await pods.create(pod('pod5', onPort('127.0.0.1')));
    await pods.until('pod5', unschedulable);
  });
});

describe('[sig-scheduling] SchedulerPreemption', () => {
  /** A pod of low priority on each node that leaves too little there for another. */
  async function filled(): Promise<Resource<Pod>> {
    const pods = podsOf(await cluster.namespace());
    for (const i of [1, 2, 3]) {
      const nodeSelector = { 'kubernetes.io/hostname': `sim-${i}` };
      const priorityClassName = i === 1 ? LOW : HIGH;
      await pods.create(pod(`pod${i}`, asking({ [RESOURCE]: '4' }, { nodeSelector, priorityClassName })));
    }
    for (const i of [1, 2, 3]) await pods.until(`pod${i}`, isRunning);
    return pods;
  }

  it('validates basic preemption works', async () => {
    const pods = await filled();
    await pods.create(pod('preemptor', asking({ [RESOURCE]: '4' }, { priorityClassName: HIGH })));
    expect((await pods.until('preemptor', isRunning)).spec?.nodeName).toBe('sim-1');
    expect((await pods.list()).items.map(({ metadata }) => metadata.name).sort()).toEqual([
      'pod2',
      'pod3',
      'preemptor',
    ]);
    await pods.deleteCollection();
    await pods.untilList((items) => items.length === 0);
  });

  it('validates lower priority pod preemption by critical pod', async () => {
    const pods = await filled();
    const critical = podsOf(cluster.existing('kube-system'));
    const priorityClassName = 'system-cluster-critical';
    await critical.create(pod('critical-pod', asking({ [RESOURCE]: '4' }, { priorityClassName })));
    expect((await critical.until('critical-pod', isRunning)).spec?.nodeName).toBe('sim-1');
    await pods.untilGone('pod1');
    await critical.delete('critical-pod');
    await pods.deleteCollection();
    await pods.untilList((items) => items.length === 0);
  });

  it('validates pod disruption condition is added to the preempted pod', async () => {
    const pods = podsOf(await cluster.namespace());
    const nodeSelector = { 'kubernetes.io/hostname': 'sim-3' };
    const victim = asking({ [RESOURCE]: '5' }, { nodeSelector, priorityClassName: LOW });
    await pods.create(pod('victim', victim, { finalizers: ['example.com/test-finalizer'] }));
    await pods.until('victim', isRunning);
    await pods.create(pod('preemptor', asking({ [RESOURCE]: '3' }, { nodeSelector, priorityClassName: HIGH })));
    const dying = await pods.until('victim', ({ metadata }) => metadata.deletionTimestamp !== undefined);
    const condition = dying.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    expect(condition).toMatchObject({ status: 'True', reason: 'PreemptionByScheduler' });
    await pods.patch('victim', { metadata: { finalizers: null } });
    await pods.until('preemptor', isRunning);
    await pods.deleteCollection();
    await pods.untilList((items) => items.length === 0);
  });

  it('PreemptionExecutionPath runs ReplicaSets to verify preemption running path', async () => {
    const ns = await cluster.namespace();
    const sets = ns.of<ReplicaSet>('apps/v1', 'replicasets');
    const nodeSelector = { 'kubernetes.io/hostname': 'sim-1' };
    for (const [i, priorityClassName] of [undefined, LOW, HIGH].entries()) {
      const labels = { app: `rs${i}` };
      const spec = asking({ [RESOURCE]: '2' }, { nodeSelector, priorityClassName });
      const template = { metadata: { labels }, spec };
      await sets.create(workload(`rs${i}`, { replicas: 2, selector: { matchLabels: labels }, template }));
      const wanted = i === 2 ? 2 : i === 0 ? 2 : 1;
      await sets.until(`rs${i}`, ({ status }) => (status?.readyReplicas ?? 0) >= wanted);
    }
    await sets.until('rs2', ({ status }) => status?.readyReplicas === 2);
    await sets.until('rs0', ({ status }) => (status?.readyReplicas ?? 0) === 0);
    await sets.deleteCollection();
    await podsOf(ns).untilList((items) => items.length === 0);
  });

  it('PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods', async () => {
    await classes().create({ metadata: { name: 'p1' }, value: 2, description: 'one' });
    const changed = await refusal(classes().patch('p1', { value: 3 }));
    expect(changed.message).toContain('may not be changed in an update');
    const other = await classes().get('p1');
    expect((await refusal(classes().replace('p1', { ...other, value: 3 }))).reason).toBe('Invalid');
    expect((await classes().patch('p1', { description: 'two' })).description).toBe('two');
    await classes().delete('p1');
    await operations(classes(), { value: 4 }, { description: 'new' });
  });
});

async function budgetWorld() {
  const ns = await cluster.namespace();
  const budgets = ns.of<PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets');
  const selector = { matchLabels: { app: 'test' } };
  const make = (name: string, spec: object, metadata: object = {}) =>
    budgets.create({ metadata: { name, ...metadata }, spec: { selector, ...spec } });
  const processed = (name: string): Promise<PodDisruptionBudget> =>
    budgets.until(name, ({ status, metadata }) => status?.observedGeneration === metadata.generation);
  return { ns, budgets, pods: podsOf(ns), make, processed };
}

describe.concurrent('[sig-apps] DisruptionController', () => {
  it('should create a PodDisruptionBudget', async () => {
    const { budgets, make, processed } = await budgetWorld();
    await make('foo', { minAvailable: '1%' });
    await processed('foo');
    await budgets.update('foo', ({ spec }) => {
      if (spec) spec.minAvailable = '2%';
    });
    expect((await processed('foo')).spec?.minAvailable).toBe('2%');
    await budgets.patch('foo', { spec: { minAvailable: '3%' } }, { type: 'strategic' });
    expect((await processed('foo')).spec?.minAvailable).toBe('3%');
    await budgets.delete('foo');
    await budgets.untilGone('foo');
  });

  it('should observe PodDisruptionBudget status updated', async () => {
    const { budgets, pods, make } = await budgetWorld();
    await make('foo', { minAvailable: 1 });
    for (const name of ['pod-0', 'pod-1', 'pod-2']) await pods.create(pod(name));
    const { status } = await budgets.until('foo', (one) => one.status?.disruptionsAllowed === 2);
    expect(status).toMatchObject({ currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 });
  });

  it('should update/patch PodDisruptionBudget status', async () => {
    const { budgets, make, processed } = await budgetWorld();
    await make('foo', { minAvailable: 1 });
    await processed('foo');
    const disruptedPods = { pod: new Date().toISOString().replace(/\.\d+/, '') };
    const updated = await budgets.update(
      'foo',
      ({ status }) => {
        if (status) status.disruptedPods = disruptedPods;
      },
      'status',
    );
    expect(updated.status?.disruptedPods).toEqual(disruptedPods);
    const none = { status: { disruptedPods: null } };
    const patched = await budgets.patch('foo', none, { subresource: 'status' });
    expect(patched.status?.disruptedPods ?? {}).toEqual({});
  });

  it('should block an eviction until the PDB is updated to allow it', async () => {
    const { budgets, pods, make } = await budgetWorld();
    const evict = (name: string): Promise<unknown> =>
      pods.post(name, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });
    for (const name of ['pod-0', 'pod-1', 'pod-2']) await pods.create(pod(name));
    await make('foo', { minAvailable: 3 });
    await budgets.until('foo', ({ status }) => status?.currentHealthy === 3);
    const blocked = await refusal(evict('pod-0'));
    expect(blocked).toMatchObject({ reason: 'TooManyRequests', details: { causes: [{ reason: 'DisruptionBudget' }] } });
    await budgets.update('foo', ({ spec }) => {
      if (spec) spec.minAvailable = 2;
    });
    await budgets.until('foo', ({ status }) => status?.disruptionsAllowed === 1);
    await evict('pod-0');
    await pods.untilGone('pod-0');
    await budgets.patch('foo', { spec: { minAvailable: 3 } });
    await pods.create(pod('pod-3'));
    await budgets.until('foo', ({ status }) => status?.currentHealthy === 3 && status?.disruptionsAllowed === 0);
    expect((await refusal(evict('pod-1'))).code).toBe(429);
    await budgets.delete('foo');
    await evict('pod-1');
  });

  it('Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets', async () => {
    const { ns, budgets, make } = await budgetWorld();
    const labels = { set: ns.name };
    for (const name of ['foo', 'foo2', 'foo3']) await make(name, { minAvailable: '1%' }, { labels });
    const labelSelector = `set=${ns.name}`;
    const everywhere = cluster.of<PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(3);
    await budgets.deleteCollection({ labelSelector });
    await everywhere.untilList((items) => items.length === 0, { labelSelector });
  });
});

describe('[sig-architecture] Conformance Tests', () => {
  it('should have at least two untainted nodes', async () => {
    const { items } = await nodes().list();
    expect(items.filter(({ spec }) => (spec?.taints ?? []).length === 0).length).toBeGreaterThanOrEqual(2);
  });
});
