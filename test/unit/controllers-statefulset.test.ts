import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { Simulation, type SimulationOptions } from '../../src/controllers/client/simulation.ts';
import { ordinalOf } from '../../src/controllers/statefulset/identity.ts';
import { wantedOwners } from '../../src/controllers/statefulset/retention.ts';
import type { ControllerRevision, StatefulSet } from '../../src/generated/types/apps.v1.ts';
import type { Event, PersistentVolumeClaim, Pod } from '../../src/generated/types/core.v1.ts';

const STATEFUL_SETS = 'apps/statefulsets';
const container = (image: string) => ({ containers: [{ name: 'main', image }] });

const statefulSet = (spec: object = {}, name = 'web'): StatefulSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'ns' },
    spec: {
      replicas: 3,
      serviceName: 'svc',
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: container('app:1') },
      ...spec,
    },
  }) as unknown as StatefulSet;

const withClaims = (policy: object = { whenDeleted: 'Retain', whenScaled: 'Retain' }): object => ({
  volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }],
  persistentVolumeClaimRetentionPolicy: policy,
});

async function start(set: StatefulSet, options: SimulationOptions = {}): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of ['sim-1', 'sim-2', 'sim-3']) await simulation.addNode(name);
  await simulation.cluster.create(STATEFUL_SETS, set);
  await simulation.settle();
  return simulation;
}

const patch = (simulation: Simulation, spec: JsonObject) =>
  simulation.cluster.patch(STATEFUL_SETS, 'ns', 'web', 'merge', { spec });
const roll = (image: string): JsonObject => ({ template: { spec: container(image) } });
const status = (simulation: Simulation) => simulation.cluster.peek<StatefulSet>(STATEFUL_SETS, 'ns', 'web')?.status;
const pods = (simulation: Simulation) =>
  simulation.cluster.all<Pod>('core/pods').sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
const names = (simulation: Simulation) => pods(simulation).map(({ metadata }) => metadata.name);
const images = (simulation: Simulation) => pods(simulation).map(({ spec }) => spec?.containers?.[0]?.image);
const revisions = (simulation: Simulation) =>
  simulation.cluster
    .all<ControllerRevision>('apps/controllerrevisions')
    .sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0));
const claims = (simulation: Simulation) =>
  simulation.cluster
    .all<PersistentVolumeClaim>('core/persistentvolumeclaims')
    .map(({ metadata }) => [metadata.name, (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`)])
    .sort();
const messages = (simulation: Simulation) =>
  simulation.cluster
    .all<Event>('core/events')
    .filter(({ source }) => source?.component === 'statefulset-controller')
    .map(({ message }) => message);
const setReady = (simulation: Simulation, name: string, ready: 'True' | 'False') =>
  simulation.cluster.patch(
    'core/pods',
    'ns',
    name,
    'merge',
    { status: { conditions: [{ type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }] } },
    'status',
  );

describe('stateful set', () => {
  it('makes pods with an identity, one after the other', async () => {
    const simulation = await start(statefulSet());
    expect(names(simulation)).toEqual(['web-0', 'web-1', 'web-2']);
    const [revision] = revisions(simulation);
    expect(revision?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{8,10}$/);
    expect(revision).toMatchObject({
      revision: 1,
      metadata: {
        labels: { app: 'web', 'controller.kubernetes.io/hash': revision?.metadata.name.slice('web-'.length) },
        ownerReferences: [{ kind: 'StatefulSet', name: 'web', controller: true, blockOwnerDeletion: true }],
      },
      data: { spec: { template: { $patch: 'replace', spec: container('app:1') } } },
    });
    expect(pods(simulation)[1]).toMatchObject({
      metadata: {
        generateName: 'web-',
        labels: {
          app: 'web',
          'apps.kubernetes.io/pod-index': '1',
          'controller-revision-hash': revision?.metadata.name,
          'statefulset.kubernetes.io/pod-name': 'web-1',
        },
      },
      spec: { hostname: 'web-1', subdomain: 'svc' },
    });
    expect(status(simulation)).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision: revision?.metadata.name,
      updateRevision: revision?.metadata.name,
      collisionCount: 0,
    });
    expect(messages(simulation)).toEqual([0, 1, 2].map((i) => `Create Pod web-${i} in StatefulSet web successful`));
  });

  it('waits for each pod, when ordered; with Parallel for none', async () => {
    const runs = (pod: Pod): boolean => pod.metadata.name !== 'web-1';
    const ordered = await start(statefulSet(), { runs });
    expect(names(ordered)).toEqual(['web-0', 'web-1']);
    expect(status(ordered)).toMatchObject({ replicas: 2, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 2 });
    const parallel = await start(statefulSet({ podManagementPolicy: 'Parallel' }), { runs });
    expect(names(parallel)).toEqual(['web-0', 'web-1', 'web-2']);
  });

  it('scales up from ordinals.start, and down from the highest', async () => {
    const simulation = await start(statefulSet({ ordinals: { start: 5 }, replicas: 2 }));
    expect(names(simulation)).toEqual(['web-5', 'web-6']);
    await patch(simulation, { ordinals: { start: 4 }, replicas: 2 });
    await simulation.settle();
    expect(names(simulation)).toEqual(['web-4', 'web-5']);
    await patch(simulation, { replicas: 0 });
    await simulation.settle();
    expect(names(simulation)).toEqual([]);
    expect(messages(simulation).slice(-2)).toEqual([
      'Delete Pod web-5 in StatefulSet web successful',
      'Delete Pod web-4 in StatefulSet web successful',
    ]);
  });

  it('halts scaling in both directions while a pod is not ready', async () => {
    const simulation = await start(statefulSet());
    await setReady(simulation, 'web-0', 'False');
    await patch(simulation, { replicas: 1 });
    await simulation.settle();
    expect(names(simulation)).toEqual(['web-0', 'web-1', 'web-2']);
    await setReady(simulation, 'web-0', 'True');
    await simulation.settle();
    expect(names(simulation)).toEqual(['web-0']);
    await setReady(simulation, 'web-0', 'False');
    await patch(simulation, { replicas: 3 });
    await simulation.settle();
    expect(names(simulation)).toEqual(['web-0']);
    const burst = await start(statefulSet({ podManagementPolicy: 'Parallel' }));
    await setReady(burst, 'web-0', 'False');
    await patch(burst, { replicas: 5 });
    await burst.settle();
    expect(names(burst)).toHaveLength(5);
    await patch(burst, { replicas: 0 });
    await burst.settle();
    expect(names(burst)).toEqual([]);
  });

  it('rolls from the highest ordinal, keeps to the partition, and rolls back to the old revision', async () => {
    const simulation = await start(statefulSet());
    await patch(simulation, { updateStrategy: { rollingUpdate: { partition: 2 } }, ...roll('app:2') });
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:2']);
    const [first, second] = revisions(simulation).map(({ metadata }) => metadata.name);
    expect(status(simulation)).toMatchObject({
      currentReplicas: 2,
      updatedReplicas: 1,
      currentRevision: first,
      updateRevision: second,
    });
    // A pod below the partition comes back as it was, one above as it is to be.
    for (const name of ['web-0', 'web-2']) await simulation.cluster.delete('core/pods', 'ns', name);
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:2']);
    await patch(simulation, { updateStrategy: { rollingUpdate: { partition: 0 } } });
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:2', 'app:2', 'app:2']);
    expect(status(simulation)).toMatchObject({ currentReplicas: 3, updatedReplicas: 3, currentRevision: second });
    await patch(simulation, roll('app:1'));
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:1']);
    expect(revisions(simulation).map(({ metadata, revision }) => [metadata.name, revision])).toEqual([
      [second, 2],
      [first, 3],
    ]);
  });

  it('stops rolling at a pod that does not get ready, and goes on when the template is mended', async () => {
    const broken = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image === 'broken';
    const simulation = await start(statefulSet({ podManagementPolicy: 'Parallel' }), { runs: (pod) => !broken(pod) });
    await patch(simulation, roll('broken'));
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'broken']);
    await patch(simulation, roll('app:3'));
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:3', 'app:3', 'app:3']);
  });

  it.each([
    ['as many as may be unavailable', 2, 2],
    ['a percentage, rounded up', '34%', 2],
  ])('takes away %s', async (_, maxUnavailable, gone) => {
    const broken = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image === 'broken';
    const spec = {
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable } },
    };
    const simulation = await start(statefulSet(spec), { runs: (pod) => !broken(pod) });
    await patch(simulation, roll('broken'));
    await simulation.settle();
    expect(images(simulation).filter((image) => image === 'broken')).toHaveLength(gone);
  });

  it('leaves pods to whoever deletes them, with OnDelete', async () => {
    const simulation = await start(statefulSet({ updateStrategy: { type: 'OnDelete' } }));
    await patch(simulation, roll('app:2'));
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:1']);
    await simulation.cluster.delete('core/pods', 'ns', 'web-0');
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:2', 'app:1', 'app:1']);
  });

  it('waits for minReadySeconds before it counts on a pod', async () => {
    const simulation = await start(statefulSet({ minReadySeconds: 30 }));
    expect(names(simulation)).toEqual(['web-0']);
    expect(status(simulation)).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    await simulation.settle(120_000);
    expect(names(simulation)).toHaveLength(3);
    expect(status(simulation)).toMatchObject({ readyReplicas: 3, availableReplicas: 3 });
  });

  it('replaces pods that have ended', async () => {
    for (const phase of ['Failed', 'Succeeded']) {
      const simulation = await start(statefulSet());
      const uid = pods(simulation)[1]?.metadata.uid;
      await simulation.cluster.patch('core/pods', 'ns', 'web-1', 'merge', { status: { phase } }, 'status');
      await simulation.settle();
      expect(names(simulation)).toEqual(['web-0', 'web-1', 'web-2']);
      expect(pods(simulation)[1]?.metadata.uid).not.toBe(uid);
    }
  });

  it('keeps so many revisions that nothing uses', async () => {
    const simulation = await start(statefulSet({ revisionHistoryLimit: 2 }));
    for (const image of ['app:2', 'app:3', 'app:4', 'app:5']) {
      await patch(simulation, roll(image));
      await simulation.settle();
    }
    expect(revisions(simulation).map(({ revision }) => revision)).toEqual([3, 4, 5]);
  });

  it('takes the next name when a stranger has a revision of its', async () => {
    const probe = await start(statefulSet());
    const [made] = revisions(probe);
    const simulation = new Simulation();
    await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
    const name = made?.metadata.name ?? '';
    await simulation.cluster.create<ControllerRevision>('apps/controllerrevisions', {
      metadata: { name, namespace: 'ns' },
      data: { other: true },
      revision: 1,
    });
    await simulation.cluster.create(STATEFUL_SETS, statefulSet());
    await simulation.settle();
    expect(status(simulation)).toMatchObject({ collisionCount: 1, replicas: 3 });
    expect(status(simulation)?.updateRevision).not.toBe(name);
  });

  it('adopts pods of its name, and lets go those that its selector leaves', async () => {
    const simulation = await start(statefulSet());
    await simulation.cluster.delete(STATEFUL_SETS, 'ns', 'web', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    const uids = pods(simulation).map(({ metadata }) => metadata.uid);
    await simulation.cluster.create(STATEFUL_SETS, statefulSet());
    await simulation.settle();
    expect(pods(simulation).map(({ metadata }) => metadata.uid)).toEqual(uids);
    expect(revisions(simulation)).toHaveLength(1);
    await simulation.cluster.patch('core/pods', 'ns', 'web-2', 'merge', { metadata: { labels: { app: 'other' } } });
    await simulation.settle();
    expect(pods(simulation)[2]?.metadata.ownerReferences).toBeUndefined();
  });
});

describe('claims of a stateful set', () => {
  it('are made before their pod, and stay', async () => {
    const simulation = await start(statefulSet({ replicas: 2, ...withClaims() }));
    expect(pods(simulation)[1]?.spec?.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } },
    ]);
    expect(messages(simulation)).toEqual([
      'Create Claim data-web-0 Pod web-0 in StatefulSet web success',
      'Create Pod web-0 in StatefulSet web successful',
      'Create Claim data-web-1 Pod web-1 in StatefulSet web success',
      'Create Pod web-1 in StatefulSet web successful',
    ]);
    await patch(simulation, { replicas: 0 });
    await simulation.settle();
    expect(claims(simulation)).toEqual([
      ['data-web-0', []],
      ['data-web-1', []],
    ]);
  });

  it('go with the pod that is scaled away', async () => {
    const policy = { whenScaled: 'Delete', whenDeleted: 'Retain' };
    const simulation = await start(statefulSet({ replicas: 2, ...withClaims(policy) }));
    expect(claims(simulation)).toEqual([
      ['data-web-0', []],
      ['data-web-1', []],
    ]);
    await patch(simulation, { replicas: 1 });
    await simulation.settle();
    expect(claims(simulation)).toEqual([['data-web-0', []]]);
  });

  it('go with the set', async () => {
    const simulation = await start(statefulSet({ replicas: 2, ...withClaims({ whenDeleted: 'Delete' }) }));
    expect(claims(simulation)).toEqual([
      ['data-web-0', ['StatefulSet/web']],
      ['data-web-1', ['StatefulSet/web']],
    ]);
    await patch(simulation, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } });
    await simulation.settle();
    expect(claims(simulation)[0]).toEqual(['data-web-0', []]);
    expect(messages(simulation)).toContain('Update Pod web-0 in StatefulSet web successful');
    await patch(simulation, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } });
    await simulation.settle();
    await simulation.cluster.delete(STATEFUL_SETS, 'ns', 'web');
    await simulation.settle();
    expect(claims(simulation)).toEqual([]);
  });

  it.each([
    ['Retain', 'Retain', 0, []],
    ['Retain', 'Retain', 7, []],
    ['Retain', 'Delete', 0, ['StatefulSet/web']],
    ['Retain', 'Delete', 7, ['StatefulSet/web']],
    ['Delete', 'Retain', 0, []],
    ['Delete', 'Retain', 7, ['Pod/web-7']],
    ['Delete', 'Delete', 0, ['StatefulSet/web']],
    ['Delete', 'Delete', 7, ['Pod/web-7']],
  ])('whenScaled %s, whenDeleted %s: that of pod %i is owned by %j', (whenScaled, whenDeleted, ordinal, owners) => {
    const set = statefulSet(withClaims({ whenScaled, whenDeleted }));
    const pod: Pod = { metadata: { name: `web-${ordinal}`, namespace: 'ns', uid: 'pod' } };
    const stale = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: 'former', controller: true };
    const claim: PersistentVolumeClaim = { metadata: { name: 'data', ownerReferences: [stale] } };
    expect(wantedOwners(set, pod, claim).map(({ kind, name }) => `${kind}/${name}`)).toEqual(owners);
    const foreign = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x', controller: true };
    claim.metadata.ownerReferences = [foreign];
    expect(wantedOwners(set, pod, claim)).toEqual([foreign]);
  });
});

describe('names of its pods', () => {
  it.each([
    ['web-0', 0],
    ['web-12', 12],
    ['web-01', undefined],
    ['web-x', undefined],
    ['web', undefined],
    ['web-1-2', undefined],
    ['other-1', undefined],
    ['web-99999999999', undefined],
  ])('%s has the ordinal %s', (name, ordinal) => {
    expect(ordinalOf(statefulSet(), { metadata: { name } })).toBe(ordinal);
  });
});
