/** Volumes in scheduling: which nodes reach them, which are chosen or made for a pod, and what stands in the way. */
import { describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../src/generated/types/core.v1.ts';
import { SchedulerLab } from '../support/scheduler.ts';

const CLAIMS = 'core/persistentvolumeclaims';
const VOLUMES = 'core/persistentvolumes';
const STORES: Record<string, string> = {
  PersistentVolumeClaim: CLAIMS,
  PersistentVolume: VOLUMES,
  StorageClass: 'storage.k8s.io/storageclasses',
  CSIDriver: 'storage.k8s.io/csidrivers',
  CSINode: 'storage.k8s.io/csinodes',
  CSIStorageCapacity: 'storage.k8s.io/csistoragecapacities',
  VolumeAttachment: 'storage.k8s.io/volumeattachments',
};
type Loose = KubeObject & JsonObject;

const claim = (name: string, spec: JsonObject = {}, more: JsonObject = {}, annotations: JsonObject = {}): Loose =>
  ({
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default', annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, ...spec },
    status: { phase: 'Pending' },
    ...more,
  }) as unknown as Loose;
const bound = (name: string, volumeName: string, spec: JsonObject = {}): Loose =>
  claim(name, { volumeName, ...spec }, { status: { phase: 'Bound' } }, { 'pv.kubernetes.io/bind-completed': 'yes' });
const volume = (name: string, spec: JsonObject = {}, labels: JsonObject = {}): Loose =>
  ({
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: {
      capacity: { storage: '5Gi' },
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'd', volumeHandle: name },
      ...spec,
    },
    status: { phase: 'Available' },
  }) as unknown as Loose;
const other = (kind: string, name: string, more: JsonObject): Loose =>
  ({ kind, metadata: { name }, ...more }) as unknown as Loose;
const waiting = (provisioner: string, more: JsonObject = {}): Loose =>
  other('StorageClass', 'w', { provisioner, volumeBindingMode: 'WaitForFirstConsumer', ...more });
const on = (...names: string[]): JsonObject => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }],
    },
  },
});
const using = (...names: string[]): Partial<NonNullable<Pod['spec']>> => ({
  volumes: names.map((claimName, i) => ({ name: `v${i}`, persistentVolumeClaim: { claimName } })),
});

async function lab(objects: Loose[], zones: (string | undefined)[] = ['z1', 'z2']): Promise<SchedulerLab> {
  const made = new SchedulerLab();
  for (const object of objects) await made.cluster.create(STORES[object.kind ?? ''] ?? '', object);
  for (const [i, zone] of zones.entries()) {
    await made.node(`n${i + 1}`, zone === undefined ? {} : { labels: { 'topology.kubernetes.io/zone': zone } });
  }
  return made;
}
const leaving = bound('c', 'v');
leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
const ALL = '0/2 nodes are available: ';

describe('a pod with claims', () => {
  it.each<[string, Loose[], string[], string]>([
    ['is not tried without its claim', [], ['c'], 'persistentvolumeclaim "c" not found'],
    [
      'waits for its binding',
      [claim('c', { storageClassName: 'i' }), other('StorageClass', 'i', { volumeBindingMode: 'Immediate' })],
      ['c'],
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'is not tried when the claim is lost',
      [claim('c', { volumeName: 'v' }, { status: { phase: 'Lost' } })],
      ['c'],
      'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
    ],
    [
      'is not tried when the claim is being deleted',
      [leaving, volume('v')],
      ['c'],
      'persistentvolumeclaim "c" is being deleted',
    ],
    [
      'finds no node that reaches its volume',
      [bound('c', 'v'), volume('v', on('n9'))],
      ['c'],
      '2 node(s) had volume node affinity conflict',
    ],
    [
      'finds no volume, and nobody makes one',
      [
        claim('c', { storageClassName: 'w' }),
        waiting('kubernetes.io/no-provisioner'),
        volume('v', { storageClassName: 'x' }),
      ],
      ['c'],
      "2 node(s) didn't find available persistent volumes to bind",
    ],
    [
      'finds no node where its class makes volumes',
      [
        claim('c', { storageClassName: 'w' }),
        waiting('p', {
          allowedTopologies: [{ matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['z9'] }] }],
        }),
      ],
      ['c'],
      "2 node(s) didn't find available persistent volumes to bind",
    ],
    [
      'finds no room',
      [
        claim('c', { storageClassName: 'w' }),
        waiting('p'),
        other('CSIDriver', 'p', { spec: { storageCapacity: true } }),
      ],
      ['c'],
      '2 node(s) did not have enough free storage',
    ],
    [
      'finds no node in the zone',
      [bound('c', 'v'), volume('v', {}, { 'topology.kubernetes.io/zone': 'z3__z4' })],
      ['c'],
      '2 node(s) had no available volume zone',
    ],
  ])('%s', async (_, objects, names, why) => {
    const made = await lab(objects);
    await made.pod('p', {}, using(...names));
    await made.settle();
    expect(made.why('p')).toContain(`${ALL}${why}`);
    expect(made.nodeOf('p')).toBeUndefined();
  });

  it('waits for the claim of an ephemeral volume to be made', async () => {
    const made = await lab([]);
    await made.pod('p', {}, { volumes: [{ name: 'e', ephemeral: { volumeClaimTemplate: { spec: {} } } }] });
    await made.settle();
    const why = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-e"';
    expect(made.why('p')).toContain(`${ALL}${why}`);
  });

  it.each<[string, Loose[], string]>([
    ['its volume is reached', [bound('c', 'v'), volume('v', on('n2'))], 'n2'],
    ['the zone is its volume’s', [bound('c', 'v'), volume('v', {}, { 'topology.kubernetes.io/zone': 'z0__z2' })], 'n2'],
  ])('goes where %s', async (_, objects, node) => {
    const made = await lab(objects);
    await made.pod('p', {}, using('c'));
    await made.settle();
    expect(made.nodeOf('p')).toBe(node);
  });
});

describe('volumes that wait for a pod', () => {
  /** What the binder does: completes the binding of claims that volumes name, and of those that are provisioned. */
  async function complete(made: SchedulerLab, name: string, volumeName: string): Promise<void> {
    await made.cluster.patch(CLAIMS, 'default', name, 'merge', {
      metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      spec: { volumeName },
    });
    await made.settle();
  }

  it('are chosen, the smallest, one for each claim, and the pod is bound when they are', async () => {
    const made = await lab([
      claim('a', { storageClassName: 'w' }),
      claim('b', { storageClassName: 'w', resources: { requests: { storage: '1Gi' } } }),
      waiting('kubernetes.io/no-provisioner'),
      volume('v1', { storageClassName: 'w', ...on('n2') }),
      volume('v2', { storageClassName: 'w', capacity: { storage: '3Gi' }, ...on('n2') }),
      volume('v3', { storageClassName: 'w', ...on('n1') }),
    ]);
    await made.pod('p', {}, using('a', 'b'));
    await made.settle();
    const refs = () =>
      made.cluster.all<PersistentVolume>(VOLUMES).map(({ metadata, spec }) => [metadata.name, spec?.claimRef?.name]);
    expect(refs()).toEqual([
      ['v1', 'a'],
      ['v2', 'b'],
      ['v3', undefined],
    ]);
    expect(made.nodeOf('p')).toBeUndefined();
    await complete(made, 'a', 'v1');
    expect(made.nodeOf('p')).toBeUndefined();
    await complete(made, 'b', 'v2');
    expect(made.nodeOf('p')).toBe('n2');
  });

  it('are made for the node that was chosen, also after an eviction', async () => {
    const made = await lab([claim('c', { storageClassName: 'w' }), waiting('p')]);
    await made.pod('p', {}, using('c'));
    await made.settle();
    const annotations = () => made.cluster.peek(CLAIMS, 'default', 'c')?.metadata.annotations;
    const node = annotations()?.['volume.kubernetes.io/selected-node'] ?? '';
    expect(['n1', 'n2']).toContain(node);
    expect(made.get('p')?.status?.nominatedNodeName).toBe(node);
    await made.restart();
    await made.settle();
    expect(annotations()?.['volume.kubernetes.io/selected-node']).toBe(node);
    await made.cluster.create(VOLUMES, volume('made', { storageClassName: 'w', ...on(node) }));
    await complete(made, 'c', 'made');
    expect(made.nodeOf('p')).toBe(node);
  });

  it('are tried elsewhere when the provisioner gives up', async () => {
    const made = await lab([
      claim('c', { storageClassName: 'w' }),
      waiting('p', {
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['n1', 'n2'] }] }],
      }),
    ]);
    await made.pod('p', {}, using('c'));
    await made.settle();
    const node = () =>
      made.cluster.peek<PersistentVolumeClaim>(CLAIMS, 'default', 'c')?.metadata.annotations?.[
        'volume.kubernetes.io/selected-node'
      ];
    const first = node() ?? '';
    await made.cluster.patch('core/nodes', '', first, 'merge', { spec: { unschedulable: true } });
    await made.cluster.patch(CLAIMS, 'default', 'c', 'merge', {
      metadata: { annotations: { 'volume.kubernetes.io/selected-node': null } },
    });
    await made.settle();
    await made.after(30_000);
    const second = first === 'n1' ? 'n2' : 'n1';
    expect(node()).toBe(second);
    expect(made.get('p')?.status?.nominatedNodeName).toBe(second);
  });

  it('are not given to two pods at once', async () => {
    const made = await lab([
      claim('a', { storageClassName: 'w' }),
      claim('b', { storageClassName: 'w' }),
      waiting('kubernetes.io/no-provisioner'),
      volume('v', { storageClassName: 'w' }),
    ]);
    await made.pod('p', {}, using('a'));
    await made.pod('q', {}, using('b'));
    await made.settle();
    expect(made.cluster.peek<PersistentVolume>(VOLUMES, '', 'v')?.spec?.claimRef?.name).toBe('a');
    expect(made.why('q')).toContain("2 node(s) didn't find available persistent volumes to bind");
    await made.cluster.create(VOLUMES, volume('v2', { storageClassName: 'w' }));
    await made.settle();
    await made.after(30_000);
    expect(made.cluster.peek<PersistentVolume>(VOLUMES, '', 'v2')?.spec?.claimRef?.name).toBe('b');
  });

  it('go where their driver has room', async () => {
    const at = (name: string, zone: string, capacity: string): Loose =>
      ({
        kind: 'CSIStorageCapacity',
        metadata: { name, namespace: 'kube-system' },
        storageClassName: 'w',
        capacity,
        nodeTopology: { matchLabels: { 'topology.kubernetes.io/zone': zone } },
      }) as unknown as Loose;
    const driver = other('CSIDriver', 'p', { spec: { storageCapacity: true } });
    const made = await lab([
      claim('c', { storageClassName: 'w' }),
      waiting('p'),
      driver,
      at('a', 'z1', '4Gi'),
      at('b', 'z2', '5Gi'),
    ]);
    await made.pod('p', {}, using('c'));
    await made.settle();
    const { annotations } = made.cluster.peek(CLAIMS, 'default', 'c')?.metadata ?? {};
    expect(annotations?.['volume.kubernetes.io/selected-node']).toBe('n2');
  });
});

describe('what pods share', () => {
  it('a claim for one pod alone', async () => {
    const made = await lab([bound('c', 'v', { accessModes: ['ReadWriteOncePod'] }), volume('v')]);
    await made.pod('p', {}, using('c'));
    await made.settle();
    await made.pod('q', {}, using('c'));
    await made.settle();
    expect(made.why('q')).toContain(
      '2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
    );
    await made.remove('p');
    await made.settle();
    await made.after(30_000);
    expect(made.nodeOf('q')).toBeDefined();
  });

  it.each<[string, object, object, boolean]>([
    ['one disk', { gcePersistentDisk: { pdName: 'x' } }, { gcePersistentDisk: { pdName: 'x', readOnly: true } }, false],
    [
      'one disk, read',
      { gcePersistentDisk: { pdName: 'x', readOnly: true } },
      { gcePersistentDisk: { pdName: 'x', readOnly: true } },
      true,
    ],
    ['two disks', { gcePersistentDisk: { pdName: 'x' } }, { gcePersistentDisk: { pdName: 'y' } }, true],
    ['one target', { iscsi: { iqn: 'x' } }, { iscsi: { iqn: 'x' } }, false],
    [
      'one image',
      { rbd: { monitors: ['a', 'b'], image: 'i' } },
      { rbd: { monitors: ['b'], pool: 'rbd', image: 'i' } },
      false,
    ],
    [
      'one block store',
      { awsElasticBlockStore: { volumeID: 'x', readOnly: true } },
      { awsElasticBlockStore: { volumeID: 'x', readOnly: true } },
      false,
    ],
  ])('%s', async (_, first, second, together) => {
    const made = await lab([], [undefined]);
    for (const [name, source] of [
      ['p', first],
      ['q', second],
    ] as const) {
      await made.pod(name, {}, { volumes: [{ name: 'v', ...source }] });
      await made.settle();
    }
    expect(made.nodeOf('q') !== undefined).toBe(together);
    if (!together) expect(made.why('q')).toContain('1 node(s) had no available disk');
  });

  it('the number of volumes that a node takes', async () => {
    const made = await lab(
      [
        other('CSINode', 'n1', { spec: { drivers: [{ name: 'd', nodeID: 'n1', allocatable: { count: 2 } }] } }),
        ...['a', 'b', 'c'].flatMap((name) => [bound(name, `v-${name}`), volume(`v-${name}`)]),
        volume('left'),
        other('VolumeAttachment', 'left', {
          spec: { nodeName: 'n1', attacher: 'd', source: { persistentVolumeName: 'left' } },
        }),
      ],
      [undefined],
    );
    for (const [name, used] of [
      ['p', 'a'],
      ['q', 'a'],
      ['r', 'b'],
    ] as const) {
      await made.pod(name, {}, using(used));
      await made.settle();
    }
    expect([made.nodeOf('p'), made.nodeOf('q'), made.nodeOf('r')]).toEqual(['n1', 'n1', undefined]);
    expect(made.why('r')).toContain('1 node(s) exceed max volume count');
    await made.cluster.delete('storage.k8s.io/volumeattachments', '', 'left');
    await made.settle();
    await made.after(30_000);
    expect(made.nodeOf('r')).toBe('n1');
  });
});
