/** ResourceQuotas: what objects use, whom quotas concern, what admission says, and what the controller counts. */
import { describe, expect, it } from 'vitest';
import { charge, type Demand } from '../../src/api/admission/resource-quota/charge.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { resourceQuotaController } from '../../src/controllers/resource-quota/index.ts';
import type { ResourceQuota } from '../../src/generated/types/core.v1.ts';
import { evaluatorFor } from '../../src/resources/quota/index.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

interface Loose {
  metadata?: object;
  spec?: object;
  status?: object;
}

function measure(resource: string, object: Loose, group = '') {
  return evaluatorFor({ group, resource }).measure({ metadata: { name: 'x' }, ...object } as never, NOW);
}

const container = (requests: object = {}, limits: object = {}, more: object = {}) => ({
  name: 'c',
  resources: { requests, limits },
  ...more,
});
const podOf = (...containers: object[]): Loose => ({ spec: { containers } });

describe('what objects use of quotas', () => {
  it.each<[string, Loose, Record<string, string>]>([
    ['a pod without requests', podOf(container()), { 'count/pods': '1', pods: '1' }],
    [
      'requests and limits of all containers',
      podOf(
        container({ cpu: '100m', memory: '1Gi' }, { cpu: '1' }),
        container({ cpu: '400m', 'ephemeral-storage': '1Gi' }),
      ),
      {
        'count/pods': '1',
        pods: '1',
        cpu: '500m',
        'requests.cpu': '500m',
        'limits.cpu': '1',
        memory: '1Gi',
        'requests.memory': '1Gi',
        'ephemeral-storage': '1Gi',
        'requests.ephemeral-storage': '1Gi',
      },
    ],
    [
      'the peak of an init container, with the sidecar before it',
      {
        spec: {
          initContainers: [container({ cpu: '1' }, {}, { restartPolicy: 'Always' }), container({ cpu: '3' })],
          containers: [container({ cpu: '2' })],
        },
      },
      { 'count/pods': '1', pods: '1', cpu: '4', 'requests.cpu': '4' },
    ],
    [
      'overhead, and what the pod as a whole says',
      {
        spec: {
          ...podOf(container({ cpu: '1' })).spec,
          resources: { requests: { cpu: '2' } },
          overhead: { cpu: '100m' },
        },
      },
      { 'count/pods': '1', pods: '1', cpu: '2100m', 'requests.cpu': '2100m' },
    ],
    [
      'extended resources and huge pages',
      podOf(container({ 'nvidia.com/gpu': '2', 'hugepages-2Mi': '4Mi' }, { 'nvidia.com/gpu': '2' })),
      {
        'count/pods': '1',
        pods: '1',
        'requests.nvidia.com/gpu': '2',
        'hugepages-2Mi': '4Mi',
        'requests.hugepages-2Mi': '4Mi',
      },
    ],
    ['a pod that has ended', { ...podOf(container({ cpu: '1' })), status: { phase: 'Failed' } }, { 'count/pods': '1' }],
    [
      'a pod that should have been gone for long',
      {
        ...podOf(container({ cpu: '1' })),
        metadata: { name: 'x', deletionTimestamp: '2025-12-31T23:00:00Z', deletionGracePeriodSeconds: 30 },
      },
      { 'count/pods': '1' },
    ],
    [
      'what a container still has while it is being resized',
      {
        ...podOf(container({ cpu: '1' })),
        status: { containerStatuses: [{ name: 'c', resources: { requests: { cpu: '2' } } }] },
      },
      { 'count/pods': '1', pods: '1', cpu: '2', 'requests.cpu': '2' },
    ],
  ])('pods: %s', (_, pod, usage) => {
    expect(measure('pods', pod).usage).toEqual(usage);
  });

  it.each<[string, Loose['spec'], string, string]>([
    ['ClusterIP', { type: 'ClusterIP', ports: [{}, {}] }, '0', '0'],
    ['NodePort', { type: 'NodePort', ports: [{}, {}] }, '0', '2'],
    ['LoadBalancer', { type: 'LoadBalancer', ports: [{}] }, '1', '1'],
    [
      'LoadBalancer without ports of nodes',
      { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{}, { nodePort: 30001 }] },
      '1',
      '1',
    ],
  ])('services: %s', (_, spec = {}, balancers, ports) => {
    const { usage } = measure('services', { spec });
    expect(usage).toEqual({
      'count/services': '1',
      services: '1',
      'services.loadbalancers': balancers,
      'services.nodeports': ports,
    });
  });

  it('claims, by their class too, in whole bytes', () => {
    const spec = { storageClassName: 'gold', resources: { requests: { storage: '1.5' } } };
    const status = { allocatedResources: { storage: '3' } };
    expect(measure('persistentvolumeclaims', { spec, status }).usage).toEqual({
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'requests.storage': '3',
      'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'gold.storageclass.storage.k8s.io/requests.storage': '3',
    });
  });

  it('devices by class, of alternatives the most', () => {
    const requests = [
      { exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
      {
        firstAvailable: [
          { deviceClassName: 'gpu', count: 3 },
          { deviceClassName: 'nic', count: 1 },
          { deviceClassName: 'gpu', count: 1 },
        ],
      },
      { exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
    ];
    expect(measure('resourceclaims', { spec: { devices: { requests } } }, 'resource.k8s.io').usage).toEqual({
      'count/resourceclaims.resource.k8s.io': '1',
      'gpu.deviceclass.resource.k8s.io/devices': '5',
      'nic.deviceclass.resource.k8s.io/devices': '33',
    });
  });

  it('everything else by number', () => {
    expect(measure('deployments', {}, 'apps').usage).toEqual({ 'count/deployments.apps': '1' });
    expect(measure('secrets', {}).usage).toEqual({ 'count/secrets': '1', secrets: '1' });
  });
});

const quota = (
  name: string,
  hard: Record<string, string>,
  used: Record<string, string>,
  spec: object = {},
): ResourceQuota => ({
  metadata: { name, namespace: 'ns' },
  spec: { hard, ...spec },
  status: { hard, used },
});

const demand = (resource: string, object: Loose, old?: Loose): Demand => ({
  group: '',
  resource,
  name: 'x',
  measured: measure(resource, object),
  ...(old === undefined ? {} : { previous: measure(resource, old) }),
});

/** What the quotas have used afterwards, or why they refuse. */
function outcome(quotas: ResourceQuota[], wanted: Demand): unknown {
  try {
    return Object.fromEntries(charge(quotas, wanted).map(({ metadata, status }) => [metadata.name, status?.used]));
  } catch (error) {
    return (error as Error).message;
  }
}

describe('what admission says', () => {
  const pod = podOf(container({ cpu: '500m' }, { cpu: '1' }));
  const claim = (storage: string): Loose => ({ spec: { resources: { requests: { storage } } } });

  it.each<[string, ResourceQuota[], Demand, unknown]>([
    [
      'takes what it needs',
      [quota('q', { pods: '2', cpu: '1' }, { pods: '1', cpu: '250m' })],
      demand('pods', pod),
      { q: { pods: '2', cpu: '750m' } },
    ],
    [
      'says what is too much, and nothing else',
      [quota('q', { pods: '2', cpu: '600m', 'limits.cpu': '1' }, { pods: '1', cpu: '250m', 'limits.cpu': '250m' })],
      demand('pods', pod),
      'pods "x" is forbidden: exceeded quota: q, requested: cpu=500m,limits.cpu=1, used: cpu=250m,limits.cpu=250m, limited: cpu=600m,limits.cpu=1',
    ],
    [
      'wants said what it limits',
      [quota('q', { cpu: '1', 'limits.memory': '1Gi', pods: '9' }, { cpu: '0', 'limits.memory': '0', pods: '0' })],
      demand('pods', podOf(container(), { name: 'b', resources: { limits: { memory: '1' } } })),
      'pods "x" is forbidden: failed quota: q: must specify cpu for: b,c; limits.memory for: c',
    ],
    [
      'does not want it of pods that speak for all of their containers',
      [quota('q', { cpu: '1' }, { cpu: '0' })],
      demand('pods', { spec: { ...podOf(container()).spec, resources: { requests: { cpu: '1' } } } }),
      { q: { cpu: '1' } },
    ],
    [
      'does not go by what was never counted',
      [quota('q', { pods: '1', cpu: '1' }, { pods: '0' })],
      demand('pods', pod),
      'pods "x" is forbidden: status unknown for quota: q, resources: cpu,pods',
    ],
    [
      'is not concerned by what is no pod’s',
      [quota('q', { services: '0' }, { services: '0' })],
      demand('pods', pod),
      {},
    ],
    [
      'waits for the controller to say what is limited',
      [{ ...quota('q', {}, {}), spec: { hard: { pods: '0' } }, status: {} }],
      demand('pods', pod),
      {},
    ],
    [
      'is charged for growth alone',
      [
        quota(
          'q',
          { 'requests.storage': '3Gi', persistentvolumeclaims: '1' },
          { 'requests.storage': '1Gi', persistentvolumeclaims: '1' },
        ),
      ],
      demand('persistentvolumeclaims', claim('2Gi'), claim('1Gi')),
      { q: { 'requests.storage': '2Gi', persistentvolumeclaims: '1' } },
    ],
    [
      'refuses growth',
      [quota('q', { 'requests.storage': '3Gi' }, { 'requests.storage': '1Gi' })],
      demand('persistentvolumeclaims', claim('5Gi'), claim('1Gi')),
      'persistentvolumeclaims "x" is forbidden: exceeded quota: q, requested: requests.storage=4Gi, used: requests.storage=1Gi, limited: requests.storage=3Gi',
    ],
    [
      'lets shrink though the quota is exceeded',
      [quota('q', { 'requests.storage': '1Gi' }, { 'requests.storage': '9Gi' })],
      demand('persistentvolumeclaims', claim('1Gi'), claim('2Gi')),
      {},
    ],
    [
      'charges a quota in whose scope the object was not before',
      [quota('q', { 'requests.storage': '9Gi' }, { 'requests.storage': '0' }, { scopes: ['VolumeAttributesClass'] })],
      demand(
        'persistentvolumeclaims',
        { spec: { ...claim('2Gi').spec, volumeAttributesClassName: 'fast' } },
        claim('2Gi'),
      ),
      { q: { 'requests.storage': '2Gi' } },
    ],
    [
      'refuses where one of several has no room',
      [quota('a', { pods: '9' }, { pods: '0' }), quota('b', { pods: '1' }, { pods: '1' })],
      demand('pods', pod),
      'pods "x" is forbidden: exceeded quota: b, requested: pods=1, used: pods=1, limited: pods=1',
    ],
  ])('%s', (_, quotas, wanted, expected) => {
    expect(outcome(quotas, wanted)).toEqual(expected);
  });
});

describe('scopes', () => {
  const bare = podOf(container());
  const ofClass = (priorityClassName: string): Loose => ({ spec: { ...bare.spec, priorityClassName } });
  const selector = (scopeName: string, operator: string, values?: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values ? { values } : {}) }] },
  });
  const across = {
    spec: {
      ...bare.spec,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ['a'] }] } },
    },
  };

  it.each<[object, Loose, boolean]>([
    [{ scopes: ['BestEffort'] }, bare, true],
    [{ scopes: ['BestEffort'] }, podOf(container({ cpu: '1' })), false],
    [{ scopes: ['NotBestEffort'] }, bare, false],
    [{ scopes: ['NotTerminating'] }, bare, true],
    [{ scopes: ['Terminating'] }, { spec: { ...bare.spec, activeDeadlineSeconds: 0 } }, true],
    [{ scopes: ['Terminating', 'NotBestEffort'] }, { spec: { ...bare.spec, activeDeadlineSeconds: 1 } }, false],
    [{ scopes: ['CrossNamespacePodAffinity'] }, across, true],
    [{ scopes: ['CrossNamespacePodAffinity'] }, bare, false],
    [selector('PriorityClass', 'In', ['high']), ofClass('high'), true],
    [selector('PriorityClass', 'In', ['high']), ofClass('low'), false],
    [selector('PriorityClass', 'In', ['high']), bare, false],
    [selector('PriorityClass', 'NotIn', ['high']), bare, true],
    [selector('PriorityClass', 'NotIn', ['high']), ofClass('high'), false],
    [selector('PriorityClass', 'Exists'), ofClass('low'), true],
    [selector('PriorityClass', 'Exists'), bare, false],
    [selector('PriorityClass', 'DoesNotExist'), bare, true],
    [selector('PriorityClass', 'DoesNotExist'), ofClass('low'), false],
    [selector('VolumeAttributesClass', 'In', ['high']), ofClass('high'), false],
  ])('%j', (spec, pod, concerned) => {
    expect(outcome([quota('q', { pods: '9' }, { pods: '0' }, spec)], demand('pods', pod))).toEqual(
      concerned ? { q: { pods: '1' } } : {},
    );
  });
});

describe('resourcequota-controller', () => {
  async function start(): Promise<Simulation> {
    const simulation = new Simulation({ controllers: [resourceQuotaController], kubelet: false });
    await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
    return simulation;
  }
  const QUOTAS = 'core/resourcequotas';
  const statusOf = (simulation: Simulation) => simulation.cluster.peek<ResourceQuota>(QUOTAS, 'ns', 'q')?.status;
  const named = (name: string) => ({ metadata: { name, namespace: 'ns' } });

  it('counts what is there, then what comes and goes', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const hard = {
      pods: '2',
      'count/configmaps': '5',
      'count/deployments.apps': '1',
      'count/unknowns.example.com': '1',
    };
    await cluster.create('core/pods', { ...named('a'), spec: { containers: [] } } as never);
    await cluster.create('core/configmaps', named('m'));
    await cluster.create(QUOTAS, { ...named('q'), spec: { hard } } as never);
    await simulation.settle(100);
    expect(statusOf(simulation)).toEqual({
      hard,
      used: { pods: '1', 'count/configmaps': '1', 'count/deployments.apps': '0' },
    });

    await simulation.settle();
    await cluster.patch('core/pods', 'ns', 'a', 'merge', { status: { phase: 'Succeeded' } }, 'status');
    await cluster.delete('core/configmaps', 'ns', 'm');
    await simulation.settle();
    expect(statusOf(simulation)?.used).toEqual({ pods: '0', 'count/configmaps': '0', 'count/deployments.apps': '0' });

    const { cpu: _, ...more } = { ...hard, cpu: '', pods: '7' };
    await cluster.patch(QUOTAS, 'ns', 'q', 'merge', { spec: { hard: more } });
    await simulation.settle();
    expect(statusOf(simulation)?.hard).toEqual(more);
  });

  it('does not believe a count that may have missed what a quota was just charged for', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create(QUOTAS, { ...named('q'), spec: { hard: { pods: '9' } } } as never);
    await cluster.create('core/configmaps', named('m'));
    await simulation.settle();
    // Charged, and the pod is not there yet, when something else goes.
    await cluster.patch(QUOTAS, 'ns', 'q', 'merge', { status: { used: { pods: '1' } } }, 'status');
    await cluster.delete('core/configmaps', 'ns', 'm');
    await simulation.settle(500);
    expect(statusOf(simulation)?.used).toEqual({ pods: '1' });
    await cluster.create('core/pods', { ...named('a'), spec: { containers: [] } } as never);
    await simulation.settle();
    expect(statusOf(simulation)?.used).toEqual({ pods: '1' });
  });

  it('gives back what was charged for nothing', async () => {
    const simulation = await start();
    await simulation.cluster.create(QUOTAS, { ...named('q'), spec: { hard: { pods: '9' } } } as never);
    await simulation.settle();
    await simulation.cluster.patch(QUOTAS, 'ns', 'q', 'merge', { status: { used: { pods: '3' } } }, 'status');
    await simulation.settle(3000);
    expect(statusOf(simulation)?.used).toEqual({ pods: '0' });
  });
});
