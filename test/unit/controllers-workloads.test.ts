import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import type { Deployment, ReplicaSet } from '../../src/generated/types/apps.v1.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';

const deployment = (spec: object = {}, image = 'app:1'): Deployment =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ns' },
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
      ...spec,
    },
  }) as unknown as Deployment;

async function start(options: ConstructorParameters<typeof Simulation>[0] = {}): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of ['sim-1', 'sim-2', 'sim-3']) await simulation.addNode(name);
  await simulation.settle();
  return simulation;
}

const patch = (simulation: Simulation, spec: JsonObject) =>
  simulation.cluster.patch('apps/deployments', 'ns', 'web', 'merge', { spec });
const image = (name: string): JsonObject => ({ template: { spec: { containers: [{ name: 'main', image: name }] } } });
const web = (simulation: Simulation) => simulation.cluster.peek<Deployment>('apps/deployments', 'ns', 'web');
const pods = (simulation: Simulation) => simulation.cluster.all<Pod>('core/pods');
const sets = (simulation: Simulation) =>
  simulation.cluster.all<ReplicaSet>('apps/replicasets').sort((a, b) => revision(a) - revision(b));
const revision = (set: ReplicaSet) => Number(set.metadata.annotations?.['deployment.kubernetes.io/revision']);
const messages = (simulation: Simulation, by: string) =>
  simulation.cluster
    .all<Event>('core/events')
    .filter((event) => event.source?.component === by)
    .map((event) => event.message);
const conditions = (simulation: Simulation) =>
  Object.fromEntries(
    (web(simulation)?.status?.conditions ?? []).map(({ type, status, reason, message }) => [
      type,
      { status, reason, message },
    ]),
  );

describe('deployment', () => {
  it('creates pods and says how it stands', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    const [set] = sets(simulation);
    expect(set?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{8,10}$/);
    expect(set?.metadata.annotations).toEqual({
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
      'deployment.kubernetes.io/revision': '1',
    });
    expect(set?.status).toMatchObject({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
    const status = web(simulation)?.status;
    expect(status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
    });
    expect(status).not.toHaveProperty('unavailableReplicas');
    expect(conditions(simulation)).toEqual({
      Available: {
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      },
      Progressing: {
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
      },
    });
    const hash = set?.metadata.labels?.['pod-template-hash'];
    for (const pod of pods(simulation)) {
      expect(pod.metadata.name.startsWith(`web-${hash}-`)).toBe(true);
      expect(pod.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
      expect(pod.metadata.ownerReferences).toMatchObject([
        { kind: 'ReplicaSet', controller: true, blockOwnerDeletion: true },
      ]);
    }
    expect(messages(simulation, 'deployment-controller')).toEqual([`Scaled up replica set web-${hash} from 0 to 3`]);
    expect(messages(simulation, 'replicaset-controller')).toHaveLength(3);
  });

  it('rolls, rolls back, pauses, scales while paused, resumes, scales to zero, is deleted', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment({ replicas: 5 }));
    await simulation.settle();
    await patch(simulation, image('app:2'));
    await simulation.settle();
    expect(sets(simulation).map((set) => [revision(set), set.spec?.replicas])).toEqual([
      [1, 0],
      [2, 5],
    ]);
    expect(pods(simulation)).toHaveLength(5);
    expect(sets(simulation)[0]?.status).toEqual({
      replicas: 0,
      terminatingReplicas: 0,
      observedGeneration: expect.any(Number),
    });

    await patch(simulation, image('app:1'));
    await simulation.settle();
    expect(sets(simulation).map((set) => [revision(set), set.spec?.replicas])).toEqual([
      [2, 0],
      [3, 5],
    ]);
    expect(sets(simulation)[1]?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(web(simulation)?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '3' });

    await patch(simulation, { paused: true, ...image('app:3') });
    await simulation.settle();
    expect(conditions(simulation)['Progressing']).toEqual({
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    });
    expect(web(simulation)?.status).not.toHaveProperty('updatedReplicas');
    await patch(simulation, { replicas: 2 });
    await simulation.settle();
    expect(pods(simulation)).toHaveLength(2);
    expect(sets(simulation)[1]?.metadata.annotations?.['deployment.kubernetes.io/max-replicas']).toBe('3');

    await patch(simulation, { paused: false });
    await simulation.settle();
    expect(sets(simulation).map((set) => [revision(set), set.spec?.replicas])).toEqual([
      [2, 0],
      [3, 0],
      [4, 2],
    ]);
    expect(conditions(simulation)['Progressing']?.reason).toBe('NewReplicaSetAvailable');

    await patch(simulation, { replicas: 0 });
    await simulation.settle();
    const { conditions: _, ...counts } = web(simulation)?.status ?? {};
    expect(counts).toEqual({ observedGeneration: expect.any(Number), terminatingReplicas: 0 });
    expect(sets(simulation)[2]?.metadata.annotations?.['deployment.kubernetes.io/max-replicas']).toBe('0');

    await simulation.cluster.delete('apps/deployments', 'ns', 'web');
    await simulation.settle();
    expect(sets(simulation)).toEqual([]);
  });

  it('gives up a roll-out that does not progress, and takes it up again', async () => {
    const runs = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image !== 'broken';
    const simulation = await start({ runs });
    await simulation.cluster.create('apps/deployments', deployment({ replicas: 2, progressDeadlineSeconds: 3 }));
    await simulation.settle();
    await patch(simulation, image('broken'));
    await simulation.settle(10_000);
    expect(web(simulation)?.status).toMatchObject({
      replicas: 3,
      updatedReplicas: 1,
      availableReplicas: 2,
      unavailableReplicas: 1,
    });
    expect(conditions(simulation)['Progressing']).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    });
    await patch(simulation, image('app:1'));
    await simulation.settle(10_000);
    expect(pods(simulation)).toHaveLength(2);
    expect(conditions(simulation)['Progressing']?.reason).toBe('NewReplicaSetAvailable');
  });

  it('never has more than the surge nor less than is to be available', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment({ replicas: 8 }));
    await simulation.settle();
    let most = 0;
    let least = 8;
    const told = simulation.cluster.onChange;
    simulation.cluster.onChange = (store, from, notice) => {
      const active = pods(simulation).filter((pod) => pod.metadata.deletionTimestamp === undefined);
      // What is wanted at any moment; a pod that is not wanted any more may be a moment late to go, upstream too.
      const wanted = simulation.cluster.all<ReplicaSet>('apps/replicasets').map(({ spec }) => spec?.replicas ?? 0);
      most = Math.max(
        most,
        wanted.reduce((sum, replicas) => sum + replicas, 0),
      );
      least = Math.min(least, active.filter((pod) => pod.status?.phase === 'Running').length);
      told(store, from, notice);
    };
    await patch(simulation, image('app:2'));
    await simulation.settle();
    expect([most, least]).toEqual([10, 6]);
  });

  it('recreates: no new pod before the last old one is gone', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment({ strategy: { type: 'Recreate' } }));
    await simulation.settle();
    let together = false;
    const told = simulation.cluster.onChange;
    simulation.cluster.onChange = (store, from, notice) => {
      together ||= new Set(pods(simulation).map((pod) => pod.metadata.labels?.['pod-template-hash'])).size > 1;
      told(store, from, notice);
    };
    await patch(simulation, image('app:2'));
    await simulation.settle();
    expect(together).toBe(false);
    expect(pods(simulation).map((pod) => pod.spec?.containers?.[0]?.image)).toEqual(['app:2', 'app:2', 'app:2']);
  });

  it('keeps as many old ReplicaSets as it is told', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment({ revisionHistoryLimit: 2 }));
    for (const name of ['app:2', 'app:3', 'app:4', 'app:5']) {
      await simulation.settle();
      await patch(simulation, image(name));
    }
    await simulation.settle();
    expect(sets(simulation).map(revision)).toEqual([3, 4, 5]);
  });

  it.each([
    ['0', 'app:2', 'Rolled back deployment "web" to revision 2'],
    ['1', 'app:1', 'Rolled back deployment "web" to revision 1'],
    ['3', 'app:3', 'The rollback revision contains the same template as current deployment "web"'],
    ['9', 'app:3', 'Unable to find the revision to rollback to.'],
  ])('rolls back to revision %s when an annotation says so', async (to, template, message) => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment());
    for (const next of ['app:2', 'app:3']) {
      await simulation.settle();
      await patch(simulation, image(next));
    }
    await simulation.settle();
    const key = 'deprecated.deployment.rollback.to';
    const annotations = { [key]: to, own: 'kept' };
    await simulation.cluster.patch('apps/deployments', 'ns', 'web', 'merge', { metadata: { annotations } });
    await simulation.settle();
    expect(web(simulation)?.spec?.template?.spec?.containers?.[0]?.image).toBe(template);
    expect(web(simulation)?.metadata.annotations).not.toHaveProperty([key]);
    expect(pods(simulation).map(({ spec }) => spec?.containers?.[0]?.image)).toEqual(Array(3).fill(template));
    expect(messages(simulation, 'deployment-controller')).toContain(message);
  });

  it('is scaled in proportion in the middle of a roll-out', async () => {
    const runs = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image !== 'broken';
    const simulation = await start({ runs });
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    await simulation.cluster.create('apps/deployments', deployment({ replicas: 10, strategy }));
    await simulation.settle();
    await patch(simulation, image('broken'));
    await simulation.settle();
    const sizes = () => sets(simulation).map(({ spec }) => spec?.replicas);
    expect(sizes()).toEqual([8, 5]);
    await patch(simulation, { replicas: 30 });
    await simulation.settle();
    expect(sizes()).toEqual([20, 13]);
  });

  it('keeps what is available when it is scaled down in the middle of a roll-out', async () => {
    const runs = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image !== 'broken';
    const simulation = await start({ runs });
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    await simulation.cluster.create('apps/deployments', deployment({ replicas: 15, strategy }));
    await simulation.settle();
    await patch(simulation, image('broken'));
    await simulation.settle();
    const sizes = () => sets(simulation).map(({ spec }) => spec?.replicas);
    expect(sizes()).toEqual([13, 5]);
    await patch(simulation, { replicas: 6 });
    await simulation.settle();
    expect(sizes()).toEqual([4, 5]);
    expect(web(simulation)?.status?.availableReplicas).toBe(4);
  });

  it('rolls over: a template that is replaced before it is rolled out', async () => {
    const runs = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image !== 'broken';
    const simulation = await start({ runs });
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    await patch(simulation, image('broken'));
    await simulation.settle();
    await patch(simulation, image('app:3'));
    await simulation.settle();
    expect(sets(simulation).map(({ spec }) => spec?.replicas)).toEqual([0, 0, 3]);
    expect(conditions(simulation)['Progressing']).toMatchObject({ reason: 'NewReplicaSetAvailable' });
  });

  it('adopts ReplicaSets that its selector selects, and releases those that it does not', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    const [before] = sets(simulation);
    await simulation.cluster.delete('apps/deployments', 'ns', 'web', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    expect(sets(simulation)[0]?.metadata.ownerReferences).toBeUndefined();
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    expect(sets(simulation).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);
    const name = before?.metadata.name ?? '';
    await simulation.cluster.patch('apps/replicasets', 'ns', name, 'merge', { metadata: { labels: { app: 'other' } } });
    await simulation.settle();
    const released = sets(simulation).find(({ metadata }) => metadata.uid === before?.metadata.uid);
    expect(released?.metadata.ownerReferences).toBeUndefined();
  });

  it('takes another hash when the name is taken by a stranger', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    const [set] = sets(simulation);
    await simulation.cluster.delete('apps/deployments', 'ns', 'web', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    await simulation.cluster.patch('apps/replicasets', 'ns', set?.metadata.name ?? '', 'merge', {
      metadata: { labels: { app: 'other' } },
    });
    await simulation.cluster.create('apps/deployments', deployment());
    await simulation.settle();
    expect(web(simulation)?.status).toMatchObject({ collisionCount: 1, availableReplicas: 3 });
  });
});

const replicaSet = (spec: object = {}): ReplicaSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs', namespace: 'ns' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } },
      ...spec,
    },
  }) as unknown as ReplicaSet;

describe('replicaset', () => {
  it.each([true, false])('adopts, releases, scales, orphans (notices tell the previous state: %s)', async (tells) => {
    const simulation = await start();
    const { cluster } = simulation;
    cluster.tellsPrevious = tells;
    const orphan = { metadata: { name: 'orphan', namespace: 'ns', labels: { app: 'web' } }, spec: { containers: [] } };
    await cluster.create('core/pods', orphan);
    await simulation.settle();
    await cluster.create('apps/replicasets', replicaSet());
    await simulation.settle();
    expect(pods(simulation).filter((pod) => pod.metadata.ownerReferences?.[0]?.name === 'rs')).toHaveLength(3);
    await cluster.patch('core/pods', 'ns', 'orphan', 'merge', { metadata: { labels: { app: 'other' } } });
    await simulation.settle();
    expect(pods(simulation)).toHaveLength(4);
    expect(cluster.peek('core/pods', 'ns', 'orphan')?.metadata.ownerReferences).toBeUndefined();
    await cluster.patch('apps/replicasets', 'ns', 'rs', 'merge', { spec: { replicas: 1 } });
    await simulation.settle();
    expect(pods(simulation)).toHaveLength(2);
    const [victim] = pods(simulation).filter((pod) => pod.metadata.name !== 'orphan');
    await cluster.delete('core/pods', 'ns', victim?.metadata.name ?? '', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(pods(simulation)).toHaveLength(2);
    await cluster.delete('apps/replicasets', 'ns', 'rs', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    expect(cluster.all('apps/replicasets')).toEqual([]);
    expect(pods(simulation).map((pod) => pod.metadata.ownerReferences)).toEqual([undefined, undefined]);
  });

  it('takes over the pods that another lets go', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('apps/replicasets', replicaSet());
    await simulation.settle();
    const other = replicaSet();
    other.metadata.name = 'other';
    const template = { metadata: { labels: { app: 'b' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } };
    const matchExpressions = [{ key: 'app', operator: 'In', values: ['web', 'b'] }];
    other.spec = { replicas: 3, selector: { matchExpressions }, template: template as never };
    await cluster.create('apps/replicasets', other);
    await simulation.settle();
    expect(pods(simulation)).toHaveLength(6);
    await cluster.delete('apps/replicasets', 'ns', 'rs', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    expect(pods(simulation).map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual(Array(3).fill('other'));
  });

  it('counts pods as available only after minReadySeconds', async () => {
    const simulation = await start();
    await simulation.cluster.create('apps/replicasets', replicaSet({ minReadySeconds: 10 }));
    await simulation.settle(5000);
    const status = () => simulation.cluster.peek<ReplicaSet>('apps/replicasets', 'ns', 'rs')?.status;
    expect(status()).toMatchObject({ readyReplicas: 3 });
    expect(status()).not.toHaveProperty('availableReplicas');
    await simulation.settle(10_000);
    expect(status()).toMatchObject({ readyReplicas: 3, availableReplicas: 3 });
  });

  it('asks for one pod only when pods are refused, and says why', async () => {
    const simulation = await start();
    let asked = 0;
    simulation.cluster.admit = (resource) => {
      if (resource !== 'core/pods') return;
      asked++;
      throw new Error('no room');
    };
    await simulation.cluster.create('apps/replicasets', replicaSet({ replicas: 100 }));
    await simulation.settle(1);
    // The second time because the status that says so is a change itself.
    expect(asked).toBe(2);
    const set = simulation.cluster.peek<ReplicaSet>('apps/replicasets', 'ns', 'rs');
    expect(set?.status?.conditions).toMatchObject([
      { type: 'ReplicaFailure', reason: 'FailedCreate', message: 'no room' },
    ]);
    simulation.cluster.admit = () => {};
    await simulation.settle(10);
    expect(pods(simulation)).toHaveLength(100);
  });

  it('serves ReplicationControllers the same way', async () => {
    const simulation = await start();
    const controller = { ...replicaSet({ selector: { app: 'web' } }), apiVersion: 'v1', kind: 'ReplicationController' };
    await simulation.cluster.create('core/replicationcontrollers', controller);
    await simulation.settle();
    const made = simulation.cluster.peek<ReplicaSet>('core/replicationcontrollers', 'ns', 'rs');
    expect(made?.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
  });
});

it('makes 50 pods with few calls', async () => {
  const simulation = await start();
  await simulation.cluster.create('apps/deployments', deployment({ replicas: 0 }));
  await simulation.settle();
  simulation.cluster.calls.clear();
  await patch(simulation, { replicas: 50 });
  await simulation.settle();
  const calls = simulation.cluster.callCount / 50;
  expect(pods(simulation)).toHaveLength(50);
  expect(calls).toBeLessThan(20);
});
