/** ResourceQuota and LimitRange, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplicaSet } from '../../../src/generated/types/apps.v1.ts';
import type {
  ConfigMap,
  LimitRange,
  Pod,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
} from '../../../src/generated/types/core.v1.ts';
import { Cluster, refusal, type TestNamespace } from './cluster.ts';
import { pod, replicationController, unscheduled, workload } from './objects.ts';
import type { Resource } from './resource.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

type Amounts = Record<string, string>;

const withResources = (requests: Amounts, limits: Amounts, more: object = {}): object =>
  unscheduled({ containers: [{ name: 'main', image: 'pause', resources: { requests, limits } }], ...more });

class Quotas {
  readonly resource: Resource<ResourceQuota>;

  constructor(namespace: TestNamespace) {
    this.resource = namespace.of<ResourceQuota>('v1', 'resourcequotas');
  }

  /** Makes one and waits until its status counts from nothing. */
  async make(name: string, hard: Amounts, more: object = {}): Promise<void> {
    await this.resource.create({ metadata: { name }, spec: { hard, ...more } });
    await this.resource.until(
      name,
      ({ status }) => Object.keys(status?.hard ?? {}).length === Object.keys(hard).length,
    );
  }

  async used(name: string, amounts: Amounts): Promise<void> {
    await this.resource.until(name, ({ status }) =>
      Object.entries(amounts).every(([resource, amount]) => status?.used?.[resource] === amount),
    );
  }
}

async function namespaceWith(hard: Amounts): Promise<{ ns: TestNamespace; quotas: Quotas }> {
  const ns = await cluster.namespace();
  const quotas = new Quotas(ns);
  await quotas.make('quota', hard);
  return { ns, quotas };
}

describe.concurrent('[sig-api-machinery] ResourceQuota', () => {
  it('should create a ResourceQuota and ensure its status is promptly calculated.', async () => {
    const { quotas } = await namespaceWith({ services: '10', pods: '5', 'count/replicasets.apps': '5' });
    await quotas.used('quota', { services: '0', pods: '0', 'count/replicasets.apps': '0' });
  });

  it('should create a ResourceQuota and capture the life of a service.', async () => {
    const { ns, quotas } = await namespaceWith({
      services: '2',
      'services.nodeports': '1',
      'services.loadbalancers': '1',
    });
    const services = ns.of<Service>('v1', 'services');
    const service = (name: string, type: string): object => ({
      metadata: { name },
      spec: { type, ports: [{ port: 80 }] },
    });
    await services.create(service('a', 'ClusterIP'));
    await services.create(service('b', 'NodePort'));
    const refused = await refusal(services.create(service('c', 'LoadBalancer')));
    expect(refused.reason).toBe('Forbidden');
    expect(refused.message).toContain('exceeded quota: quota');
    await quotas.used('quota', { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' });
    await services.delete('a');
    await services.delete('b');
    await quotas.used('quota', { services: '0', 'services.nodeports': '0' });
  });

  it('should create a ResourceQuota and capture the life of a secret.', async () => {
    const { ns, quotas } = await namespaceWith({ secrets: '1' });
    const secrets = ns.of<Secret>('v1', 'secrets');
    await secrets.create({ metadata: { name: 'a' }, data: { key: 'dmFsdWU=' } });
    await quotas.used('quota', { secrets: '1' });
    await secrets.delete('a');
    await quotas.used('quota', { secrets: '0' });
  });

  it('should create a ResourceQuota and capture the life of a configMap.', async () => {
    const { ns, quotas } = await namespaceWith({ configmaps: '3' });
    const maps = ns.of<ConfigMap>('v1', 'configmaps');
    // Every namespace has kube-root-ca.crt.
    await quotas.used('quota', { configmaps: '1' });
    await maps.create({ metadata: { name: 'a' }, data: { key: 'value' } });
    await quotas.used('quota', { configmaps: '2' });
    await maps.delete('a');
    await quotas.used('quota', { configmaps: '1' });
  });

  it('should create a ResourceQuota and capture the life of a pod.', async () => {
    const { ns, quotas } = await namespaceWith({
      pods: '5',
      'requests.cpu': '1',
      'requests.memory': '500Mi',
      'requests.ephemeral-storage': '50Gi',
      'requests.example.com/dongle': '3',
    });
    const pods = ns.of<Pod>('v1', 'pods');
    const asks = (cpu: string, dongles: string): object =>
      withResources(
        { cpu, memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': dongles },
        { 'example.com/dongle': dongles },
      );
    await pods.create(pod('fits', asks('500m', '2')));
    const used = {
      pods: '1',
      'requests.cpu': '500m',
      'requests.memory': '252Mi',
      'requests.ephemeral-storage': '30Gi',
      'requests.example.com/dongle': '2',
    };
    await quotas.used('quota', used);
    expect((await refusal(pods.create(pod('much-cpu', asks('600m', '1'))))).reason).toBe('Forbidden');
    expect((await refusal(pods.create(pod('much-else', asks('1m', '2'))))).reason).toBe('Forbidden');
    await pods.patch('fits', { metadata: { annotations: { key: 'value' } } });
    await quotas.used('quota', used);
    await pods.delete('fits', { gracePeriodSeconds: 0 });
    await quotas.used('quota', { pods: '0', 'requests.cpu': '0', 'requests.example.com/dongle': '0' });
  });

  it('should create a ResourceQuota and capture the life of a replication controller.', async () => {
    const { ns, quotas } = await namespaceWith({ replicationcontrollers: '1' });
    const rcs = ns.of<ReplicationController>('v1', 'replicationcontrollers');
    await rcs.create(replicationController('rc', { replicas: 0 }));
    await quotas.used('quota', { replicationcontrollers: '1' });
    await rcs.delete('rc', { propagationPolicy: 'Orphan' });
    await quotas.used('quota', { replicationcontrollers: '0' });
  });

  it('should create a ResourceQuota and capture the life of a replica set.', async () => {
    const { ns, quotas } = await namespaceWith({ 'count/replicasets.apps': '1' });
    const sets = ns.of<ReplicaSet>('apps/v1', 'replicasets');
    await sets.create(workload('rs', { replicas: 0 }));
    await quotas.used('quota', { 'count/replicasets.apps': '1' });
    await sets.delete('rs', { propagationPolicy: 'Background' });
    await quotas.used('quota', { 'count/replicasets.apps': '0' });
  });

  it('should verify ResourceQuota with terminating scopes.', async () => {
    const ns = await cluster.namespace();
    const quotas = new Quotas(ns);
    const pods = ns.of<Pod>('v1', 'pods');
    const hard = {
      pods: '5',
      'requests.cpu': '1',
      'requests.memory': '500Mi',
      'limits.cpu': '2',
      'limits.memory': '1Gi',
    };
    await quotas.make('terminating', hard, { scopes: ['Terminating'] });
    await quotas.make('long', hard, { scopes: ['NotTerminating'] });
    const asks = (more: object): object =>
      withResources({ cpu: '500m', memory: '200Mi' }, { cpu: '1', memory: '400Mi' }, more);
    const one = {
      pods: '1',
      'requests.cpu': '500m',
      'requests.memory': '200Mi',
      'limits.cpu': '1',
      'limits.memory': '400Mi',
    };
    const none = { pods: '0', 'requests.cpu': '0', 'requests.memory': '0', 'limits.cpu': '0', 'limits.memory': '0' };
    for (const [name, more, mine, other] of [
      ['runs-on', {}, 'long', 'terminating'],
      ['ends', { activeDeadlineSeconds: 3600 }, 'terminating', 'long'],
    ] as const) {
      await pods.create(pod(name, asks(more)));
      await quotas.used(mine, one);
      await quotas.used(other, none);
      await pods.delete(name, { gracePeriodSeconds: 0 });
      await quotas.used(mine, none);
    }
  });

  it('should verify ResourceQuota with best effort scope.', async () => {
    const ns = await cluster.namespace();
    const quotas = new Quotas(ns);
    const pods = ns.of<Pod>('v1', 'pods');
    await quotas.make('best-effort', { pods: '5' }, { scopes: ['BestEffort'] });
    await quotas.make('other', { pods: '5' }, { scopes: ['NotBestEffort'] });
    for (const [name, spec, mine, other] of [
      ['best', unscheduled(), 'best-effort', 'other'],
      [
        'burstable',
        withResources({ cpu: '500m', memory: '200Mi' }, { cpu: '1', memory: '400Mi' }),
        'other',
        'best-effort',
      ],
    ] as const) {
      await pods.create(pod(name, spec));
      await quotas.used(mine, { pods: '1' });
      await quotas.used(other, { pods: '0' });
      await pods.delete(name, { gracePeriodSeconds: 0 });
      await quotas.used(mine, { pods: '0' });
    }
  });

  it('should be able to update and delete ResourceQuota.', async () => {
    const { resource } = new Quotas(await cluster.namespace());
    await resource.create({ metadata: { name: 'quota' }, spec: { hard: { cpu: '1', memory: '500Mi' } } });
    await resource.update('quota', (quota) => {
      quota.spec = { hard: { cpu: '2', memory: '1Gi' } };
    });
    expect((await resource.get('quota')).spec?.hard).toEqual({ cpu: '2', memory: '1Gi' });
    await resource.delete('quota');
    await resource.untilGone('quota');
  });

  it('should manage the lifecycle of a ResourceQuota', async () => {
    const ns = await cluster.namespace();
    const { resource } = new Quotas(ns);
    const labels = { life: ns.name };
    const labelSelector = `life=${ns.name}`;
    await resource.create({ metadata: { name: 'quota', labels }, spec: { hard: { cpu: '1', memory: '500Mi' } } });
    const everywhere = cluster.of<ResourceQuota>('v1', 'resourcequotas');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    const patch = { metadata: { labels: { quota: 'patched' } }, spec: { hard: { memory: '750Mi' } } };
    await resource.patch('quota', patch, { type: 'strategic' });
    expect((await resource.get('quota')).spec?.hard).toEqual({ cpu: '1', memory: '750Mi' });
    await resource.deleteCollection({ labelSelector: 'quota=patched' });
    await resource.untilGone('quota');
  });

  it('should apply changes to a resourcequota status', async () => {
    const ns = await cluster.namespace();
    const quotas = new Quotas(ns);
    await quotas.make('quota', { cpu: '500m', memory: '500Mi' });
    const patch = { metadata: { labels: { 'e2e-patched': 'true' } }, spec: { hard: { cpu: '1', memory: '1Gi' } } };
    await quotas.resource.patch('quota', patch);
    await quotas.resource.until('quota', ({ status }) => status?.hard?.['cpu'] === '1');
    const changed = await quotas.resource.patch(
      'quota',
      { status: { hard: { cpu: '1500m', memory: '1.5Gi' } } },
      { subresource: 'status' },
    );
    expect(changed.status?.hard?.['cpu']).toBe('1500m');
    expect(changed.spec?.hard?.['cpu']).toBe('1');
    await quotas.resource.until('quota', ({ status }) => status?.hard?.['cpu'] === '1');
    const { status } = await quotas.resource.update(
      'quota',
      (quota) => {
        if (quota.status) quota.status.hard = { cpu: '2', memory: '2Gi' };
      },
      'status',
    );
    expect(status?.hard?.['cpu']).toBe('2');
    await quotas.resource.until('quota', (quota) => quota.status?.hard?.['cpu'] === '1');
  });
});

describe.concurrent('[sig-scheduling] LimitRange', () => {
  const limits = {
    limits: [
      {
        type: 'Container',
        min: { cpu: '50m', memory: '100Mi', 'ephemeral-storage': '100Gi' },
        max: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
        default: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
        defaultRequest: { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' },
      },
    ],
  };

  it('should create a LimitRange with defaults and ensure pod has those defaults applied.', async () => {
    const ns = await cluster.namespace();
    const ranges = ns.of<LimitRange>('v1', 'limitranges');
    const pods = ns.of<Pod>('v1', 'pods');
    await ranges.create({ metadata: { name: 'range' }, spec: limits });
    const plain = await pods.create(pod('plain', unscheduled()));
    expect(plain.spec?.containers?.[0]?.resources).toEqual({
      requests: { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' },
      limits: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
    });
    const own = await pods.create(pod('own', withResources({ cpu: '300m' }, { memory: '300Mi' })));
    expect(own.spec?.containers?.[0]?.resources).toEqual({
      requests: { cpu: '300m', memory: '300Mi', 'ephemeral-storage': '200Gi' },
      limits: { cpu: '500m', memory: '300Mi', 'ephemeral-storage': '500Gi' },
    });
    const low = await refusal(pods.create(pod('low', withResources({ cpu: '10m', memory: '50Mi' }, {}))));
    expect(low.message).toContain('minimum cpu usage per Container is 50m, but request is 10m');
    const high = await refusal(pods.create(pod('high', withResources({}, { cpu: '600m', memory: '600Mi' }))));
    expect(high.message).toContain('maximum cpu usage per Container is 500m, but limit is 600m');
    await ranges.update('range', ({ spec }) => {
      const [limit] = spec?.limits ?? [];
      if (limit) limit.min = { cpu: '9m', memory: '49Mi' };
    });
    await pods.create(pod('low', withResources({ cpu: '10m', memory: '50Mi' }, {})));
    await ranges.delete('range');
    await ranges.untilGone('range');
    await pods.create(pod('high', withResources({}, { cpu: '600m', memory: '600Mi' })));
  });

  it('should list, patch and delete a LimitRange by collection', async () => {
    const names = [await cluster.namespace(), await cluster.namespace()];
    const label = names[0]?.name ?? '';
    const labelSelector = `range=${label}`;
    for (const ns of names) {
      const metadata = { name: 'range', labels: { range: label } };
      await ns.of<LimitRange>('v1', 'limitranges').create({ metadata, spec: limits });
    }
    const everywhere = cluster.of<LimitRange>('v1', 'limitranges');
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(2);
    const ranges = names[0]?.of<LimitRange>('v1', 'limitranges');
    const patch = {
      metadata: { labels: { patched: 'yes' } },
      spec: { limits: [{ type: 'Container', min: { cpu: '40m' } }] },
    };
    const patched = await ranges?.patch('range', patch, { type: 'strategic' });
    expect(patched?.spec?.limits?.[0]?.min).toEqual({ cpu: '40m' });
    await ranges?.deleteCollection({ labelSelector });
    await everywhere.untilList((items) => items.length === 1, { labelSelector });
  });
});
