/** API operations of resources that nothing acts on, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControllerRevision, DaemonSet } from '../../../src/generated/types/apps.v1.ts';
import type { Lease } from '../../../src/generated/types/coordination.v1.ts';
import type { ConfigMap, Event, PodTemplate, Secret } from '../../../src/generated/types/core.v1.ts';
import { Cluster, refusal } from './cluster.ts';
import { podSpec, workload } from './objects.ts';
import { operations } from './operations.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

describe.concurrent('[sig-node] ConfigMap', () => {
  it('should run through a ConfigMap lifecycle', async () => {
    const ns = await cluster.namespace();
    const maps = ns.of<ConfigMap>('v1', 'configmaps');
    await operations(maps, { data: { valueName: 'value' } }, { data: { valueName: 'value1' } });
  });

  it('should update ConfigMap successfully', async () => {
    const maps = (await cluster.namespace()).of<ConfigMap>('v1', 'configmaps');
    await maps.create({ metadata: { name: 'map' } });
    await maps.update('map', (map) => {
      map.data = { data: 'value' };
    });
    expect((await maps.get('map')).data).toEqual({ data: 'value' });
  });

  it('should fail to create ConfigMap with empty key', async () => {
    const maps = (await cluster.namespace()).of<ConfigMap>('v1', 'configmaps');
    expect(await refusal(maps.create({ metadata: { name: 'map' }, data: { '': 'value' } }))).toMatchObject({
      reason: 'Invalid',
      code: 422,
    });
  });
});

describe.concurrent('[sig-node] Secrets', () => {
  it('should patch a secret', async () => {
    const ns = await cluster.namespace();
    const secrets = ns.of<Secret>('v1', 'secrets');
    const labels = { testsecret: ns.name };
    await secrets.create({ metadata: { name: 'secret', labels }, data: { key: 'dmFsdWU=' }, type: 'Opaque' });
    const everywhere = cluster.of<Secret>('v1', 'secrets');
    const labelSelector = `testsecret=${ns.name}`;
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    const patch = { metadata: { labels: { patched: 'true' } }, data: { key: 'dmFsdWUx' } };
    await secrets.patch('secret', patch, { type: 'strategic' });
    const [found] = (await everywhere.list({ labelSelector: `${labelSelector},patched=true` })).items;
    expect(found?.data).toEqual({ key: 'dmFsdWUx' });
    await secrets.deleteCollection({ labelSelector });
    expect((await everywhere.list({ labelSelector })).items).toEqual([]);
  });

  it('should fail to create secret due to empty secret key', async () => {
    const secrets = (await cluster.namespace()).of<Secret>('v1', 'secrets');
    const refused = await refusal(secrets.create({ metadata: { name: 's' }, data: { '': 'dmFsdWU=' } }));
    expect(refused).toMatchObject({ reason: 'Invalid', code: 422 });
  });
});

describe.concurrent('[sig-storage] Secrets', () => {
  it('should be immutable if `immutable` field is set', async () => {
    const secrets = (await cluster.namespace()).of<Secret>('v1', 'secrets');
    await secrets.create({ metadata: { name: 's' }, data: { key: 'dmFsdWU=' } });
    await secrets.patch('s', { data: { key: 'dmFsdWUx' } });
    await secrets.patch('s', { immutable: true });
    expect((await refusal(secrets.patch('s', { data: { key: 'eA==' } }))).message).toContain(
      'field is immutable when `immutable` is set',
    );
    expect((await refusal(secrets.patch('s', { immutable: false }))).reason).toBe('Invalid');
    await secrets.patch('s', { metadata: { labels: { still: 'possible' } } });
    await secrets.delete('s');
  });
});

describe.concurrent('[sig-storage] ConfigMap', () => {
  it('should be immutable if `immutable` field is set', async () => {
    const maps = (await cluster.namespace()).of<ConfigMap>('v1', 'configmaps');
    await maps.create({ metadata: { name: 'm' }, data: { key: 'value' } });
    await maps.patch('m', { data: { key: 'value1' } });
    await maps.patch('m', { immutable: true });
    expect((await refusal(maps.patch('m', { data: { key: 'value2' } }))).message).toContain(
      'field is immutable when `immutable` is set',
    );
    expect((await refusal(maps.patch('m', { immutable: false }))).reason).toBe('Invalid');
    await maps.patch('m', { metadata: { labels: { still: 'possible' } } });
    await maps.delete('m');
  });
});

const event = (name: string, namespace: string, label: string): object => ({
  metadata: { name, labels: { set: label } },
  message: 'This is a test event',
  reason: 'Test',
  type: 'Normal',
  count: 1,
  involvedObject: { kind: 'Pod', namespace, name: 'pod' },
});

describe.concurrent('[sig-instrumentation] Events', () => {
  it('should manage the lifecycle of an event', async () => {
    const ns = await cluster.namespace();
    const events = ns.of<Event>('v1', 'events');
    await events.create(event('e', ns.name, ns.name));
    const labelSelector = `set=${ns.name}`;
    const everywhere = cluster.of<Event>('v1', 'events');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await events.patch('e', { message: 'This is a test event - patched' }, { type: 'strategic' });
    expect((await events.get('e')).message).toBe('This is a test event - patched');
    const series = { count: 100, lastObservedTime: '2014-02-05T03:04:05.000000Z' };
    await events.update('e', (one) => {
      one.series = series;
    });
    expect((await events.get('e')).series).toEqual(series);
    await events.delete('e');
    expect((await everywhere.list({ labelSelector })).items).toEqual([]);
  });

  it('should delete a collection of events', async () => {
    const ns = await cluster.namespace();
    const events = ns.of<Event>('v1', 'events');
    for (const name of ['a', 'b', 'c']) await events.create(event(name, ns.name, 'one'));
    await events.deleteCollection({ labelSelector: 'set=one' });
    expect((await events.list({ labelSelector: 'set=one' })).items).toEqual([]);
  });
});

const newEvent = (name: string, namespace: string): object => ({
  metadata: { name, labels: { set: 'new' } },
  eventTime: '2017-09-19T13:49:16.000000Z',
  reportingController: 'test-controller',
  reportingInstance: 'test-node',
  action: 'Do',
  reason: 'Test',
  type: 'Normal',
  note: 'This is a test event',
  regarding: { kind: 'Pod', namespace, name: 'pod' },
});

describe.concurrent('[sig-instrumentation] Events API', () => {
  it('should ensure that an event can be fetched, patched, deleted, and listed', async () => {
    const ns = await cluster.namespace();
    type NewEvent = Event & { note?: string };
    const events = ns.of<NewEvent>('events.k8s.io/v1', 'events');
    await events.create(newEvent('e', ns.name));
    const listed = async (query: Record<string, string> = {}) =>
      (await events.list(query)).items.map(({ metadata }) => metadata.name);
    expect(await listed()).toEqual(['e']);
    expect(await listed({ fieldSelector: 'reportingController=test-controller' })).toEqual(['e']);
    const core = await ns.of<Event>('v1', 'events').list({ fieldSelector: 'source=test-controller' });
    expect(core.items.map(({ message }) => message)).toEqual(['This is a test event']);
    await events.patch('e', { series: { count: 2, lastObservedTime: '2014-02-05T03:04:05.000000Z' } });
    expect((await events.get('e')).series?.count).toBe(2);
    await events.update('e', (one) => {
      one.series = { count: 100, lastObservedTime: '2014-02-05T03:04:05.000000Z' };
    });
    expect((await events.get('e')).series?.count).toBe(100);
    await events.delete('e');
    expect(await listed()).toEqual([]);
  });

  it('should delete a collection of events', async () => {
    const ns = await cluster.namespace();
    const events = ns.of<Event>('events.k8s.io/v1', 'events');
    for (const name of ['a', 'b', 'c']) await events.create(newEvent(name, ns.name));
    expect((await events.list({ labelSelector: 'set=new' })).items).toHaveLength(3);
    await events.deleteCollection({ labelSelector: 'set=new' });
    expect((await events.list()).items).toEqual([]);
  });
});

describe.concurrent('[sig-node] Lease', () => {
  it('lease API should be available', async () => {
    const leases = (await cluster.namespace()).of<Lease>('coordination.k8s.io/v1', 'leases');
    const spec = {
      holderIdentity: 'holder',
      leaseDurationSeconds: 30,
      acquireTime: '2026-01-01T00:00:00.123456Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
      leaseTransitions: 0,
    };
    await leases.create({ metadata: { name: 'lease' }, spec });
    expect((await leases.get('lease')).spec).toEqual(spec);
    const renewed = { ...spec, holderIdentity: 'holder2', leaseDurationSeconds: 60, leaseTransitions: 1 };
    await leases.update('lease', (lease) => {
      lease.spec = renewed;
    });
    expect((await leases.get('lease')).spec).toEqual(renewed);
    await leases.patch('lease', { spec: { holderIdentity: 'holder3' } }, { type: 'strategic' });
    expect((await leases.get('lease')).spec).toEqual({ ...renewed, holderIdentity: 'holder3' });
    await leases.create({ metadata: { name: 'lease2', labels: { deletecollection: 'true' } }, spec });
    expect((await leases.list()).items).toHaveLength(2);
    await leases.deleteCollection({ labelSelector: 'deletecollection=true' });
    expect((await leases.list()).items.map(({ metadata }) => metadata.name)).toEqual(['lease']);
    await leases.delete('lease');
    await leases.untilGone('lease');
  });
});

describe.concurrent('[sig-node] PodTemplates', () => {
  const template = { template: { metadata: { labels: { a: 'b' } }, spec: podSpec() } };

  it('should run the lifecycle of PodTemplates', async () => {
    const templates = (await cluster.namespace()).of<PodTemplate>('v1', 'podtemplates');
    const change = { template: { spec: { terminationGracePeriodSeconds: 7 } } };
    await operations(templates, template, change);
  });

  it('should delete a collection of pod templates', async () => {
    const templates = (await cluster.namespace()).of<PodTemplate>('v1', 'podtemplates');
    for (const name of ['a', 'b', 'c'])
      await templates.create({ metadata: { name, labels: { set: 'x' } }, ...template });
    await templates.deleteCollection({ labelSelector: 'set=x' });
    expect((await templates.list()).items).toEqual([]);
  });

  it('should replace a pod template', async () => {
    const templates = (await cluster.namespace()).of<PodTemplate>('v1', 'podtemplates');
    await templates.create({ metadata: { name: 'a' }, ...template });
    const replaced = await templates.update('a', ({ metadata }) => {
      metadata.annotations = { updated: 'true' };
    });
    expect(replaced.metadata.annotations).toEqual({ updated: 'true' });
  });
});

describe.concurrent('[sig-apps] ControllerRevision', () => {
  it('should manage the lifecycle of a ControllerRevision', async () => {
    const ns = await cluster.namespace();
    const revisions = ns.of<ControllerRevision>('apps/v1', 'controllerrevisions');
    await ns.of<DaemonSet>('apps/v1', 'daemonsets').create(workload('ds'));
    const [first] = await revisions.untilList((items) => items.length === 1);
    const { name = '', labels, ownerReferences } = first?.metadata ?? { name: '' };
    expect(ownerReferences?.[0]).toMatchObject({ kind: 'DaemonSet', name: 'ds' });
    const patched = await revisions.patch(name, { metadata: { labels: { [name]: 'patched' } } }, { type: 'strategic' });
    expect(patched.metadata.labels).toEqual({ ...labels, [name]: 'patched' });
    const metadata = { name: 'second', labels, ownerReferences };
    const second = await revisions.create({ metadata, data: first?.data, revision: (first?.revision ?? 0) + 1 });
    expect(second.revision).toBe(2);
    const updated = await revisions.update('second', ({ metadata: { labels: own = {} } }) => {
      own['second'] = 'updated';
    });
    expect(updated.metadata.labels).toMatchObject({ second: 'updated' });
    await revisions.deleteCollection({ labelSelector: `${name}=patched` });
    const everywhere = cluster.of<ControllerRevision>('apps/v1', 'controllerrevisions');
    await everywhere.untilList((items) => !items.some((one) => one.metadata.uid === first?.metadata.uid));
  });
});
