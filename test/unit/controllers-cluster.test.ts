import { describe, expect, it } from 'vitest';
import { type KubeObject, now } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { subnets } from '../../src/controllers/node-ipam/index.ts';
import { lostKey } from '../../src/controllers/node-lifecycle/index.ts';
import { toleratedMs } from '../../src/controllers/taint-eviction/index.ts';
import { ttlSeconds } from '../../src/controllers/ttl/index.ts';
import type {
  ConfigMap,
  Endpoints,
  Event,
  Namespace,
  Node,
  Pod,
  Toleration,
} from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

async function start(): Promise<Simulation> {
  const simulation = new Simulation();
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of ['sim-1', 'sim-2', 'sim-3']) await simulation.addNode(name);
  await simulation.settle();
  return simulation;
}

const pod = (name: string, spec: object = {}, labels: Record<string, string> = { app: 'web' }): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', labels },
    spec: { containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }], ...spec },
  }) as unknown as Pod;

const service = (name: string, spec: object) => ({ kind: 'Service', metadata: { name, namespace: 'ns' }, spec });

describe('services', () => {
  it('have EndpointSlices and Endpoints', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const selector = { app: 'web' };
    await cluster.create(
      'core/services',
      service('first', { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
    );
    await simulation.settle();
    const slice = (name: string) =>
      cluster.all<EndpointSlice>('discovery.k8s.io/endpointslices').find((s) => s.metadata.name.startsWith(`${name}-`));
    const endpoints = (name: string) => cluster.peek<Endpoints>('core/endpoints', 'ns', name);
    expect(slice('first')).toMatchObject({
      addressType: 'IPv4',
      endpoints: [],
      ports: null,
      metadata: {
        labels: {
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          'kubernetes.io/service-name': 'first',
        },
        ownerReferences: [{ kind: 'Service', name: 'first', controller: true, blockOwnerDeletion: true }],
      },
    });
    expect(endpoints('first')).toMatchObject({
      metadata: { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
      subsets: [],
    });

    await cluster.create('core/pods', pod('p1'));
    await cluster.create('core/pods', pod('p2'));
    const ports = [
      { name: 'a', port: 80, targetPort: 'http' },
      { name: 'b', port: 81, targetPort: 'nope' },
    ];
    await cluster.create('core/services', service('named', { selector, ports }));
    await cluster.create(
      'core/services',
      service('headless', { selector, clusterIP: 'None', ports: ports.slice(0, 1) }),
    );
    await cluster.create('core/services', service('bare', { ports: [{ port: 80 }] }));
    const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80, protocol: 'TCP' }] }];
    await cluster.create('core/endpoints', { metadata: { name: 'bare', namespace: 'ns' }, subsets } as Endpoints);
    await simulation.settle();
    expect(slice('first')?.endpoints).toMatchObject([
      { conditions: { ready: true, serving: true, terminating: false }, targetRef: { kind: 'Pod', name: 'p1' } },
      { conditions: { ready: true, serving: true, terminating: false }, targetRef: { kind: 'Pod', name: 'p2' } },
    ]);
    expect(endpoints('first')?.subsets?.[0]?.addresses).toHaveLength(2);
    expect(slice('named')?.ports).toEqual([{ name: 'a', protocol: 'TCP', port: 8080 }]);
    expect(endpoints('named')?.subsets?.[0]?.ports).toEqual([{ name: 'a', protocol: 'TCP', port: 8080 }]);
    expect(slice('headless')?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
    expect(slice('bare')).toMatchObject({
      metadata: { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' } },
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
      ports: [{ name: '', protocol: 'TCP', port: 80 }],
    });

    await cluster.patch('core/pods', 'ns', 'p1', 'merge', { metadata: { labels: { app: 'other' } } });
    await cluster.delete('core/pods', 'ns', 'p2', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(slice('first')).toMatchObject({ endpoints: [], ports: null });
    expect(endpoints('first')?.subsets).toEqual([]);

    await cluster.delete('core/services', 'ns', 'first');
    await simulation.settle();
    expect(slice('first')).toBeUndefined();
    expect(endpoints('first')).toBeUndefined();
  });

  it('spread many endpoints over slices of 100, and touch one for one change', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create(
      'core/services',
      service('big', { ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80 }] }),
    );
    for (let i = 0; i < 250; i++) await cluster.create('core/pods', pod(`p${i}`));
    await simulation.settle();
    const slices = () => cluster.all<EndpointSlice>('discovery.k8s.io/endpointslices');
    expect(
      slices()
        .map((slice) => slice.endpoints?.length)
        .sort(),
    ).toEqual([100, 100, 50]);
    const before = new Set(slices().map((slice) => slice.metadata.resourceVersion));
    await cluster.delete('core/pods', 'ns', 'p7', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(slices().filter((slice) => !before.has(slice.metadata.resourceVersion))).toHaveLength(1);
  });
});

describe('namespaces', () => {
  it('have an account and the root CA, and get them back', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const here = () => [
      cluster.peek('core/serviceaccounts', 'ns', 'default')?.metadata.name,
      Object.keys(cluster.peek<ConfigMap>('core/configmaps', 'ns', 'kube-root-ca.crt')?.data ?? {}),
    ];
    expect(here()).toEqual(['default', ['ca.crt']]);
    await cluster.delete('core/serviceaccounts', 'ns', 'default');
    await cluster.delete('core/configmaps', 'ns', 'kube-root-ca.crt');
    await simulation.settle();
    expect(here()).toEqual(['default', ['ca.crt']]);
  });

  it('lose their pods first, and the rest when the last has gone', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('core/configmaps', { metadata: { name: 'kept', namespace: 'ns' } });
    const held = pod('p1');
    held.metadata.finalizers = ['example.com/hold'];
    await cluster.create('core/pods', held);
    await simulation.settle();
    await cluster.delete('core/namespaces', '', 'ns');
    await simulation.settle(10_000);
    expect(cluster.peek('core/configmaps', 'ns', 'kept')).toBeDefined();
    const { conditions = [] } = cluster.peek<Namespace>('core/namespaces', '', 'ns')?.status ?? {};
    // Pods that are left are not told of.
    expect(conditions.find(({ type }) => type === 'NamespaceContentRemaining')?.reason).toBe('ContentRemoved');
    expect(conditions.find(({ type }) => type === 'NamespaceFinalizersRemaining')?.reason).toBe(
      'ContentHasNoFinalizers',
    );
    await cluster.patch('core/pods', 'ns', 'p1', 'merge', { metadata: { finalizers: null } });
    await simulation.settle(10_000);
    expect([cluster.peek('core/configmaps', 'ns', 'kept'), cluster.peek('core/namespaces', '', 'ns')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('are emptied, wait for finalizers, and go', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('core/configmaps', {
      metadata: { name: 'held', namespace: 'ns', finalizers: ['example.com/hold'] },
    });
    await cluster.create('core/pods', pod('p1'));
    await simulation.settle();
    await cluster.delete('core/namespaces', '', 'ns');
    await simulation.settle();
    const conditions = cluster.peek<Namespace>('core/namespaces', '', 'ns')?.status?.conditions ?? [];
    expect(Object.fromEntries(conditions.map(({ type, status, message }) => [type, [status, message]]))).toEqual({
      NamespaceContentRemaining: ['True', 'Some resources are remaining: configmaps. has 1 resource instances'],
      NamespaceDeletionContentFailure: ['False', 'All content successfully deleted, may be waiting on finalization'],
      NamespaceDeletionDiscoveryFailure: ['False', 'All resources successfully discovered'],
      NamespaceDeletionGroupVersionParsingFailure: ['False', 'All legacy kube types successfully parsed'],
      NamespaceFinalizersRemaining: [
        'True',
        'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      ],
    });
    await cluster.patch('core/configmaps', 'ns', 'held', 'merge', { metadata: { finalizers: null } });
    await simulation.settle();
    expect(cluster.peek('core/namespaces', '', 'ns')).toBeUndefined();
    expect(cluster.all('core/pods')).toEqual([]);
  });
});

describe('garbage collection', () => {
  const owner = (uid: string | undefined, name = 'owner', blockOwnerDeletion = false) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    uid: uid ?? '',
    blockOwnerDeletion,
  });

  it.each([true, false])(
    'deletes dependents of any kind in the background (previous state told: %s)',
    async (tells) => {
      const simulation = await start();
      const { cluster } = simulation;
      cluster.tellsPrevious = tells;
      const made = await cluster.create<KubeObject>('core/configmaps', {
        metadata: { name: 'owner', namespace: 'ns' },
      });
      const metadata = { name: 'secret', namespace: 'ns', ownerReferences: [owner(made.metadata.uid)] };
      await cluster.create('core/secrets', { metadata });
      await simulation.settle();
      expect(cluster.all('core/secrets')).toHaveLength(1);
      simulation.restart();
      await cluster.delete('core/configmaps', 'ns', 'owner');
      await simulation.settle();
      expect(cluster.all('core/secrets')).toEqual([]);
    },
  );

  it('deletes what is created for an owner that is not there, but for unknown kinds', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const of = (name: string, reference: object) => ({
      metadata: { name, namespace: 'ns', ownerReferences: [reference as ReturnType<typeof owner>] },
    });
    await cluster.create('core/secrets', of('absent', owner('nobody')));
    await cluster.create('core/secrets', of('unknown', { ...owner('x'), apiVersion: 'example.com/v1', kind: 'Thing' }));
    await simulation.settle();
    expect(cluster.all('core/secrets').map(({ metadata }) => metadata.name)).toEqual(['unknown']);
  });

  it('keeps an object as long as one owner is left, and drops the references to others', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const one = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'one', namespace: 'ns' } });
    const two = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'two', namespace: 'ns' } });
    const ownerReferences = [owner(one.metadata.uid, 'one'), owner(two.metadata.uid, 'two')];
    await cluster.create('core/secrets', { metadata: { name: 's', namespace: 'ns', ownerReferences } });
    await simulation.settle();
    await cluster.delete('core/configmaps', 'ns', 'one');
    await simulation.settle();
    expect(cluster.peek('core/secrets', 'ns', 's')?.metadata.ownerReferences).toMatchObject([{ name: 'two' }]);
  });

  it('is not held up by a circle of owners', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const uids: (string | undefined)[] = [];
    for (const name of ['a', 'b', 'c']) {
      const made = await cluster.create<KubeObject>('core/configmaps', { metadata: { name, namespace: 'ns' } });
      uids.push(made.metadata.uid);
    }
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      const of = (i + 2) % 3;
      const ownerReferences = [owner(uids[of], 'abc'[of], true)];
      await cluster.patch('core/configmaps', 'ns', name, 'merge', { metadata: { ownerReferences } });
    }
    await simulation.settle();
    const left = () => cluster.all('core/configmaps').filter(({ metadata }) => metadata.name.length === 1);
    expect(left()).toHaveLength(3);
    await cluster.delete('core/configmaps', 'ns', 'a', { propagationPolicy: 'Foreground' });
    await simulation.settle(30_000);
    expect(left()).toEqual([]);
  });

  it('leaves an object of the cluster alone whose owner is in a namespace, deletes one of another namespace, and warns', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('core/namespaces', { metadata: { name: 'other' } });
    const made = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'owner', namespace: 'ns' } });
    const ownerReferences = [owner(made.metadata.uid)];
    await cluster.create('rbac.authorization.k8s.io/clusterroles', { metadata: { name: 'role', ownerReferences } });
    await cluster.create('core/secrets', { metadata: { name: 's', namespace: 'other', ownerReferences } });
    await simulation.settle();
    expect(cluster.peek('rbac.authorization.k8s.io/clusterroles', '', 'role')).toBeDefined();
    expect(cluster.peek('core/secrets', 'other', 's')).toBeUndefined();
    const warned = cluster.all<Event>('core/events').filter(({ type }) => type === 'Warning');
    const told = warned.map(({ involvedObject, reason, message, source }) => {
      return `${source?.component} ${involvedObject?.kind} ${reason}: ${message}`;
    });
    const reference = (namespace: string) =>
      `ownerRef [v1/ConfigMap, namespace: ${namespace}, name: owner, uid: ${made.metadata.uid}] does not exist in namespace "${namespace}"`;
    expect(told.sort()).toEqual([
      `garbage-collector-controller ClusterRole OwnerRefInvalidNamespace: ${reference('')}`,
      `garbage-collector-controller Secret OwnerRefInvalidNamespace: ${reference('other')}`,
    ]);
    await cluster.delete('core/configmaps', 'ns', 'owner');
    await simulation.settle();
    expect(cluster.peek('rbac.authorization.k8s.io/clusterroles', '', 'role')).toBeDefined();
  });

  it('does not delete what gets an owner while it is looked at', async () => {
    const simulation = new Simulation({
      between: (client) => ({
        get: client.get.bind(client),
        list: client.list.bind(client),
        create: client.create.bind(client),
        update: client.update.bind(client),
        patch: client.patch.bind(client),
        async delete(resource, namespace, name, options) {
          await adopt();
          return client.delete(resource, namespace, name, options);
        },
      }),
    });
    const { cluster } = simulation;
    let adopt = async (): Promise<void> => {};
    const one = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'one', namespace: 'ns' } });
    const two = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'two', namespace: 'ns' } });
    const metadata = { name: 's', namespace: 'ns', ownerReferences: [owner(one.metadata.uid, 'one')] };
    await cluster.create('core/secrets', { metadata });
    await simulation.settle();
    adopt = async () => {
      adopt = async () => {};
      const ownerReferences = [owner(two.metadata.uid, 'two')];
      await cluster.patch('core/secrets', 'ns', 's', 'merge', { metadata: { ownerReferences } });
    };
    await cluster.delete('core/configmaps', 'ns', 'one');
    await simulation.settle();
    expect(cluster.peek('core/secrets', 'ns', 's')?.metadata.ownerReferences).toMatchObject([{ name: 'two' }]);
  });

  it('deletes in the foreground: the owner last', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const made = await cluster.create<KubeObject>('core/configmaps', { metadata: { name: 'owner', namespace: 'ns' } });
    const ownerReferences = [owner(made.metadata.uid, 'owner', true)];
    const metadata = { name: 's', namespace: 'ns', ownerReferences, finalizers: ['example.com/hold'] };
    await cluster.create('core/secrets', { metadata });
    await simulation.settle();
    await cluster.delete('core/configmaps', 'ns', 'owner', { propagationPolicy: 'Foreground' });
    await simulation.settle();
    expect(cluster.peek('core/configmaps', 'ns', 'owner')?.metadata.deletionTimestamp).toBeDefined();
    expect(cluster.peek('core/secrets', 'ns', 's')?.metadata.deletionTimestamp).toBeDefined();
    await cluster.patch('core/secrets', 'ns', 's', 'merge', { metadata: { finalizers: null } });
    await simulation.settle();
    expect(cluster.peek('core/configmaps', 'ns', 'owner')).toBeUndefined();
  });
});

it('catches up with what it was not told, also after an eviction', async () => {
  const simulation = await start();
  const { cluster } = simulation;
  const spec = {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
  };
  simulation.connected = false;
  await cluster.create('apps/deployments', { metadata: { name: 'web', namespace: 'ns' }, spec } as KubeObject);
  for (let minute = 0; minute < 8; minute++) {
    simulation.restart();
    await simulation.manager.tick();
    await simulation.settle();
  }
  expect(cluster.peek('apps/deployments', 'ns', 'web')).toMatchObject({ status: { availableReplicas: 3 } });
  await cluster.delete('apps/deployments', 'ns', 'web');
  for (let minute = 0; minute < 4; minute++) {
    simulation.restart();
    await simulation.manager.tick();
    await simulation.settle();
  }
  expect(cluster.all('core/pods')).toEqual([]);
});

describe('nodes', () => {
  const node = (simulation: Simulation, name: string) => simulation.cluster.peek<Node>('core/nodes', '', name);
  const taints = (simulation: Simulation, name: string) =>
    (node(simulation, name)?.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  const beat = (simulation: Simulation, name: string) =>
    simulation.cluster.patch(
      'core/nodes',
      '',
      name,
      'merge',
      { status: { conditions: [simulation.readyCondition()] } },
      'status',
    );

  it('get a network each', async () => {
    const simulation = await start();
    expect(['sim-1', 'sim-2', 'sim-3'].map((name) => node(simulation, name)?.spec?.podCIDR)).toEqual([
      '10.244.0.0/24',
      '10.244.1.0/24',
      '10.244.2.0/24',
    ]);
    await simulation.cluster.delete('core/nodes', '', 'sim-2');
    await simulation.addNode('sim-4');
    await simulation.settle();
    expect(node(simulation, 'sim-4')?.spec).toMatchObject({ podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] });
  });

  it('that fall silent are Unknown and tainted, their pods evicted in time; and come back', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const tolerations = [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ];
    await cluster.create('core/pods', pod('here', { nodeName: 'sim-1', tolerations }));
    await cluster.create('core/pods', pod('there', { nodeName: 'sim-2', tolerations }));
    await simulation.settle();
    simulation.time += 60_000;
    await beat(simulation, 'sim-2');
    await beat(simulation, 'sim-3');
    await simulation.settle();
    await simulation.manager.tick();
    await simulation.settle();
    expect(node(simulation, 'sim-1')?.status?.conditions?.[0]).toMatchObject({
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    });
    expect(taints(simulation, 'sim-1')).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    expect(cluster.peek<Pod>('core/pods', 'ns', 'here')?.status?.conditions?.[0]).toMatchObject({ status: 'False' });
    await simulation.settle(200_000);
    simulation.restart();
    expect(cluster.peek('core/pods', 'ns', 'here')).toBeDefined();
    await simulation.settle(200_000);
    expect(cluster.peek('core/pods', 'ns', 'here')).toBeUndefined();
    expect(cluster.peek('core/pods', 'ns', 'there')).toBeDefined();
    const evictions = cluster.all<Event>('core/events').filter(({ reason }) => reason === 'TaintManagerEviction');
    expect(evictions.map(({ message }) => message)).toEqual(['Marking for deletion Pod ns/here']);
    await beat(simulation, 'sim-1');
    await simulation.settle();
    expect(taints(simulation, 'sim-1')).toEqual([]);
  });

  it.each<[string, { session?: boolean; renewed?: boolean }, string]>([
    ['that lose their session are Unknown at once', {}, 'Unknown'],
    ['that have another session by then are ready', { session: true }, 'True'],
    ['that were heard of by other ways since are ready', { renewed: true }, 'True'],
  ])('%s', async (_, { session = false, renewed = false }, expected) => {
    const simulation = await start();
    await beat(simulation, 'sim-1');
    simulation.time += 2_000;
    const lostAt = simulation.time;
    simulation.time += 5_000;
    if (session) simulation.sessions.add('sim-1');
    const lease = {
      metadata: { name: 'sim-1', namespace: 'kube-node-lease' },
      spec: { renewTime: now(lostAt + 1500) },
    };
    if (renewed) await simulation.cluster.create('coordination.k8s.io/leases', lease);
    simulation.manager.enqueue('node-controller', lostKey('sim-1', lostAt));
    await simulation.settle();
    expect(node(simulation, 'sim-1')?.status?.conditions?.[0]?.status).toBe(expected);
    const reasons = simulation.cluster.all<Event>('core/events').map(({ reason }) => reason);
    expect(reasons.includes('NodeNotReady')).toBe(expected === 'Unknown');
    // What is written stays until the node itself says otherwise.
    await simulation.settle(5_000);
    expect(taints(simulation, 'sim-1')).toHaveLength(expected === 'Unknown' ? 2 : 0);
    await beat(simulation, 'sim-1');
    await simulation.settle();
    expect(taints(simulation, 'sim-1')).toEqual([]);
  });

  it('are emptied one after the other', async () => {
    const simulation = await start();
    await simulation.addNode('sim-4');
    simulation.time += 60_000;
    await beat(simulation, 'sim-3');
    await beat(simulation, 'sim-4');
    await simulation.manager.tick();
    await simulation.settle();
    const evicted = () => ['sim-1', 'sim-2'].filter((name) => taints(simulation, name).length === 2);
    expect(evicted()).toHaveLength(1);
    await simulation.settle(7_000);
    expect(evicted()).toHaveLength(1);
    await simulation.settle(3_000);
    expect(evicted()).toHaveLength(2);
  });

  it('are told of when they come and go', async () => {
    const simulation = await start();
    await simulation.cluster.delete('core/nodes', '', 'sim-1');
    await simulation.settle();
    const messages = simulation.cluster.all<Event>('core/events').map(({ message }) => message);
    expect(messages).toContain('Node sim-1 event: Registered Node sim-1 in Controller');
    expect(messages).toContain('Node sim-1 event: Removing Node sim-1 from Controller');
  });

  it('are not emptied when all of them are silent', async () => {
    const simulation = await start();
    simulation.time += 60_000;
    await simulation.manager.tick();
    await simulation.settle();
    expect(taints(simulation, 'sim-1')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  });

  it('stay ready while their leases are renewed', async () => {
    const simulation = await start();
    simulation.time += 60_000;
    for (const name of ['sim-1', 'sim-2', 'sim-3']) {
      const lease = { metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime: now(simulation.time) } };
      await simulation.cluster.create('coordination.k8s.io/leases', lease);
    }
    await simulation.manager.tick();
    await simulation.settle();
    expect(taints(simulation, 'sim-1')).toEqual([]);
  });

  it('have some labels by their former names, too', async () => {
    const simulation = await start();
    const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64', 'beta.kubernetes.io/arch': 'amd64' };
    await simulation.cluster.patch('core/nodes', '', 'sim-1', 'merge', { metadata: { labels } });
    await simulation.settle();
    expect(node(simulation, 'sim-1')?.metadata.labels).toMatchObject({
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': 'arm64',
    });
  });

  it('that are cordoned are tainted', async () => {
    const simulation = await start();
    await simulation.cluster.patch('core/nodes', '', 'sim-1', 'merge', { spec: { unschedulable: true } });
    await simulation.settle();
    expect(taints(simulation, 'sim-1')).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
  });

  it('that are gone leave no pods', async () => {
    const simulation = await start();
    await simulation.cluster.create('core/pods', pod('here', { nodeName: 'sim-1' }));
    await simulation.settle();
    await simulation.cluster.delete('core/nodes', '', 'sim-1');
    await simulation.settle(39_000);
    expect(simulation.cluster.all('core/pods')).toHaveLength(1);
    await simulation.settle(5_000);
    expect(simulation.cluster.all('core/pods')).toEqual([]);
  });

  it('that are out of service let go of pods that are being deleted', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const finalizers = { metadata: { finalizers: ['example.com/hold'] } };
    for (const name of ['leaves', 'stays']) {
      const tolerations = [{ operator: 'Exists' }];
      await cluster.create('core/pods', pod(name, { nodeName: 'sim-1', tolerations }));
      await cluster.patch('core/pods', 'ns', name, 'merge', finalizers);
    }
    await simulation.settle();
    await cluster.delete('core/pods', 'ns', 'leaves');
    const notReady = { ...simulation.readyCondition(), status: 'False' };
    await cluster.patch('core/nodes', '', 'sim-1', 'merge', { status: { conditions: [notReady] } }, 'status');
    await simulation.settle();
    const phase = (name: string) => cluster.peek<Pod>('core/pods', 'ns', name)?.status?.phase;
    expect(phase('leaves')).toBe('Running');
    await cluster.patch('core/nodes', '', 'sim-1', 'merge', {
      spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule' }] },
    });
    await simulation.settle();
    expect([phase('leaves'), phase('stays')]).toEqual(['Failed', 'Running']);
    await cluster.patch('core/pods', 'ns', 'leaves', 'merge', { metadata: { finalizers: null } });
    await simulation.settle();
    expect(phase('leaves')).toBeUndefined();
  });

  it('whose taint is taken back in time keep their pods', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const tolerations = [{ key: 'cv', operator: 'Exists', tolerationSeconds: 60 }];
    await cluster.create('core/pods', pod('stays', { nodeName: 'sim-2', tolerations }));
    const taint = (taints: object[]) =>
      cluster.patch('core/nodes', '', 'sim-2', 'merge', { spec: { taints } } as never);
    await taint([{ key: 'cv', effect: 'NoExecute' }]);
    await simulation.settle(30_000);
    await taint([]);
    await simulation.settle(60_000);
    expect(cluster.peek('core/pods', 'ns', 'stays')).toBeDefined();
    const messages = cluster.all<Event>('core/events').map(({ message }) => message);
    expect(messages).toContain('Cancelling deletion of Pod ns/stays');
  });

  it.each([
    [1, 0, 0],
    [100, 0, 0],
    [101, 0, 15],
    [95, 15, 15],
    [89, 15, 0],
    [2500, 0, 300],
    [1, 300, 0],
    [500, 7, 15],
  ])('%i of them, told %i before, are told to keep Secrets for %i s', (nodes, current, seconds) => {
    expect(ttlSeconds(nodes, current)).toBe(seconds);
  });

  it('are told so by an annotation', async () => {
    const simulation = await start();
    expect(node(simulation, 'sim-1')?.metadata.annotations).toEqual({ 'node.alpha.kubernetes.io/ttl': '0' });
  });

  it('evict by a taint what does not tolerate it', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create(
      'core/pods',
      pod('stays', { nodeName: 'sim-2', tolerations: [{ key: 'cv', operator: 'Exists' }] }),
    );
    await cluster.create('core/pods', pod('leaves', { nodeName: 'sim-2' }));
    await simulation.settle();
    await cluster.patch('core/nodes', '', 'sim-2', 'merge', {
      spec: { taints: [{ key: 'cv', value: 'x', effect: 'NoExecute' }] },
    });
    await simulation.settle();
    expect(cluster.all('core/pods').map(({ metadata }) => metadata.name)).toEqual(['stays']);
  });
});

describe('tolerations', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoExecute' };
  it.each<[string, Toleration[], number]>([
    ['none', [], 0],
    ['all', [{ operator: 'Exists' }], Number.POSITIVE_INFINITY],
    ['equal', [{ key: 'k', value: 'v' }], Number.POSITIVE_INFINITY],
    ['another value', [{ key: 'k', value: 'w' }], 0],
    ['another effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], 0],
    ['for a time', [{ key: 'k', operator: 'Exists', tolerationSeconds: 5 }, { operator: 'Exists' }], 5000],
    ['not at all', [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }], 0],
    ['as the first says', [{ operator: 'Exists' }, { key: 'k', operator: 'Exists', tolerationSeconds: 5 }], Infinity],
  ])('%s', (_, tolerations, ms) => expect(toleratedMs(pod('p', { tolerations }), [taint])).toBe(ms));
});

it.each([
  ['10.244.0.0/16', 256, '10.244.255.0/24'],
  ['192.168.0.0/24', 1, '192.168.0.0/24'],
  ['192.168.0.0/25', 0, undefined],
  ['nonsense', 0, undefined],
])('%s has %i node networks', (cidr, count, last) => {
  const networks = subnets(cidr);
  expect(networks.count).toBe(count);
  if (last !== undefined) expect(networks.at(count - 1)).toBe(last);
});
