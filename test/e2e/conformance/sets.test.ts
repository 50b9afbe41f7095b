/** StatefulSets and DaemonSets, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControllerRevision, DaemonSet, StatefulSet } from '../../../src/generated/types/apps.v1.ts';
import type { Node, Pod, Service } from '../../../src/generated/types/core.v1.ts';
import { Cluster } from './cluster.ts';
import { podSpec, workload } from './objects.ts';
import type { Resource } from './resource.ts';
import { takesStatus } from './takes-status.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const imagePatch = (image: string) => ({
  spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
});
const imageOf = (one: Pod): string | undefined => one.spec?.containers?.[0]?.image;
const names = (pods: Pod[]): string[] => pods.map(({ metadata }) => metadata.name).sort();

async function statefulSetWorld(more: object = {}, spec: object = podSpec()) {
  const ns = await cluster.namespace();
  await ns.of<Service>('v1', 'services').create({ metadata: { name: 'test' }, spec: { clusterIP: 'None' } });
  const sets = ns.of<StatefulSet>('apps/v1', 'statefulsets');
  const pods = ns.of<Pod>('v1', 'pods');
  await sets.create(workload('ss', { serviceName: 'test', replicas: 3, ...more }, spec));
  return { ns, sets, pods };
}

const ready =
  (replicas: number) =>
  ({ status, metadata }: StatefulSet): boolean =>
    status?.observedGeneration === metadata.generation && status?.readyReplicas === replicas;

const updated = ({ metadata, spec, status }: StatefulSet): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.updateRevision === status?.currentRevision &&
  status?.readyReplicas === spec?.replicas;

/** What a kubelet says of a pod whose readiness probe fails, or succeeds. */
async function setReady(pods: Resource<Pod>, name: string, isReady: boolean): Promise<void> {
  const status = isReady ? 'True' : 'False';
  const conditions = [
    { type: 'Ready', status },
    { type: 'ContainersReady', status },
  ];
  await pods.patch(name, { status: { conditions } }, { type: 'strategic', subresource: 'status' });
}

/** Longer than a controller needs to do what it must not. */
const QUIET_MS = 2000;
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

describe.concurrent('[sig-apps] StatefulSet Basic StatefulSet functionality', () => {
  it('Scaling should happen in predictable order and halt if any stateful pod is unhealthy', async () => {
    const { sets, pods } = await statefulSetWorld({ replicas: 1 });
    const { metadata } = await pods.list();
    await sets.until('ss', ready(1));
    await setReady(pods, 'ss-0', false);
    await sets.until('ss', ({ status }) => (status?.readyReplicas ?? 0) === 0);
    await sets.patch('ss', { spec: { replicas: 3 } });
    await quiet();
    expect(names((await pods.list()).items)).toEqual(['ss-0']);
    await setReady(pods, 'ss-0', true);
    await sets.until('ss', ready(3));
    const all = ['ss-0', 'ss-1', 'ss-2'];
    for (const name of all) await setReady(pods, name, false);
    await sets.until('ss', ({ status }) => (status?.readyReplicas ?? 0) === 0);
    await sets.patch('ss', { spec: { replicas: 0 } });
    await quiet();
    expect(names((await pods.list()).items)).toEqual(all);
    // The first unhealthy one may go: nothing else waits for it.
    for (const name of ['ss-2', 'ss-1']) await setReady(pods, name, true);
    const events = await pods.watch({ resourceVersion: metadata.resourceVersion }, (seen) => {
      return seen.filter(({ type }) => type === 'DELETED').length === 3;
    });
    const order = (wanted: string): string[] =>
      events.filter(({ type }) => type === wanted).map(({ object }) => object.metadata.name);
    expect(order('DELETED')).toEqual(['ss-2', 'ss-1', 'ss-0']);
    expect(order('ADDED').slice(-2)).toEqual(['ss-1', 'ss-2']);
  });

  it('Burst scaling should run to completion even with unhealthy pods', async () => {
    const { sets, pods } = await statefulSetWorld({ replicas: 1, podManagementPolicy: 'Parallel' });
    await sets.until('ss', ready(1));
    await setReady(pods, 'ss-0', false);
    await sets.patch('ss', { spec: { replicas: 3 } });
    await sets.until('ss', ({ status }) => status?.replicas === 3 && status?.readyReplicas === 2);
    await sets.patch('ss', { spec: { replicas: 0 } });
    await pods.untilList((items) => items.length === 0);
  });

  it('should perform rolling updates and roll backs of template modifications', async () => {
    const { sets, pods } = await statefulSetWorld();
    const before = await sets.until('ss', updated);
    const { metadata } = await pods.list();
    await sets.patch('ss', imagePatch('new'), { type: 'strategic' });
    const after = await sets.until('ss', updated);
    expect(after.status?.currentRevision).not.toBe(before.status?.currentRevision);
    expect((await pods.list()).items.map(imageOf)).toEqual(['new', 'new', 'new']);
    const events = await pods.watch({ resourceVersion: metadata.resourceVersion }, (seen) => {
      return seen.filter(({ type }) => type === 'DELETED').length === 3;
    });
    const gone = events.filter(({ type }) => type === 'DELETED').map(({ object }) => object.metadata.name);
    expect(gone).toEqual(['ss-2', 'ss-1', 'ss-0']);
    await sets.patch('ss', imagePatch('registry.k8s.io/pause:3.10'), { type: 'strategic' });
    const back = await sets.until(
      'ss',
      (set) => updated(set) && set.status?.currentRevision !== after.status?.currentRevision,
    );
    expect(back.status?.currentRevision).toBe(before.status?.currentRevision);
  });

  it('should perform canary updates and phased rolling updates of template modifications', async () => {
    const { sets, pods } = await statefulSetWorld({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } },
    });
    await sets.until('ss', ready(3));
    await sets.patch('ss', imagePatch('new'), { type: 'strategic' });
    const images = async (): Promise<(string | undefined)[]> => {
      const { items } = await pods.list();
      return items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(imageOf);
    };
    const OLD = 'registry.k8s.io/pause:3.10';
    const { status } = await sets.until('ss', (set) => set.status?.updateRevision !== set.status?.currentRevision);
    await quiet();
    expect(await images()).toEqual([OLD, OLD, OLD]);
    const partition = (value: number) => ({ spec: { updateStrategy: { rollingUpdate: { partition: value } } } });
    await sets.patch('ss', partition(2));
    await sets.until('ss', (set) => set.status?.updatedReplicas === 1 && ready(3)(set));
    expect(await images()).toEqual([OLD, OLD, 'new']);
    // Pods come back in their own revision.
    await pods.delete('ss-0');
    await pods.delete('ss-2');
    await sets.until('ss', (set) => set.status?.updatedReplicas === 1 && ready(3)(set));
    await pods.untilList((items) => items.length === 3);
    expect(await images()).toEqual([OLD, OLD, 'new']);
    await sets.patch('ss', partition(1));
    await sets.until('ss', (set) => set.status?.updatedReplicas === 2 && ready(3)(set));
    expect(await images()).toEqual([OLD, 'new', 'new']);
    await sets.patch('ss', partition(0));
    await sets.until('ss', (set) => updated(set) && set.status?.currentRevision === status?.updateRevision);
    expect(await images()).toEqual(['new', 'new', 'new']);
  });

  it('Should recreate evicted statefulset', async () => {
    const { ns, sets, pods } = await statefulSetWorld({ replicas: 1 }, podSpec({ nodeName: 'sim-1' }));
    await sets.until('ss', ready(1));
    const { metadata } = await pods.get('ss-0');
    await pods.patch('ss-0', { status: { phase: 'Failed', reason: 'Evicted' } }, { subresource: 'status' });
    await pods.until('ss-0', (one) => one.metadata.uid !== metadata.uid && one.status?.phase === 'Running');
    await ns.of<StatefulSet>('apps/v1', 'statefulsets').until('ss', ready(1));
  });

  it('should have a working scale subresource', async () => {
    const { sets } = await statefulSetWorld({ replicas: 1 });
    await sets.until('ss', ready(1));
    expect((await sets.get('ss', 'scale')).spec?.replicas).toBe(1);
    await sets.update(
      'ss',
      ({ spec }) => {
        if (spec) spec.replicas = 2;
      },
      'scale',
    );
    expect((await sets.get('ss')).spec?.replicas).toBe(2);
    await sets.patch('ss', { spec: { replicas: 4 } }, { type: 'strategic', subresource: 'scale' });
    await sets.until('ss', ready(4));
  });

  it('should list, patch and delete a collection of StatefulSets', async () => {
    const { ns, sets } = await statefulSetWorld({ replicas: 1 });
    await sets.until('ss', ready(1));
    const patch = { metadata: { labels: { patched: ns.name } }, spec: { replicas: 2, ...imagePatch('new').spec } };
    await sets.patch('ss', patch, { type: 'strategic' });
    await sets.until('ss', (set) => updated(set) && set.status?.readyReplicas === 2);
    const labelSelector = `patched=${ns.name}`;
    const everywhere = cluster.of<StatefulSet>('apps/v1', 'statefulsets');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await sets.deleteCollection({ labelSelector });
    await sets.untilGone('ss');
  });

  it('should validate Statefulset Status endpoints', async () => {
    const { sets } = await statefulSetWorld({ replicas: 1 });
    await sets.until('ss', ready(1));
    await takesStatus(sets, 'ss');
  });
});

async function daemonSetWorld(more: object = {}, spec: object = podSpec()) {
  const ns = await cluster.namespace();
  const sets = ns.of<DaemonSet>('apps/v1', 'daemonsets');
  const pods = ns.of<Pod>('v1', 'pods');
  await sets.create(workload('ds', more, spec));
  return { ns, sets, pods };
}

const everywhereReady = ({ metadata, status }: DaemonSet): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.numberReady === 3 &&
  status?.updatedNumberScheduled === 3;

describe.concurrent('[sig-apps] Daemon set', () => {
  it('should run and stop simple daemon', async () => {
    const { sets, pods } = await daemonSetWorld();
    await sets.until('ds', everywhereReady);
    const { items } = await pods.list();
    expect(items.map(({ spec }) => spec?.nodeName).sort()).toEqual(['sim-1', 'sim-2', 'sim-3']);
    await pods.delete(items[0]?.metadata.name ?? '');
    await pods.untilList((now) => now.length === 3 && !names(now).includes(items[0]?.metadata.name ?? ''));
    await sets.until('ds', everywhereReady);
    await sets.delete('ds', { propagationPolicy: 'Background' });
    await pods.untilList((now) => now.length === 0);
  });

  it('should run and stop complex daemon', async () => {
    const nodes = cluster.of<Node>('v1', 'nodes');
    const { ns, sets, pods } = await daemonSetWorld({}, podSpec({ nodeSelector: { color: 'blue' } }));
    const color = ns.name;
    const selector = (value: string) => ({ spec: { template: { spec: { nodeSelector: { color: value } } } } });
    await sets.patch('ds', selector(color));
    const onNodes = (count: number) => (set: DaemonSet) =>
      set.status?.observedGeneration === set.metadata.generation && (set.status?.numberReady ?? 0) === count;
    await sets.until('ds', onNodes(0));
    await nodes.patch('sim-1', { metadata: { labels: { color } } });
    await pods.untilList((items) => items.length === 1 && items[0]?.spec?.nodeName === 'sim-1');
    await nodes.patch('sim-1', { metadata: { labels: { color: 'green' } } });
    await pods.untilList((items) => items.length === 0);
    await sets.patch('ds', { spec: { ...selector('green').spec, updateStrategy: { type: 'RollingUpdate' } } });
    await pods.untilList((items) => items.length === 1);
    await sets.until('ds', onNodes(1));
    await nodes.patch('sim-1', { metadata: { labels: { color: null } } });
  });

  it('should retry creating failed daemon pods', async () => {
    const { sets, pods } = await daemonSetWorld();
    await sets.until('ds', everywhereReady);
    const [{ metadata } = { metadata: { name: '' } }] = (await pods.list()).items;
    await pods.patch(metadata.name, { status: { phase: 'Failed' } }, { subresource: 'status' });
    await pods.untilGone(metadata.name);
    await pods.untilList((items) => items.length === 3);
    await sets.until('ds', everywhereReady);
  });

  it('should update pod when spec was updated and update strategy is RollingUpdate', async () => {
    const { ns, sets, pods } = await daemonSetWorld({ updateStrategy: { type: 'RollingUpdate' } });
    await sets.until('ds', everywhereReady);
    const revisions = ns.of<ControllerRevision>('apps/v1', 'controllerrevisions');
    expect((await revisions.list()).items.map(({ revision }) => revision)).toEqual([1]);
    await sets.patch('ds', imagePatch('new'), { type: 'strategic' });
    await pods.untilList((items) => items.length === 3 && items.every((one) => imageOf(one) === 'new'));
    await sets.until('ds', everywhereReady);
    const all = (await revisions.list()).items;
    expect(all.map(({ revision }) => revision).sort()).toEqual([1, 2]);
    const hash = all.find(({ revision }) => revision === 2)?.metadata.labels?.['controller-revision-hash'];
    const ofPods = (await pods.list()).items.map(({ metadata }) => metadata.labels?.['controller-revision-hash']);
    expect(ofPods).toEqual([hash, hash, hash]);
  });

  it('should rollback without unnecessary restarts', async () => {
    const { sets, pods } = await daemonSetWorld({ updateStrategy: { type: 'RollingUpdate' } });
    await sets.until('ds', everywhereReady);
    const before = (await pods.list()).items;
    // No node takes pods of the new template: one pod is lost, and the rollout stands still.
    await sets.patch('ds', { spec: { template: { spec: { schedulerName: 'nobody' } } } });
    await pods.untilList((items) => items.some(({ spec }) => spec?.schedulerName === 'nobody'));
    const kept = (await pods.list()).items.filter(({ spec }) => spec?.schedulerName !== 'nobody');
    expect(kept).toHaveLength(2);
    await sets.patch('ds', { spec: { template: { spec: { schedulerName: 'default-scheduler' } } } });
    await sets.until('ds', everywhereReady);
    const after = (await pods.list()).items;
    expect(names(before)).toEqual(expect.arrayContaining(names(kept)));
    expect(names(after)).toEqual(expect.arrayContaining(names(kept)));
    expect(after.flatMap(({ metadata }) => metadata.uid)).toEqual(
      expect.arrayContaining(kept.map((one) => one.metadata.uid)),
    );
  });

  it('should list and delete a collection of DaemonSets', async () => {
    const ns = await cluster.namespace();
    const sets = ns.of<DaemonSet>('apps/v1', 'daemonsets');
    const body = workload('ds') as DaemonSet;
    const labels = { set: ns.name };
    await sets.create({ ...body, metadata: { ...body.metadata, labels } });
    await sets.until('ds', everywhereReady);
    const labelSelector = `set=${ns.name}`;
    const everywhere = cluster.of<DaemonSet>('apps/v1', 'daemonsets');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await sets.deleteCollection({ labelSelector });
    expect((await everywhere.list({ labelSelector })).items).toEqual([]);
  });

  it('should verify changes to a daemon set status', async () => {
    const { sets } = await daemonSetWorld();
    await sets.until('ds', everywhereReady);
    await takesStatus(sets, 'ds');
  });
});
