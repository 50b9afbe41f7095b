/** The binder of claims and volumes: every situation from its objects, and again with the loss of the controller after every write. */
import { describe, expect, it, vi } from 'vitest';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation, type SimulationOptions } from '../../src/controllers/client/simulation.ts';
import { persistentVolumeBinder } from '../../src/controllers/persistentvolume-binder/index.ts';
import type { Event, PersistentVolume, PersistentVolumeClaim, Pod } from '../../src/generated/types/core.v1.ts';
import type { StorageClass } from '../../src/generated/types/storage.v1.ts';
import { interrupted } from '../support/interrupted-client.ts';

const CLAIMS = 'core/persistentvolumeclaims';
const VOLUMES = 'core/persistentvolumes';
const COMPLETE = { 'pv.kubernetes.io/bind-completed': 'yes' };
const OURS = { 'pv.kubernetes.io/bound-by-controller': 'yes' };

type Loose = KubeObject & { status?: JsonObject };
const claim = (name: string, spec: object = {}, annotations = {}, status?: object): Loose =>
  ({
    metadata: { name, namespace: 'ns', annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      resources: { requests: { storage: '5Gi' } },
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  }) as Loose;
const volume = (name: string, storage: string, spec: object = {}, annotations = {}, labels = {}): Loose =>
  ({
    metadata: { name, annotations, labels },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'd', volumeHandle: 'h' },
      ...spec,
    },
    status: { phase: 'Pending' },
  }) as Loose;
const storageClass = (name: string, provisioner: string, more: object = {}): StorageClass =>
  ({ metadata: { name }, provisioner, volumeBindingMode: 'Immediate', ...more }) as StorageClass;
const forClaim = (name: string, uid?: string) => ({ claimRef: { namespace: 'ns', name, ...(uid ? { uid } : {}) } });

/** What is to be seen: of a claim phase, volume and marks; of a volume phase and claim. */
function look(simulation: Simulation): string[] {
  const marks = (object: KubeObject): string =>
    Object.keys(object.metadata.annotations ?? {})
      .map(
        (key) => ({ 'pv.kubernetes.io/bind-completed': 'c', 'pv.kubernetes.io/bound-by-controller': 'b' })[key] ?? '',
      )
      .sort()
      .join('');
  const claims = simulation.cluster.all<PersistentVolumeClaim>(CLAIMS).map((object) => {
    const { status, spec } = object;
    return [
      object.metadata.name,
      status?.phase,
      spec?.volumeName ?? '-',
      marks(object),
      status?.capacity?.['storage'] ?? '',
    ];
  });
  const volumes = simulation.cluster.all<PersistentVolume>(VOLUMES).map((object) => {
    const ref = object.spec?.claimRef;
    const to = ref === undefined ? '-' : `${ref.name}${ref.uid ? '' : '?'}`;
    return [object.metadata.name, object.status?.phase, to, marks(object)];
  });
  return [...claims, ...volumes].map((facts) => facts.filter((fact) => fact !== '').join(' ')).sort();
}
const told = (simulation: Simulation): string[] => [
  ...new Set(simulation.cluster.all<Event>('core/events').map(({ reason, message }) => `${reason}: ${message}`)),
];

interface Case {
  given: [string, KubeObject][];
  seen: string[];
  events?: string[];
}
const given = (...objects: (Loose | StorageClass)[]): [string, KubeObject][] =>
  objects.map((object) => [
    'provisioner' in object ? 'storage.k8s.io/storageclasses' : object.metadata.namespace ? CLAIMS : VOLUMES,
    object,
  ]);
const NONE = 'FailedBinding: no persistent volumes available for this claim and no storage class is set';
const external = (name: string): string =>
  `ExternalProvisioning: Waiting for a volume to be created either by the external provisioner '${name}' or manually by the ` +
  'system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.';

const cases: Record<string, Case> = {
  'the smallest that suffices': {
    given: given(claim('c'), volume('v1', '10Gi'), volume('v2', '6Gi'), volume('v3', '1Gi')),
    seen: ['c Bound v2 bc 6Gi', 'v1 Available -', 'v2 Bound c b', 'v3 Available -'],
  },
  'two claims, one volume': {
    given: given(claim('a'), claim('b'), volume('v', '5Gi')),
    seen: ['a Bound v bc 5Gi', 'b Pending -', 'v Bound a b'],
    events: [NONE],
  },
  'fewer access modes before a smaller size': {
    given: given(
      claim('c'),
      volume('v1', '5Gi', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
      volume('v2', '9Gi'),
    ),
    seen: ['c Bound v2 bc 9Gi', 'v1 Available -', 'v2 Bound c b'],
  },
  'access modes, volume mode, class and attributes must fit': {
    given: given(
      claim('c'),
      volume('v1', '5Gi', { accessModes: ['ReadOnlyMany'] }),
      volume('v2', '5Gi', { volumeMode: 'Block' }),
      volume('v3', '5Gi', { storageClassName: 'x' }),
      volume('v4', '5Gi', { volumeAttributesClassName: 'x' }),
    ),
    seen: ['c Pending -', 'v1 Available -', 'v2 Available -', 'v3 Available -', 'v4 Available -'],
    events: [NONE],
  },
  'by labels': {
    given: given(
      claim('c', { selector: { matchLabels: { a: 'b' } } }),
      volume('v1', '5Gi'),
      volume('v2', '8Gi', {}, {}, { a: 'b' }),
    ),
    seen: ['c Bound v2 bc 8Gi', 'v1 Available -', 'v2 Bound c b'],
  },
  'reserved for the claim': {
    given: given(claim('c'), volume('v1', '5Gi'), volume('v2', '9Gi', forClaim('c'))),
    seen: ['c Bound v2 bc 9Gi', 'v1 Available -', 'v2 Bound c'],
  },
  'reserved for another': {
    given: given(claim('c'), volume('v', '5Gi', forClaim('other'))),
    seen: ['c Pending -', 'v Available other?'],
    events: [NONE],
  },
  'chosen by the claim': {
    given: given(claim('c', { volumeName: 'v2' }), volume('v1', '5Gi'), volume('v2', '9Gi')),
    seen: ['c Bound v2 c 9Gi', 'v1 Available -', 'v2 Bound c b'],
  },
  'chosen and not there': { given: given(claim('c', { volumeName: 'v' })), seen: ['c Pending v'] },
  'chosen and too small': {
    given: given(claim('c', { volumeName: 'v' }), volume('v', '1Gi')),
    seen: ['c Pending v', 'v Available -'],
    events: ['VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small'],
  },
  'chosen and of another class': {
    given: given(claim('c', { volumeName: 'v' }), volume('v', '5Gi', { storageClassName: 'x' })),
    seen: ['c Pending v', 'v Available -'],
    events: ['VolumeMismatch: Cannot bind to requested volume "v": storageClassName does not match'],
  },
  'chosen and taken': {
    given: given(claim('c', { volumeName: 'v' }), volume('v', '5Gi', forClaim('other'))),
    seen: ['c Pending v', 'v Available other?'],
    events: ['FailedBinding: volume "v" already bound to a different claim.'],
  },
  'lost its volume': {
    given: given(claim('c', { volumeName: 'v' }, COMPLETE, { phase: 'Bound', capacity: { storage: '5Gi' } })),
    seen: ['c Lost v c'],
    events: ['ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!'],
  },
  'lost the name of its volume': {
    given: given(claim('c', {}, COMPLETE, { phase: 'Bound' })),
    seen: ['c Lost - c'],
    events: ['ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!'],
  },
  'bound to a volume of another': {
    given: given(claim('c', { volumeName: 'v' }, COMPLETE), volume('v', '5Gi', forClaim('other', 'someone'))),
    seen: ['c Lost v c', 'v Released other'],
    events: ['ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly'],
  },
  'a binding half done': {
    given: given(claim('c', { volumeName: 'v' }, { ...COMPLETE, ...OURS }), volume('v', '5Gi')),
    seen: ['c Bound v bc 5Gi', 'v Bound c b'],
  },
  'no class of that name': {
    given: given(claim('c', { storageClassName: 'x' })),
    seen: ['c Pending -'],
    events: ['ProvisioningFailed: storageclass.storage.k8s.io "x" not found'],
  },
  'an external provisioner': {
    given: given(claim('c', { storageClassName: 'x' }), storageClass('x', 'example.com/p')),
    seen: ['c Pending -'],
    events: [external('example.com/p')],
  },
  'a provisioner that became a driver': {
    given: given(claim('c', { storageClassName: 'x' }), storageClass('x', 'kubernetes.io/aws-ebs')),
    seen: ['c Pending -'],
    events: [external('ebs.csi.aws.com')],
  },
  'no provisioner': {
    given: given(claim('c', { storageClassName: 'x' }), storageClass('x', 'kubernetes.io/no-provisioner')),
    seen: ['c Pending -'],
    events: ['ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner'],
  },
  'waits for a consumer': {
    given: given(
      claim('c', { storageClassName: 'x' }),
      storageClass('x', 'example.com/p', { volumeBindingMode: 'WaitForFirstConsumer' }),
      volume('v', '5Gi', { storageClassName: 'x' }),
    ),
    seen: ['c Pending -', 'v Available -'],
    events: ['WaitForFirstConsumer: waiting for first consumer to be created before binding'],
  },
  'a node was chosen': {
    given: given(
      claim('c', { storageClassName: 'x' }, { 'volume.kubernetes.io/selected-node': 'n1' }),
      storageClass('x', 'example.com/p', { volumeBindingMode: 'WaitForFirstConsumer' }),
    ),
    seen: ['c Pending -'],
    events: [external('example.com/p')],
  },
  'gets the default class, the newest': {
    given: given(
      claim('c', { storageClassName: undefined }),
      storageClass('old', 'example.com/old', {
        metadata: {
          name: 'old',
          creationTimestamp: '2020-01-01T00:00:00Z',
          annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
        },
      }),
      storageClass('new', 'example.com/new', {
        metadata: { name: 'new', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      }),
    ),
    seen: ['c Pending -'],
    events: [external('example.com/new')],
  },
  'of a claim that is gone: kept': {
    given: given(volume('v', '5Gi', forClaim('c', 'gone'))),
    seen: ['v Released c'],
  },
  'of a claim that came again: kept': {
    given: given(claim('c'), volume('v', '5Gi', forClaim('c', 'gone'))),
    seen: ['c Pending -', 'v Released c'],
    events: [NONE],
  },
  'of a claim that is gone: left to its provisioner': {
    given: given(
      volume(
        'v',
        '5Gi',
        { ...forClaim('c', 'gone'), persistentVolumeReclaimPolicy: 'Delete' },
        { 'pv.kubernetes.io/provisioned-by': 'example.com/p' },
      ),
    ),
    seen: ['v Released c'],
  },
  'of a claim that is gone: nobody deletes it': {
    given: given(volume('v', '5Gi', { ...forClaim('c', 'gone'), persistentVolumeReclaimPolicy: 'Delete' })),
    seen: ['v Failed c'],
    events: [
      'VolumeFailedDelete: error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
    ],
  },
  'of a claim that is gone: nobody knows its kind': {
    given: given(
      volume('v', '5Gi', {
        ...forClaim('c', 'gone'),
        csi: undefined,
        local: { path: '/x' },
        persistentVolumeReclaimPolicy: 'Delete',
      }),
    ),
    seen: ['v Failed c'],
    events: ['VolumeFailedDelete: error getting deleter volume plugin for volume "v": no volume plugin matched'],
  },
  'of a claim that is gone: nobody recycles it': {
    given: given(volume('v', '5Gi', { ...forClaim('c', 'gone'), persistentVolumeReclaimPolicy: 'Recycle' })),
    seen: ['v Failed c'],
    events: ['VolumeFailedRecycle: No recycler plugin found for the volume!'],
  },
};

async function run({ given: objects }: Case, options: SimulationOptions = {}): Promise<Simulation> {
  const simulation = new Simulation({ controllers: [persistentVolumeBinder], kubelet: false, ...options });
  const { cluster } = simulation;
  // A claim comes when volumes have their phase: before that none can be had.
  for (const first of [true, false]) {
    for (const [store, object] of objects) if ((store !== CLAIMS) === first) await cluster.create(store, object);
    await simulation.settle();
  }
  return simulation;
}

describe('the binder', () => {
  it.each(Object.entries(cases))('%s', async (_, of) => {
    const simulation = await run(of);
    expect(look(simulation)).toEqual(of.seen);
    expect(told(simulation)).toEqual(of.events ?? []);
  });

  it.each(Object.entries(cases))('%s, lost after each write', async (_, of) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(look(await run(of, { between: interrupted }))).toEqual(of.seen);
  });

  it('follows what happens later', async () => {
    const simulation = await run({ given: given(claim('c'), claim('named', { volumeName: 'n' })), seen: [] });
    const { cluster } = simulation;
    await cluster.create(VOLUMES, volume('v', '5Gi'));
    await cluster.create(VOLUMES, volume('n', '5Gi'));
    await simulation.settle();
    expect(look(simulation)).toEqual(['c Bound v bc 5Gi', 'n Bound named b', 'named Bound n c 5Gi', 'v Bound c b']);

    await cluster.delete(CLAIMS, 'ns', 'c');
    await cluster.delete(VOLUMES, '', 'n');
    await simulation.settle();
    expect(look(simulation)).toEqual(['named Lost n c', 'v Released c b']);
    await cluster.patch(VOLUMES, '', 'v', 'merge', { spec: { claimRef: null } });
    await cluster.create(VOLUMES, volume('n', '5Gi'));
    await simulation.settle();
    expect(look(simulation)).toEqual(['n Bound named b', 'named Bound n c 5Gi', 'v Available - b']);
  });

  it('gives a claim without class the class that becomes the default', async () => {
    const simulation = await run({ given: given(claim('c', { storageClassName: undefined })), seen: [] });
    const { cluster } = simulation;
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await cluster.create(
      'storage.k8s.io/storageclasses',
      storageClass('x', 'example.com/p', { metadata: { name: 'x', annotations } }),
    );
    await simulation.settle();
    const found = cluster.peek<PersistentVolumeClaim>(CLAIMS, 'ns', 'c');
    expect([found?.spec?.storageClassName, found?.metadata.annotations]).toEqual([
      'x',
      {
        'volume.beta.kubernetes.io/storage-provisioner': 'example.com/p',
        'volume.kubernetes.io/storage-provisioner': 'example.com/p',
      },
    ]);
  });

  it('says which pods a claim waits for', async () => {
    const wait = { volumeBindingMode: 'WaitForFirstConsumer' };
    const simulation = await run({
      given: given(claim('c', { storageClassName: 'x' }), storageClass('x', 'example.com/p', wait)),
      seen: [],
    });
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }];
    for (const name of ['a', 'b']) {
      await simulation.cluster.create('core/pods', { metadata: { name, namespace: 'ns' }, spec: { volumes } } as Pod);
      await simulation.settle();
    }
    expect(told(simulation).slice(1)).toEqual([
      'WaitForPodScheduled: waiting for pod a to be scheduled',
      'WaitForPodScheduled: waiting for pods a,b to be scheduled',
    ]);
  });

  it('empties a volume for the next claim', async () => {
    const recycled = { ...forClaim('c', 'gone'), persistentVolumeReclaimPolicy: 'Recycle' };
    const source = { csi: undefined, hostPath: { path: '/data' } };
    const simulation = await run({ given: given(volume('v', '5Gi', { ...recycled, ...source }, OURS)), seen: [] });
    const { cluster } = simulation;
    const pod = () => cluster.peek<Pod>('core/pods', 'default', 'recycler-for-v');
    expect([look(simulation), pod()?.spec?.volumes]).toEqual([
      ['v Released c b'],
      [{ name: 'vol', hostPath: { path: '/data' } }],
    ]);
    await cluster.patch('core/pods', 'default', 'recycler-for-v', 'merge', { status: { phase: 'Failed' } }, 'status');
    await simulation.settle();
    expect([look(simulation), pod()?.status?.phase]).toEqual([['v Failed c b'], 'Failed']);
    await simulation.settle(300_000);
    expect([look(simulation), pod()?.status?.phase]).toEqual([['v Failed c b'], undefined]);
    await cluster.patch(
      'core/pods',
      'default',
      'recycler-for-v',
      'merge',
      { status: { phase: 'Succeeded' } },
      'status',
    );
    await simulation.settle();
    expect([look(simulation), pod()]).toEqual([['v Available -'], undefined]);
    expect(told(simulation)).toEqual([
      'VolumeFailedRecycle: Recycle failed: pod failed, pod.Status.Message unknown',
      'VolumeRecycled: Volume recycled',
    ]);
  });
});
