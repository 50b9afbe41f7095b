/** Namespaces and the garbage collector, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../../../src/generated/types/apps.v1.ts';
import type {
  ConfigMap,
  Namespace,
  Pod,
  ReplicationController,
  Service,
} from '../../../src/generated/types/core.v1.ts';
import { Cluster, refusal } from './cluster.ts';
import { ownedBy, pod, podSpec, replicationController, unscheduled, workload } from './objects.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

/** Longer than the collector needs to do what it must not. */
const QUIET_MS = 3000;
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

async function pairOf() {
  const ns = await cluster.namespace();
  const rcs = ns.of<ReplicationController>('v1', 'replicationcontrollers');
  const pods = ns.of<Pod>('v1', 'pods');
  return { ns, rcs, pods };
}

describe.concurrent('[sig-api-machinery] Garbage collector', () => {
  it('should delete pods created by rc when not orphaning', async () => {
    const { rcs, pods } = await pairOf();
    await rcs.create(replicationController('rc', { replicas: 4 }));
    await pods.untilList((items) => items.length === 4);
    await rcs.delete('rc', { propagationPolicy: 'Background' });
    await rcs.untilGone('rc');
    await pods.untilList((items) => items.length === 0);
  });

  it('should orphan pods created by rc if delete options say so', async () => {
    const { rcs, pods } = await pairOf();
    await rcs.create(replicationController('rc', { replicas: 10 }));
    await rcs.until('rc', ({ status }) => status?.replicas === 10);
    await rcs.delete('rc', { propagationPolicy: 'Orphan' });
    await rcs.untilGone('rc');
    await quiet();
    const { items } = await pods.list();
    expect(items).toHaveLength(10);
    expect(items.flatMap(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([]);
  });

  it('should delete RS created by deployment when not orphaning', async () => {
    const ns = await cluster.namespace();
    const deployments = ns.of<Deployment>('apps/v1', 'deployments');
    const sets = ns.of<ReplicaSet>('apps/v1', 'replicasets');
    await deployments.create(workload('web', { replicas: 2 }));
    await sets.untilList((items) => items.length === 1);
    await deployments.delete('web', { propagationPolicy: 'Background' });
    await sets.untilList((items) => items.length === 0);
    await ns.of<Pod>('v1', 'pods').untilList((items) => items.length === 0);
  });

  it('should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan', async () => {
    const ns = await cluster.namespace();
    const deployments = ns.of<Deployment>('apps/v1', 'deployments');
    const sets = ns.of<ReplicaSet>('apps/v1', 'replicasets');
    await deployments.create(workload('web', { replicas: 2 }));
    await sets.untilList((items) => items.length === 1);
    await deployments.delete('web', { propagationPolicy: 'Orphan' });
    await deployments.untilGone('web');
    await quiet();
    const { items } = await sets.list();
    expect(items.map(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([[]]);
  });

  it('should keep the rc around until all its pods are deleted if the deleteOptions says so', async () => {
    const { rcs, pods } = await pairOf();
    await rcs.create(replicationController('rc', { replicas: 5 }));
    const made = await pods.untilList((items) => items.length === 5);
    const last = made[0]?.metadata.name ?? '';
    await pods.patch(last, { metadata: { finalizers: ['example.com/wait'] } });
    await rcs.delete('rc', { propagationPolicy: 'Foreground' });
    await pods.untilList((items) => items.length === 1);
    const rc = await rcs.get('rc');
    expect(rc.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(rc.metadata.deletionTimestamp).toBeDefined();
    await pods.patch(last, { metadata: { finalizers: null } });
    await rcs.untilGone('rc');
    expect((await pods.list()).items).toEqual([]);
  });

  it("should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted", async () => {
    const { rcs, pods } = await pairOf();
    await rcs.create(replicationController('dying', { replicas: 6 }));
    const made = await pods.untilList((items) => items.length === 6);
    // It does not select them, or it would adopt what the other lets go.
    const template = { metadata: { labels: { app: 'stays' } }, spec: podSpec() };
    const stays = await rcs.create(
      replicationController('stays', { replicas: 0, selector: { app: 'stays' }, template }),
    );
    const kept = made.slice(0, 3).map(({ metadata }) => metadata.name);
    for (const name of kept) {
      await pods.update(name, ({ metadata }) => {
        metadata.ownerReferences?.push(ownedBy('ReplicationController', stays) as never);
      });
    }
    await rcs.delete('dying', { propagationPolicy: 'Foreground' });
    await rcs.untilGone('dying');
    const staysAlone = ({ metadata }: Pod): boolean =>
      metadata.ownerReferences?.map(({ name }) => name).join() === 'stays';
    const left = await pods.untilList((items) => items.length <= 3 && items.every(staysAlone));
    expect(left.map(({ metadata }) => metadata.name).sort()).toEqual(kept.sort());
    expect(left.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toEqual([]);
  });

  it('should not be blocked by dependency circle', async () => {
    const { pods } = await pairOf();
    const made = await Promise.all([1, 2, 3].map((i) => pods.create(pod(`pod${i}`, unscheduled()))));
    for (const [i, { metadata }] of made.entries()) {
      const owner = made[(i + 2) % 3];
      if (owner === undefined) throw new Error('no owner');
      const ownerReferences = [ownedBy('Pod', owner, { controller: true, blockOwnerDeletion: true })];
      await pods.patch(metadata.name, { metadata: { ownerReferences } });
    }
    await pods.delete('pod1', { propagationPolicy: 'Foreground' });
    await pods.untilList((items) => items.length === 0);
  });
});

describe.concurrent('[sig-api-machinery] Namespaces', () => {
  const namespaces = () => cluster.of<Namespace>('v1', 'namespaces');

  it('should ensure that all pods are removed when a namespace is deleted', async () => {
    const ns = await cluster.namespace();
    const pods = ns.of<Pod>('v1', 'pods');
    await pods.create(pod('pod'));
    await pods.until('pod', ({ status }) => status?.phase === 'Running');
    await namespaces().delete(ns.name);
    await namespaces().untilGone(ns.name);
    const again = await cluster.namespace(ns.name);
    expect((await again.of<Pod>('v1', 'pods').list()).items).toEqual([]);
  });

  it('should ensure that all services are removed when a namespace is deleted', async () => {
    const ns = await cluster.namespace();
    await ns.of<Service>('v1', 'services').create({ metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    await namespaces().delete(ns.name);
    await namespaces().untilGone(ns.name);
    const again = await cluster.namespace(ns.name);
    expect((await again.of<Service>('v1', 'services').list()).items).toEqual([]);
  });

  it('should patch a Namespace', async () => {
    const { name } = await cluster.namespace();
    await namespaces().patch(name, { metadata: { labels: { testLabel: 'testValue' } } }, { type: 'strategic' });
    expect((await namespaces().get(name)).metadata.labels).toMatchObject({ testLabel: 'testValue' });
  });

  it('should apply changes to a namespace status', async () => {
    const { name } = await cluster.namespace();
    const condition = { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'Patched by a test' };
    const patched = await namespaces().patch(
      name,
      { metadata: { annotations: { patched: 'true' } }, status: { conditions: [condition] } },
      { subresource: 'status' },
    );
    expect(patched.metadata.annotations).toMatchObject({ patched: 'true' });
    expect(patched.status?.conditions).toEqual([expect.objectContaining(condition)]);
    const updated = await namespaces().update(
      name,
      ({ status }) => status?.conditions?.push({ ...condition, type: 'StatusUpdate' }),
      'status',
    );
    expect(updated.status?.conditions?.map(({ type }) => type)).toEqual(['StatusPatch', 'StatusUpdate']);
    expect(updated.status?.phase).toBe('Active');
  });

  it('should apply an update to a Namespace', async () => {
    const { name } = await cluster.namespace();
    await namespaces().update(name, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: name };
    });
    expect((await namespaces().get(name)).metadata.labels).toMatchObject({ updated: name });
  });

  it('should apply a finalizer to a Namespace', async () => {
    const { name } = await cluster.namespace();
    const finalizer = 'e2e.example.com/fakeFinalizer';
    // Of this subresource there is nothing to read; whatever the controller writes meanwhile, it is replaced.
    const finalize = async (finalizers: string[]): Promise<Namespace> => {
      const { metadata, ...namespace } = await namespaces().get(name);
      delete metadata.resourceVersion;
      return namespaces().replace(name, { ...namespace, metadata, spec: { finalizers } }, 'finalize');
    };
    expect((await finalize(['kubernetes', finalizer])).spec?.finalizers).toEqual(['kubernetes', finalizer]);
    await namespaces().delete(name);
    await namespaces().until(name, ({ spec }) => spec?.finalizers?.length === 1);
    await finalize([]);
    await namespaces().untilGone(name);
  });
});

describe.concurrent('[sig-api-machinery] OrderedNamespaceDeletion', () => {
  it('namespace deletion should delete pod first', async () => {
    const ns = await cluster.namespace();
    const namespaces = cluster.of<Namespace>('v1', 'namespaces');
    const pods = ns.of<Pod>('v1', 'pods');
    const maps = ns.of<ConfigMap>('v1', 'configmaps');
    await pods.create(pod('held', undefined, { finalizers: ['e2e.example.com/finalizer'] }));
    await maps.create({ metadata: { name: 'map' }, data: { key: 'value' } });
    await namespaces.delete(ns.name);
    await pods.until('held', ({ metadata }) => metadata.deletionTimestamp !== undefined);
    // The controller has been at it; what there is beside the pods it does not count yet.
    await namespaces.until(ns.name, ({ status }) => status?.conditions !== undefined);
    expect((await maps.get('map')).metadata.deletionTimestamp).toBeUndefined();
    const refused = await refusal(maps.create({ metadata: { name: 'late' } }));
    expect(refused).toMatchObject({ reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await pods.patch('held', { metadata: { finalizers: null } });
    await namespaces.untilGone(ns.name);
  });
});
