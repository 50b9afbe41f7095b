/** Deployments, ReplicaSets and ReplicationControllers, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../../../src/generated/types/apps.v1.ts';
import type { Scale } from '../../../src/generated/types/autoscaling.v1.ts';
import type { Pod, ReplicationController, ResourceQuota } from '../../../src/generated/types/core.v1.ts';
import { Cluster } from './cluster.ts';
import { pod, podSpec, replicationController, unscheduled, workload } from './objects.ts';
import type { Resource } from './resource.ts';
import { takesStatus } from './takes-status.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const REVISION = 'deployment.kubernetes.io/revision';

async function deploymentWorld() {
  const ns = await cluster.namespace();
  return {
    ns,
    deployments: ns.of<Deployment>('apps/v1', 'deployments'),
    sets: ns.of<ReplicaSet>('apps/v1', 'replicasets'),
    pods: ns.of<Pod>('v1', 'pods'),
  };
}

const complete = ({ metadata, spec, status }: Deployment): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.updatedReplicas === spec?.replicas &&
  status?.replicas === spec?.replicas &&
  status?.availableReplicas === spec?.replicas;

const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } });

/** The scale subresource: what it says, and that a change of it arrives. */
async function scales(
  resource: Resource<ReplicaSet | Deployment | ReplicationController>,
  name: string,
): Promise<void> {
  const scale = (await resource.get(name, 'scale')) as Scale & { metadata: { name: string } };
  expect(scale.spec?.replicas).toBe(1);
  const resize = (object: Deployment): void => {
    if (object.spec) object.spec.replicas = 2;
  };
  await resource.update(name, resize, 'scale');
  expect((await resource.get(name)).spec?.replicas).toBe(2);
  await resource.patch(name, { spec: { replicas: 4 } }, { type: 'strategic', subresource: 'scale' });
  expect((await resource.get(name)).spec?.replicas).toBe(4);
  await resource.until(name, ({ status }) => status?.readyReplicas === 4);
}

describe.concurrent('[sig-apps] Deployment', () => {
  it('RollingUpdateDeployment should delete old pods and create new ones', async () => {
    const { deployments, sets, pods } = await deploymentWorld();
    const annotations = { [REVISION]: '3546343826724305832' };
    const old = workload('old', { replicas: 1 }) as ReplicaSet;
    await sets.create({ ...old, metadata: { ...old.metadata, annotations } });
    await sets.until('old', ({ status }) => status?.readyReplicas === 1);
    await deployments.create(
      workload('web', { replicas: 1 }, podSpec({ containers: [{ name: 'main', image: 'new' }] })),
    );
    const web = await deployments.until('web', complete);
    expect(web.metadata.annotations?.[REVISION]).toBe('3546343826724305833');
    const adopted = await sets.until('old', ({ status }) => status?.replicas === 0);
    expect(adopted.metadata.ownerReferences?.[0]?.name).toBe('web');
    await pods.untilList((items) => items.length === 1 && items[0]?.spec?.containers?.[0]?.image === 'new');
  });

  it('RecreateDeployment should delete old pods and create new ones', async () => {
    const { deployments, pods } = await deploymentWorld();
    await deployments.create(workload('web', { replicas: 3, strategy: { type: 'Recreate' } }));
    await deployments.until('web', complete);
    const { metadata } = await pods.list();
    await deployments.patch('web', image('new'), { type: 'strategic' });
    const events = await pods.watch({ resourceVersion: metadata.resourceVersion }, (seen) => {
      const created = seen.filter(({ type }) => type === 'ADDED').length;
      return created === 3;
    });
    const order = events.map(({ type }) => type).filter((type) => type !== 'MODIFIED');
    expect(order).toEqual(['DELETED', 'DELETED', 'DELETED', 'ADDED', 'ADDED', 'ADDED']);
    await deployments.until('web', complete);
  });

  it('deployment should delete old replica sets', async () => {
    const { deployments, sets, pods } = await deploymentWorld();
    await sets.create(workload('old', { replicas: 1 }));
    await sets.until('old', ({ status }) => status?.readyReplicas === 1);
    const spec = podSpec({ containers: [{ name: 'main', image: 'new' }] });
    await deployments.create(workload('web', { replicas: 1, revisionHistoryLimit: 0 }, spec));
    await deployments.until('web', complete);
    await sets.untilGone('old');
    expect((await sets.list()).items).toHaveLength(1);
    await pods.untilList((items) => items.length === 1);
  });

  it('deployment should support rollover', async () => {
    const { deployments, sets } = await deploymentWorld();
    await sets.create(workload('old', { replicas: 1 }));
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    const never = podSpec({ nodeSelector: { no: 'where' } });
    await deployments.create(workload('web', { replicas: 1, minReadySeconds: 1, strategy }, never));
    const stuck = await sets.untilList(
      (items) => items.length === 2 && items.every(({ spec }) => spec?.replicas === 1),
    );
    expect(stuck.find(({ metadata }) => metadata.name === 'old')?.spec?.replicas).toBe(1);
    const patch = {
      spec: { template: { spec: { nodeSelector: null, containers: [{ name: 'main', image: 'new' }] } } },
    };
    await deployments.patch('web', patch, { type: 'strategic' });
    await deployments.until('web', complete);
    const all = await sets.untilList((items) => items.filter(({ spec }) => spec?.replicas === 0).length === 2);
    expect(all).toHaveLength(3);
  });

  it('deployment should support proportional scaling', async () => {
    const { deployments, sets } = await deploymentWorld();
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2, maxSurge: 3 } };
    await deployments.create(workload('web', { replicas: 10, strategy }));
    await deployments.until('web', complete);
    const [first] = (await sets.list()).items;
    const patch = { spec: { template: { spec: { nodeSelector: { no: 'where' } } } } };
    await deployments.patch('web', patch, { type: 'strategic' });
    const sizes = async (...wanted: number[]): Promise<void> => {
      await sets.untilList((items) => {
        const old = items.find(({ metadata }) => metadata.name === first?.metadata.name);
        const fresh = items.find((one) => one !== old);
        return old?.spec?.replicas === wanted[0] && fresh?.spec?.replicas === wanted[1];
      });
    };
    await sizes(8, 5);
    await deployments.until('web', ({ status }) => status?.availableReplicas === 8);
    await deployments.patch('web', { spec: { replicas: 30 } });
    await sizes(20, 13);
  });

  it('Deployment should have a working scale subresource', async () => {
    const { deployments } = await deploymentWorld();
    await deployments.create(workload('web', { replicas: 1 }));
    await deployments.until('web', complete);
    await scales(deployments, 'web');
  });

  it('should validate Deployment Status endpoints', async () => {
    const { deployments } = await deploymentWorld();
    await deployments.create(workload('web', { replicas: 1 }));
    await deployments.until('web', complete);
    await takesStatus(deployments, 'web');
  });

  it('should run the lifecycle of a Deployment', async () => {
    const { ns, deployments } = await deploymentWorld();
    const labelSelector = 'app=test';
    await deployments.create(workload('web', { replicas: 1 }));
    await deployments.until('web', ({ status }) => status?.readyReplicas === 1);
    await deployments.patch(
      'web',
      { metadata: { labels: { patched: 'yes' } }, spec: { replicas: 2 } },
      { type: 'strategic' },
    );
    await deployments.until('web', ({ status }) => status?.readyReplicas === 2);
    const everywhere = cluster.of<Deployment>('apps/v1', 'deployments');
    const found = (await everywhere.list({ labelSelector: 'patched=yes' })).items;
    expect(found.map(({ metadata }) => metadata.namespace)).toEqual([ns.name]);
    await deployments.patch(
      'web',
      { metadata: { labels: { via: 'status' } }, status: { readyReplicas: 0, availableReplicas: 0 } },
      { subresource: 'status' },
    );
    await deployments.until('web', ({ status }) => status?.readyReplicas === 2);
    await deployments.update('web', (deployment) => {
      const [container] = deployment.spec?.template?.spec?.containers ?? [];
      if (container) container.image = 'new';
    });
    await deployments.until('web', complete);
    await deployments.deleteCollection({ labelSelector });
    await deployments.untilGone('web');
  });
});

async function replicaSetWorld() {
  const ns = await cluster.namespace();
  return { ns, sets: ns.of<ReplicaSet>('apps/v1', 'replicasets'), pods: ns.of<Pod>('v1', 'pods') };
}

/** A pod that matches is adopted, and let go where it matches no more: then another takes its place. */
async function adoptsAndReleases(
  controllers: Resource<ReplicaSet | ReplicationController>,
  pods: Resource<Pod>,
  body: object,
): Promise<void> {
  await pods.create(pod('orphan', podSpec()));
  await controllers.create(body);
  const owner = ({ metadata }: Pod): string | undefined =>
    metadata.ownerReferences?.find((one) => one.controller)?.name;
  await pods.until('orphan', (one) => owner(one) === 'owner');
  await controllers.until('owner', ({ status }) => status?.readyReplicas === 1);
  expect((await pods.list()).items).toHaveLength(1);
  await pods.patch('orphan', { metadata: { labels: { app: 'other' } } });
  await pods.until('orphan', (one) => owner(one) === undefined);
  await pods.untilList((items) => items.filter((one) => owner(one) === 'owner').length === 1);
}

describe.concurrent('[sig-apps] ReplicaSet', () => {
  it('should serve a basic image on each replica with a public image', async () => {
    const { sets, pods } = await replicaSetWorld();
    await sets.create(workload('rs', { replicas: 3 }));
    const running = await pods.untilList(
      (items) => items.filter(({ status }) => status?.phase === 'Running').length === 3,
    );
    expect(new Set(running.map(({ status }) => status?.podIP)).size).toBe(3);
  });

  it('should adopt matching pods on creation and release no longer matching pods', async () => {
    const { sets, pods } = await replicaSetWorld();
    await adoptsAndReleases(sets, pods, workload('owner', { replicas: 1 }));
  });

  it('Replicaset should have a working scale subresource', async () => {
    const { sets } = await replicaSetWorld();
    await sets.create(workload('rs', { replicas: 1 }));
    await scales(sets, 'rs');
  });

  it('Replace and Patch tests', async () => {
    const { sets } = await replicaSetWorld();
    await sets.create(workload('rs', { replicas: 1 }));
    await sets.until('rs', ({ status }) => status?.readyReplicas === 1);
    await sets.update('rs', ({ spec }) => {
      if (spec) spec.replicas = 2;
    });
    await sets.until('rs', ({ status }) => status?.readyReplicas === 2);
    const patch = { metadata: { labels: { patched: 'yes' } }, spec: { replicas: 3, ...image('new').spec } };
    await sets.patch('rs', patch, { type: 'strategic' });
    const after = await sets.until('rs', ({ status }) => status?.readyReplicas === 3);
    expect(after.metadata.labels).toMatchObject({ patched: 'yes' });
    expect(after.spec?.template?.spec?.containers?.[0]?.image).toBe('new');
  });

  it('should validate Replicaset Status endpoints', async () => {
    const { sets } = await replicaSetWorld();
    await sets.create(workload('rs', { replicas: 1 }));
    await sets.until('rs', ({ status }) => status?.readyReplicas === 1);
    await takesStatus(sets, 'rs');
  });

  it('should list and delete a collection of ReplicaSets', async () => {
    const { ns, sets } = await replicaSetWorld();
    const body = workload('rs', { replicas: 3 }) as ReplicaSet;
    const labels = { set: ns.name };
    await sets.create({ ...body, metadata: { ...body.metadata, labels } });
    await sets.until('rs', ({ status }) => status?.readyReplicas === 3);
    const labelSelector = `set=${ns.name}`;
    const everywhere = cluster.of<ReplicaSet>('apps/v1', 'replicasets');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await sets.deleteCollection({ labelSelector }, { propagationPolicy: 'Background' });
    expect((await everywhere.list({ labelSelector })).items).toEqual([]);
  });
});

async function controllerWorld() {
  const ns = await cluster.namespace();
  return { ns, rcs: ns.of<ReplicationController>('v1', 'replicationcontrollers'), pods: ns.of<Pod>('v1', 'pods') };
}

describe.concurrent('[sig-apps] ReplicationController', () => {
  it('should serve a basic image on each replica with a public image', async () => {
    const { rcs, pods } = await controllerWorld();
    await rcs.create(replicationController('rc', { replicas: 2 }));
    const running = await pods.untilList(
      (items) => items.filter(({ status }) => status?.phase === 'Running').length === 2,
    );
    expect(new Set(running.map(({ status }) => status?.podIP)).size).toBe(2);
  });

  it('should adopt matching pods on creation', async () => {
    const { rcs, pods } = await controllerWorld();
    const labels = { name: 'pod-adoption' };
    await pods.create(pod('orphan', unscheduled(), { labels }));
    const template = { metadata: { labels }, spec: unscheduled() };
    await rcs.create({ metadata: { name: 'rc' }, spec: { replicas: 1, selector: labels, template } });
    await pods.until('orphan', ({ metadata }) => metadata.ownerReferences?.[0]?.name === 'rc');
  });

  it('should release no longer matching pods', async () => {
    const { rcs, pods } = await controllerWorld();
    await adoptsAndReleases(rcs, pods, replicationController('owner', { replicas: 1 }));
  });

  it('should surface a failure condition on a common issue like exceeded quota', async () => {
    const { ns, rcs } = await controllerWorld();
    const quotas = ns.of<ResourceQuota>('v1', 'resourcequotas');
    await quotas.create({ metadata: { name: 'quota' }, spec: { hard: { pods: '2' } } });
    await quotas.until('quota', ({ status }) => status?.hard?.['pods'] === '2');
    await rcs.create(replicationController('rc', { replicas: 3 }));
    const failure = ({ status }: ReplicationController) =>
      status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    const failed = await rcs.until('rc', (rc) => failure(rc) !== undefined);
    expect(failure(failed)).toMatchObject({ status: 'True', reason: 'FailedCreate' });
    await rcs.patch('rc', { spec: { replicas: 2 } });
    await rcs.until('rc', (rc) => failure(rc) === undefined);
  });

  it('should get and update a ReplicationController scale', async () => {
    const { rcs } = await controllerWorld();
    await rcs.create(replicationController('rc', { replicas: 1 }));
    await rcs.until('rc', ({ status }) => status?.replicas === 1);
    await scales(rcs, 'rc');
  });

  it('should test the lifecycle of a ReplicationController', async () => {
    const { ns, rcs } = await controllerWorld();
    await rcs.create(replicationController('rc', { replicas: 1 }));
    await rcs.until('rc', ({ status }) => status?.readyReplicas === 1);
    await rcs.patch('rc', { metadata: { labels: { patched: ns.name } } }, { type: 'strategic' });
    const status = { readyReplicas: 0, availableReplicas: 0 };
    const patched = await rcs.patch('rc', { status }, { subresource: 'status' });
    expect(patched.status?.readyReplicas ?? 0).toBe(0);
    await rcs.until('rc', (rc) => rc.status?.readyReplicas === 1);
    await rcs.patch('rc', { spec: { replicas: 2 } }, { subresource: 'scale' });
    await rcs.until('rc', (rc) => rc.status?.readyReplicas === 2);
    const labelSelector = `patched=${ns.name}`;
    const everywhere = cluster.of<ReplicationController>('v1', 'replicationcontrollers');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await rcs.update('rc', (rc) => {
      if (rc.spec) rc.spec.replicas = 3;
    });
    await rcs.until('rc', (rc) => rc.status?.readyReplicas === 3);
    await rcs.deleteCollection({ labelSelector });
    await rcs.untilGone('rc');
  });
});
