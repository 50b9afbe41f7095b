/** PodDisruptionBudgets: what their controller counts, and what an eviction takes of them. */
import { describe, expect, it } from 'vitest';
import { decideDisrupt, decideEvict } from '../../src/api/registry/evict.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { disruptionController } from '../../src/controllers/disruption/index.ts';
import { staleDisruptionController } from '../../src/controllers/disruption/stale-target.ts';
import { formatGoSelector } from '../../src/controllers/go-selector.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../src/generated/types/policy.v1.ts';
import type { Row } from '../../src/store/types.ts';

const BUDGETS = 'policy/poddisruptionbudgets';
const app = { matchLabels: { app: 'web' } };

async function start(): Promise<Simulation> {
  const controllers = [disruptionController, staleDisruptionController];
  const simulation = new Simulation({ controllers, kubelet: false });
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  return simulation;
}

interface Owner {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

async function addPod({ cluster }: Simulation, name: string, ready = true, owner?: Owner): Promise<void> {
  const ownerReferences = owner === undefined ? [] : [{ ...owner, controller: true }];
  const metadata = { name, namespace: 'ns', labels: { app: 'web' }, ownerReferences };
  await cluster.create('core/pods', { metadata, spec: { nodeName: 'n', containers: [] } } as unknown as Pod);
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  await cluster.patch('core/pods', 'ns', name, 'merge', { status: { phase: 'Running', conditions } }, 'status');
}

async function addOwner({ cluster }: Simulation, resource: string, kind: string, replicas: number, owner?: Owner) {
  const ownerReferences = owner === undefined ? [] : [{ ...owner, controller: true }];
  const name = kind.toLowerCase();
  const made = await cluster.create<KubeObject>(resource, {
    metadata: { name, namespace: 'ns', ownerReferences },
    spec: { replicas },
  } as KubeObject);
  const group = resource.slice(0, resource.indexOf('/'));
  return { apiVersion: group === 'core' ? 'v1' : `${group}/v1`, kind, name, uid: made.metadata.uid as string };
}

async function addBudget({ cluster }: Simulation, spec: object): Promise<void> {
  await cluster.create(BUDGETS, {
    metadata: { name: 'b', namespace: 'ns' },
    spec: { selector: app, ...spec },
  } as never);
}

function statusOf({ cluster }: Simulation): PodDisruptionBudgetStatus {
  return cluster.peek<PodDisruptionBudget>(BUDGETS, 'ns', 'b')?.status ?? {};
}

const reasons = ({ cluster }: Simulation) =>
  cluster.all<Event>('core/events').map(({ reason, message }) => [reason, message]);

/** Allowed, healthy, desired, expected, and the condition. */
function numbers(simulation: Simulation): unknown[] {
  const status = statusOf(simulation);
  const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods, conditions = [] } = status;
  return [
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions[0]?.status,
    conditions[0]?.reason,
  ];
}

describe('disruption-controller', () => {
  it('lets none go while there are none', async () => {
    const simulation = await start();
    await addBudget(simulation, { minAvailable: 2 });
    await simulation.settle();
    expect(numbers(simulation)).toEqual([0, 0, 2, 0, 'False', 'InsufficientPods']);
    expect(reasons(simulation)).toEqual([['NoPods', 'No matching pods found']]);
    expect(simulation.cluster.all<Event>('core/events')[0]?.source?.component).toBe('controllermanager');
  });

  it.each<[object, number, unknown[]]>([
    [{ minAvailable: 2 }, 3, [1, 3, 2, 3, 'True', 'SufficientPods']],
    [{ minAvailable: 4 }, 3, [0, 3, 4, 3, 'False', 'InsufficientPods']],
    [{ minAvailable: '50%' }, 3, [1, 3, 2, 3, 'True', 'SufficientPods']],
    [{ maxUnavailable: '34%' }, 3, [2, 3, 1, 3, 'True', 'SufficientPods']],
    [{ maxUnavailable: 1 }, 3, [1, 3, 2, 3, 'True', 'SufficientPods']],
    [{ maxUnavailable: 9 }, 3, [3, 3, 0, 3, 'True', 'SufficientPods']],
    [{ maxUnavailable: 1 }, 5, [0, 3, 4, 5, 'False', 'InsufficientPods']],
  ])('%j of %i', async (spec, replicas, expected) => {
    const simulation = await start();
    const owner = await addOwner(simulation, 'apps/statefulsets', 'StatefulSet', replicas);
    for (const name of ['a', 'b', 'c']) await addPod(simulation, name, true, owner);
    await addBudget(simulation, spec);
    await simulation.settle();
    expect(numbers(simulation)).toEqual(expected);
  });

  it('forgets a pod with its end, though it was being deleted before', async () => {
    const simulation = await start();
    for (const name of ['a', 'b']) await addPod(simulation, name);
    await addBudget(simulation, { minAvailable: 2 });
    await simulation.cluster.delete('core/pods', 'ns', 'b', { gracePeriodSeconds: 30 });
    await simulation.settle();
    expect(numbers(simulation).slice(0, 4)).toEqual([0, 1, 2, 2]);
    await simulation.cluster.delete('core/pods', 'ns', 'b', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(numbers(simulation).slice(0, 4)).toEqual([0, 1, 2, 1]);
  });

  it('asks the Deployment above a ReplicaSet, once for all of its ReplicaSets', async () => {
    const simulation = await start();
    const deployment = await addOwner(simulation, 'apps/deployments', 'Deployment', 4);
    const set = await addOwner(simulation, 'apps/replicasets', 'ReplicaSet', 9, deployment);
    await addPod(simulation, 'a', true, set);
    await addPod(simulation, 'b', false, set);
    await addBudget(simulation, { maxUnavailable: 3 });
    await simulation.settle();
    expect(numbers(simulation)).toEqual([0, 1, 1, 4, 'False', 'InsufficientPods']);
  });

  it('asks a custom resource where its definition says', async () => {
    const simulation = await start();
    const kind = { store: 'example.com/webs', group: 'example.com', kind: 'Web', resource: 'webs', namespaced: true };
    const customKinds = () => Promise.resolve([{ ...kind, replicas: ['spec', 'size'] }]);
    Object.assign(simulation.cluster, { customKinds });
    const made = await simulation.cluster.create(kind.store, {
      metadata: { name: 'w', namespace: 'ns' },
      spec: { size: 5 },
    } as KubeObject);
    const owner = { apiVersion: 'example.com/v1', kind: 'Web', name: 'w', uid: made.metadata.uid as string };
    for (const name of ['a', 'b', 'c', 'd', 'e']) await addPod(simulation, name, true, owner);
    await addBudget(simulation, { maxUnavailable: '40%' });
    await simulation.settle();
    expect(numbers(simulation)).toEqual([2, 5, 3, 5, 'True', 'SufficientPods']);
  });

  it('says whose pods it cannot count, and lets none of them go', async () => {
    const simulation = await start();
    const job = await addOwner(simulation, 'batch/jobs', 'Job', 1);
    await addPod(simulation, 'a', true, job);
    await addBudget(simulation, { maxUnavailable: 1 });
    await simulation.settle();
    const message = 'jobs.batch does not implement the scale subresource';
    expect(statusOf(simulation)).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message }],
    });
    expect(reasons(simulation)).toEqual([
      ['CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${message}`],
    ]);
  });

  it('warns of pods that nobody manages', async () => {
    const simulation = await start();
    await addPod(simulation, 'a');
    await addBudget(simulation, { maxUnavailable: 1 });
    await simulation.settle();
    expect(numbers(simulation)).toEqual([0, 1, 0, 0, 'False', 'InsufficientPods']);
    expect(reasons(simulation)[0]?.[0]).toBe('UnmanagedPods');
  });

  it('counts a pod whose eviction was granted as gone, until it is, or is not', async () => {
    const simulation = await start();
    for (const name of ['a', 'b', 'c']) await addPod(simulation, name);
    await addBudget(simulation, { minAvailable: 1 });
    await simulation.settle();
    const disruptedPods = { a: new Date(simulation.time).toISOString(), gone: new Date(simulation.time).toISOString() };
    await simulation.cluster.patch(BUDGETS, 'ns', 'b', 'merge', { status: { disruptedPods } }, 'status');
    await simulation.settle();
    expect(numbers(simulation)).toEqual([1, 2, 1, 3, 'True', 'SufficientPods']);
    expect(Object.keys(statusOf(simulation).disruptedPods ?? {})).toEqual(['a']);
    await simulation.settle(130_000);
    expect(numbers(simulation)).toEqual([2, 3, 1, 3, 'True', 'SufficientPods']);
    expect(statusOf(simulation).disruptedPods).toBeUndefined();
    expect(reasons(simulation)).toEqual([['NotDeleted', "Pod was expected by PDB ns/ns to be deleted but it wasn't"]]);
  });

  it('takes back that a pod is to go when it has not gone', async () => {
    const simulation = await start();
    await addPod(simulation, 'a');
    const at = new Date(simulation.time).toISOString();
    const target = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      lastTransitionTime: at,
    };
    await simulation.cluster.patch('core/pods', 'ns', 'a', 'merge', { status: { conditions: [target] } }, 'status');
    await simulation.settle(100_000);
    const condition = () => simulation.cluster.peek<Pod>('core/pods', 'ns', 'a')?.status?.conditions?.[0];
    expect(condition()?.status).toBe('True');
    await simulation.settle(30_000);
    expect(condition()).toMatchObject({ type: 'DisruptionTarget', status: 'False' });
    expect(condition()?.reason).toBeUndefined();
  });

  it('prints selectors as Go does', () => {
    const matchExpressions = [{ key: 'tier', operator: 'In', values: ['a', 'b'] }];
    expect(formatGoSelector({ matchLabels: { b: '2', a: '1' }, matchExpressions })).toBe(
      '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},},}',
    );
  });
});

const row = (object: object): Row => ({ key: 'ns/b', text: JSON.stringify(object), resourceVersion: 7 }) as Row;

function disrupted(status: PodDisruptionBudgetStatus, dryRun = false) {
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'ns', generation: 2 },
    status,
  };
  const outcome = decideDisrupt({ pod: 'web-0', dryRun }, 'ns/b')(row(budget), 8);
  if (outcome.do === 'fail') return outcome.status;
  if (outcome.do === 'delete') throw new Error('a budget is never deleted');
  return {
    do: outcome.do,
    budget: JSON.parse(outcome.do === 'write' ? outcome.object.text : outcome.text) as PodDisruptionBudget,
  };
}

describe('what a budget grants', () => {
  const counted = {
    observedGeneration: 2,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
  };

  it('one disruption less, and the pod noted', () => {
    const result = disrupted(counted) as { do: string; budget: PodDisruptionBudget };
    expect(result.do).toBe('write');
    expect(result.budget.status).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { 'web-0': expect.any(String) },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
  });

  it('nothing of a dry run', () => expect(disrupted(counted, true)).toMatchObject({ do: 'answer' }));

  it.each<[PodDisruptionBudgetStatus, number, string, number | undefined]>([
    [
      { ...counted, disruptionsAllowed: 0 },
      429,
      'The disruption budget b needs 2 healthy pods and has 3 currently',
      undefined,
    ],
    [{ ...counted, observedGeneration: 1 }, 429, 'The disruption budget b is still being processed by the server.', 10],
  ])('refuses by %j', (status, code, message, retryAfterSeconds) => {
    expect(disrupted(status)).toMatchObject({
      code,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [{ reason: 'DisruptionBudget', message }],
        ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
      },
    });
  });

  it('says on the pod who evicts it', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-0', namespace: 'ns' },
      spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Running' },
    };
    const outcome = decideEvict({ dryRun: false }, 'ns/web-0')(row(pod), 8);
    const text = outcome.do === 'write' ? outcome.object.text : '{}';
    expect((JSON.parse(text) as Pod).status?.conditions).toMatchObject([
      { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
    ]);
  });
});
