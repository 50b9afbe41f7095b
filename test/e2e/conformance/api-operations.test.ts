/** The tests of "API operations", by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Service,
} from '../../../src/generated/types/core.v1.ts';
import { Cluster } from './cluster.ts';
import { pod, unscheduled } from './objects.ts';
import { type Choices, operations } from './operations.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

/** All verbs on a resource of the whole cluster. */
async function clusterWide(apiVersion: string, plural: string, body: object, change: object, choices?: Choices) {
  await isDiscovered(apiVersion, plural);
  await operations(cluster.of<KubeObject>(apiVersion, plural), body, change, choices);
}

/** All verbs on a resource in a new namespace. */
async function namespaced(apiVersion: string, plural: string, body: object, change: object, choices?: Choices) {
  await isDiscovered(apiVersion, plural);
  const ns = await cluster.namespace();
  await operations(ns.of<KubeObject>(apiVersion, plural), body, change, choices);
}

/** Discovery has the group, its version and the resource. */
async function isDiscovered(apiVersion: string, plural: string): Promise<void> {
  const group = apiVersion.split('/')[0] ?? '';
  const { groups } = await cluster.api.json<{ groups: { name: string; versions: { groupVersion: string }[] }[] }>(
    '/apis',
  );
  const versions = groups.find(({ name }) => name === group)?.versions.map(({ groupVersion }) => groupVersion);
  expect(versions).toContain(apiVersion);
  await cluster.api.json(`/apis/${group}`);
  const { resources } = await cluster.api.json<{ resources: { name: string }[] }>(`/apis/${apiVersion}`);
  expect(resources.map(({ name }) => name)).toContain(plural);
}

describe.concurrent('[sig-api-machinery] API priority and fairness', () => {
  const FLOW = 'flowcontrol.apiserver.k8s.io/v1';
  const conditions = [{ type: 'patched', status: 'True', reason: 'E2E', message: 'm' }];
  const status = { patch: { conditions }, seen: (one: { status?: object }) => one.status };

  it('should support FlowSchema API operations', () =>
    clusterWide(
      FLOW,
      'flowschemas',
      {
        spec: {
          matchingPrecedence: 10000,
          priorityLevelConfiguration: { name: 'global-default' },
          distinguisherMethod: { type: 'ByUser' },
          rules: [
            {
              subjects: [{ kind: 'User', user: { name: 'example-e2e' } }],
              nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
            },
          ],
        },
      },
      { spec: { matchingPrecedence: 9999 } },
      { status },
    ));

  it('should support PriorityLevelConfiguration API operations', () =>
    clusterWide(
      FLOW,
      'prioritylevelconfigurations',
      { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } } },
      { spec: { limited: { nominalConcurrencyShares: 4 } } },
      { status },
    ));
});

const NETWORKING = 'networking.k8s.io/v1';

describe.concurrent('[sig-network] Ingress API', () => {
  it('should support creating Ingress API operations', () => {
    const backend = { service: { name: 'test', port: { number: 80 } } };
    const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] };
    return namespaced(
      NETWORKING,
      'ingresses',
      { spec: { defaultBackend: backend, rules: [{ host: 'foo.bar.com', http }] } },
      { spec: { rules: [{ host: 'bar.foo.com', http }] } },
      {
        status: {
          patch: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } },
          seen: (one: { status?: object }) => one.status,
        },
      },
    );
  });
});

describe.concurrent('[sig-network] IngressClass API', () => {
  it('should support creating IngressClass API operations', () =>
    clusterWide(NETWORKING, 'ingressclasses', { spec: { controller: 'example.com/controller' } }, {}));
});

describe.concurrent('[sig-network] EndpointSlice', () => {
  it('should support creating EndpointSlice API operations', () =>
    namespaced(
      'discovery.k8s.io/v1',
      'endpointslices',
      { addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4', '5.6.7.8'] }] },
      { endpoints: [{ addresses: ['1.2.3.4'] }] },
    ));
});

describe.concurrent('[sig-network] ServiceCIDR and IPAddress API', () => {
  it('should support ServiceCIDR API operations', () =>
    clusterWide(NETWORKING, 'servicecidrs', { spec: { cidrs: ['10.222.0.0/24'] } }, {}));

  it('should support IPAddress API operations', () => {
    const parentRef = { resource: 'services', namespace: 'default', name: 'none' };
    return clusterWide(
      NETWORKING,
      'ipaddresses',
      { spec: { parentRef } },
      {},
      { names: ['10.222.1.1', '10.222.1.2', '10.222.1.3'] },
    );
  });
});

describe.concurrent('[sig-network] Services', () => {
  it('should complete a service status lifecycle', async () => {
    const ns = await cluster.namespace();
    const services = ns.of<Service>('v1', 'services');
    await services.create({ metadata: { name: 's' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } });
    const ingress = [{ ip: '203.0.113.1', ipMode: 'VIP' }];
    const patched = await services.patch('s', { status: { loadBalancer: { ingress } } }, { subresource: 'status' });
    expect(patched.status?.loadBalancer?.ingress).toEqual(ingress);
    const condition = {
      type: 'StatusUpdate',
      status: 'True',
      reason: 'E2E',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const updated = await services.update(
      's',
      ({ status }) => {
        if (status) status.conditions = [condition];
      },
      'status',
    );
    expect(updated.status?.conditions).toEqual([condition]);
    await services.patch('s', { metadata: { labels: { patched: ns.name } } }, { type: 'strategic' });
    const everywhere = cluster.of<Service>('v1', 'services');
    expect((await everywhere.list({ labelSelector: `patched=${ns.name}` })).items).toHaveLength(1);
    await services.delete('s');
    await services.untilGone('s');
  });

  it('should delete a collection of services', async () => {
    const services = (await cluster.namespace()).of<Service>('v1', 'services');
    for (const name of ['a', 'b', 'c']) {
      const metadata = { name, labels: { set: name === 'c' ? 'kept' : 'gone' } };
      await services.create({ metadata, spec: { ports: [{ port: 80 }] } });
    }
    await services.deleteCollection({ labelSelector: 'set=gone' });
    expect((await services.list()).items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  it('should find a service from listing all namespaces', async () => {
    const { items } = await cluster.of<Service>('v1', 'services').list();
    expect(items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toContain('default/kubernetes');
  });
});

const STORAGE = 'storage.k8s.io/v1';

describe.concurrent('[sig-storage] CSIInlineVolumes', () => {
  it('should run through the lifecycle of a CSIDriver', () =>
    clusterWide(STORAGE, 'csidrivers', { spec: { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] } }, {}));

  it('should support CSIVolumeSource in Pod API', async () => {
    const pods = (await cluster.namespace()).of<Pod>('v1', 'pods');
    const csi = { driver: 'e2e.example.com', volumeAttributes: { a: 'b' } };
    const made = await pods.create(pod('csi', unscheduled({ volumes: [{ name: 'v', csi }] })));
    expect(made.spec?.volumes?.[0]?.csi).toEqual(csi);
    const [listed] = (await pods.list()).items;
    expect(listed?.spec?.volumes?.[0]?.csi).toEqual(csi);
    await pods.deleteCollection();
    await pods.untilGone('csi');
  });
});

describe.concurrent('[sig-storage] CSINodes CSI Conformance', () => {
  it('should run through the lifecycle of a csinode', () =>
    clusterWide(STORAGE, 'csinodes', { spec: { drivers: [] } }, {}));
});

describe.concurrent('[sig-storage] CSIStorageCapacity', () => {
  it('should support CSIStorageCapacities API operations', () =>
    namespaced(STORAGE, 'csistoragecapacities', { storageClassName: 'example' }, { capacity: '1Gi' }));
});

describe.concurrent('[sig-storage] StorageClasses CSI Conformance', () => {
  it('should run through the lifecycle of a StorageClass', () =>
    clusterWide(STORAGE, 'storageclasses', { provisioner: 'e2e.example.com' }, { allowVolumeExpansion: true }));
});

describe.concurrent('[sig-storage] VolumeAttachment Conformance', () => {
  const attachment = (volume: string): object => ({
    spec: { attacher: 'e2e.example.com', nodeName: 'nowhere', source: { persistentVolumeName: volume } },
  });

  it('should run through the lifecycle of a VolumeAttachment', () =>
    clusterWide(STORAGE, 'volumeattachments', attachment('a'), {}));

  it('should apply changes to a volumeattachment status', () =>
    clusterWide(
      STORAGE,
      'volumeattachments',
      attachment('b'),
      {},
      {
        names: ['va-1', 'va-2', 'va-3'],
        status: { patch: { attached: true }, seen: (one: { status?: object }) => one.status },
      },
    ));
});

describe.concurrent('[sig-storage] VolumeAttributesClass', () => {
  it('should run through the lifecycle of a VolumeAttributesClass', () =>
    clusterWide(STORAGE, 'volumeattributesclasses', { driverName: 'e2e.example.com', parameters: { iops: '1' } }, {}));
});

describe.concurrent('[sig-storage] PersistentVolumes CSI Conformance', () => {
  async function bound() {
    const ns = await cluster.namespace();
    const volumes = cluster.of<PersistentVolume>('v1', 'persistentvolumes');
    const claims = ns.of<PersistentVolumeClaim>('v1', 'persistentvolumeclaims');
    const name = `pv-${ns.name}`;
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: ns.name };
    const csi = { driver: 'e2e.example.com', volumeHandle: name };
    const spec = { ...common, capacity: { storage: '1Gi' }, csi, persistentVolumeReclaimPolicy: 'Retain' };
    await volumes.create({ metadata: { name, labels: { set: ns.name } }, spec });
    const resources = { requests: { storage: '1Gi' } };
    await claims.create({ metadata: { name: 'pvc', labels: { set: ns.name } }, spec: { ...common, resources } });
    await claims.until('pvc', ({ status }) => status?.phase === 'Bound');
    await volumes.until(name, ({ status }) => status?.phase === 'Bound');
    return { ns, volumes, claims, name };
  }

  it('should run through the lifecycle of a PV and a PVC', async () => {
    const { ns, volumes, claims, name } = await bound();
    const labels = { patched: 'true' };
    expect((await volumes.patch(name, { metadata: { labels } })).metadata.labels).toMatchObject(labels);
    expect((await claims.patch('pvc', { metadata: { labels } })).metadata.labels).toMatchObject(labels);
    await claims.update('pvc', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' };
    });
    const labelSelector = `set=${ns.name}`;
    await claims.deleteCollection({ labelSelector });
    await claims.untilGone('pvc');
    await volumes.until(name, ({ status }) => status?.phase === 'Released');
    await volumes.deleteCollection({ labelSelector });
    await volumes.untilGone(name);
  });

  it('should apply changes to a pv/pvc status', async () => {
    const { volumes, claims, name } = await bound();
    const condition = { type: 'StatusPatched', status: 'True', reason: 'E2E', message: 'm' };
    const claim = await claims.patch('pvc', { status: { conditions: [condition] } }, { subresource: 'status' });
    expect(claim.status?.conditions).toEqual([expect.objectContaining(condition)]);
    const patch = { status: { message: 'E2E', reason: 'StatusPatched' } };
    expect((await volumes.patch(name, patch, { subresource: 'status' })).status).toMatchObject(patch.status);
    const updated = await volumes.update(
      name,
      ({ status }) => {
        if (status) status.reason = 'StatusUpdated';
      },
      'status',
    );
    expect(updated.status?.reason).toBe('StatusUpdated');
  });
});

describe.concurrent('[sig-node] RuntimeClass', () => {
  it('should support RuntimeClasses API operations', () =>
    clusterWide('node.k8s.io/v1', 'runtimeclasses', { handler: 'example' }, {}));
});

describe.concurrent('[sig-node] Node Lifecycle', () => {
  it('should run through the lifecycle of a node', async () => {
    const nodes = cluster.of<Node>('v1', 'nodes');
    await nodes.create({ metadata: { name: 'e2e-fake-node' }, status: { phase: 'Running' } });
    await nodes.patch('e2e-fake-node', { metadata: { labels: { 'e2e-patched': 'true' } } }, { type: 'strategic' });
    expect((await nodes.list({ labelSelector: 'e2e-patched=true' })).items).toHaveLength(1);
    const condition = { type: 'Ready', status: 'False', reason: 'E2E', message: 'Set from a test' };
    const patch = { status: { conditions: [condition] } };
    const patched = await nodes.patch('e2e-fake-node', patch, { type: 'strategic', subresource: 'status' });
    expect(patched.status?.conditions).toContainEqual(expect.objectContaining(condition));
    await nodes.update('e2e-fake-node', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' };
    });
    await nodes.deleteCollection({ labelSelector: 'e2e-patched=true' });
    await nodes.untilGone('e2e-fake-node');
  });
});

const ADMISSION = 'admissionregistration.k8s.io/v1';
const matchConstraints = {
  resourceRules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
};

describe.concurrent('[sig-api-machinery] ValidatingAdmissionPolicy', () => {
  it('should support ValidatingAdmissionPolicy API operations', () =>
    clusterWide(
      ADMISSION,
      'validatingadmissionpolicies',
      { spec: { matchConstraints, validations: [{ expression: 'object.metadata.name != ""' }] } },
      { spec: { failurePolicy: 'Ignore' } },
      { status: { patch: { observedGeneration: 10 }, seen: (one: { status?: object }) => one.status } },
    ));

  it('should support ValidatingAdmissionPolicyBinding API operations', () =>
    clusterWide(
      ADMISSION,
      'validatingadmissionpolicybindings',
      { spec: { policyName: 'none', validationActions: ['Deny'] } },
      { spec: { validationActions: ['Warn'] } },
    ));
});

describe.concurrent('[sig-api-machinery] MutatingAdmissionPolicy', () => {
  const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }];

  it('should support MutatingAdmissionPolicy API operations', () =>
    clusterWide(
      ADMISSION,
      'mutatingadmissionpolicies',
      { spec: { matchConstraints, mutations, reinvocationPolicy: 'Never' } },
      { spec: { failurePolicy: 'Ignore' } },
    ));

  it('should support MutatingAdmissionPolicyBinding API operations', () =>
    clusterWide(ADMISSION, 'mutatingadmissionpolicybindings', { spec: { policyName: 'none' } }, {}));
});
