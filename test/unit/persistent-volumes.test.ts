/** PersistentVolumes and their claims: what they may say, how they may change, and what follows from what they say. */
import { describe, expect, it } from 'vitest';
import { persistentVolumeClaimResize } from '../../src/api/admission/persistent-volume-claim-resize.ts';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../../src/generated/types/core.v1.ts';
import { persistentVolume } from '../../src/resources/core/persistentvolume.ts';
import { persistentVolumeClaim } from '../../src/resources/core/persistentvolumeclaim.ts';
import type { Resource } from '../../src/resources/resource.ts';

function statusUpdate(resource: Resource, object: KubeObject, old: KubeObject): string[] {
  const strategy = resource.subresources?.find(({ name }) => name === 'status')?.strategy;
  strategy?.prepareForUpdate(object, old);
  return strategy?.validateUpdate?.(object, old).map(toMessage) ?? [];
}

describe('PersistentVolumes', () => {
  const { strategy } = persistentVolume;
  const node = (key: string, value = 'n') => ({
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [value] }] }] },
  });
  const volumeOf = (spec: PersistentVolumeSpec, more: Partial<PersistentVolume> = {}): PersistentVolume => {
    const whole = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...structuredClone(spec) };
    const volume: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      ...more,
      spec: whole,
    };
    strategy.default?.(volume);
    return volume;
  };
  const hostPath = { path: '/a' };

  it('have the defaults of their storage', () => {
    expect(volumeOf({ hostPath }).spec).toMatchObject({
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
      hostPath: { type: '' },
    });
    expect(volumeOf({ rbd: { monitors: ['a'], image: 'i' } }).spec?.rbd).toMatchObject({ pool: 'rbd', user: 'admin' });
  });

  it.each<[string, PersistentVolumeSpec, string[]]>([
    ['one kind of storage', { hostPath }, []],
    [
      'no more than one',
      { hostPath, nfs: { server: 's', path: '/' } },
      ['spec.nfs: Forbidden: may not specify more than 1 volume type'],
    ],
    ['some kind', {}, ['spec: Required value: must specify a volume type']],
    [
      'nodes of a local volume',
      { local: { path: '/a' } },
      ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
    ],
    [
      'one pod at a time, or several',
      { hostPath, accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'something of a host that can be recycled',
      { hostPath: { path: '//' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ],
    [
      'secrets with their namespace',
      { csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { name: 's' } } },
      ['spec.csi.nodePublishSecretRef.namespace: Required value'],
    ],
    [
      'a lun with its names',
      { fc: { targetWWNs: ['a'] } },
      ['spec.fc.lun: Required value: lun is required if targetWWNs is specified'],
    ],
    ['monitors', { cephfs: {} }, ['spec.cephFS.monitors: Required value']],
    [
      'options of its own',
      { flexVolume: { driver: 'd', options: { 'x.kubernetes.io/a': 'b', 'my/k8s.io': 'c' } } },
      [
        'spec.flexVolume.options[x.kubernetes.io/a]: Invalid value: "x.kubernetes.io/a": kubernetes.io and k8s.io namespaces are reserved',
      ],
    ],
    [
      'registries with ports',
      { quobyte: { registry: 'a:1,[::1]:2,b', volume: 'v' } },
      [
        'spec.quobyte.registry: Invalid value: "a:1,[::1]:2,b": must be a host:port pair or multiple pairs separated by commas',
      ],
    ],
    [
      'attributes of CSI only',
      { hostPath, volumeAttributesClassName: 'a' },
      ['spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
    ],
  ])('name %s', (_, spec, expected) => {
    expect(strategy.validate?.(volumeOf(spec)).map(toMessage)).toEqual(expected);
  });

  const update = (now: PersistentVolumeSpec, old: PersistentVolumeSpec): string[] =>
    strategy.validateUpdate?.(volumeOf(now), volumeOf(old)).map(toMessage) ?? [];

  it('keep their storage, and the nodes that have it', () => {
    const [refusal] = update({ hostPath: { path: '/b' } }, { hostPath });
    expect(refusal).toContain('spec.persistentvolumesource is immutable after creation\n@@ -');
    expect(refusal).toContain('\n-  "Path": "/a",\n+  "Path": "/b",\n');
    expect(update({ hostPath, nodeAffinity: node('a') }, { hostPath })).toEqual([]);
    expect(update({ hostPath, nodeAffinity: node('a') }, { hostPath, nodeAffinity: node('b') })).toEqual([
      expect.stringMatching(
        /^nodeAffinity: Invalid value: \{"Required".* field is immutable, except for updating from beta/,
      ),
    ]);
  });

  it('may follow a label of nodes to its new name', () => {
    const [old, today] = ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'];
    expect(update({ hostPath, nodeAffinity: node(today) }, { hostPath, nodeAffinity: node(old) })).toEqual([]);
    expect(update({ hostPath, nodeAffinity: node(today, 'm') }, { hostPath, nodeAffinity: node(old) })).toHaveLength(1);
    expect(strategy.warnings?.(volumeOf({ hostPath, nodeAffinity: node(old) }))).toEqual([
      `spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: ${old} is deprecated since v1.17; use "${today}" instead`,
    ]);
  });

  it('may get a secret for growing, once', () => {
    const csi = { driver: 'd', volumeHandle: 'h' };
    const ref = (name: string) => ({ csi: { ...csi, controllerExpandSecretRef: { name, namespace: 'n' } } });
    expect(update(ref('a'), { csi })).toEqual([]);
    expect(update(ref('b'), ref('a'))).toHaveLength(1);
  });

  it('find every fault of an update twice', () => {
    const fault = 'spec.hostPath.path: Required value';
    expect(update({ hostPath: { path: '' } }, { hostPath: { path: '' } })).toEqual([fault, fault]);
  });

  it('say since when they are in their phase', () => {
    const since = '2020-01-01T00:00:00Z';
    const old = volumeOf({ hostPath }, { status: { phase: 'Pending', lastPhaseTransitionTime: since } });
    const same = volumeOf({}, { status: { phase: 'Pending', message: 'm', lastPhaseTransitionTime: since } });
    statusUpdate(persistentVolume, same, old);
    expect(same).toMatchObject({ spec: { hostPath }, status: { lastPhaseTransitionTime: since } });
    const bound = volumeOf({}, { status: { phase: 'Bound', lastPhaseTransitionTime: since } });
    statusUpdate(persistentVolume, bound, old);
    expect(bound.status?.lastPhaseTransitionTime).not.toBe(since);
  });
});

const claimOf = (
  spec: PersistentVolumeClaimSpec = {},
  more: Partial<PersistentVolumeClaim> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'c' },
  ...more,
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...structuredClone(spec) },
});
const sized = (storage: string): PersistentVolumeClaimSpec => ({ resources: { requests: { storage } } });
const bound = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } };

describe('PersistentVolumeClaims', () => {
  const { strategy } = persistentVolumeClaim;
  const update = (now: PersistentVolumeClaim, old: PersistentVolumeClaim): string[] =>
    strategy.validateUpdate?.(now, old).map(toMessage) ?? [];

  it.each<[string, PersistentVolumeClaim, PersistentVolumeClaim]>([
    ['a volume that is found', claimOf({ volumeName: 'v' }), claimOf()],
    ['a class that is found', claimOf({ storageClassName: 's' }), claimOf()],
    ['more room, once bound', claimOf(sized('2Gi'), bound), claimOf({}, bound)],
    [
      'other attributes, once bound',
      claimOf({ volumeAttributesClassName: 'b' }, bound),
      claimOf({ volumeAttributesClassName: 'a' }, bound),
    ],
    ['less room, where growing has failed', claimOf(sized('2Gi'), bound), claimOf(sized('3Gi'), bound)],
  ])('may get %s', (_, now, old) => {
    expect(update(now, old)).toEqual([]);
  });

  it.each<[string, PersistentVolumeClaim, PersistentVolumeClaim, RegExp[]]>([
    [
      'another volume',
      claimOf({ volumeName: 'w' }),
      claimOf({ volumeName: 'v' }),
      [/^spec: .*\n@@ .*\n[^@]*- "VolumeName": "v",\n\+ "VolumeName": "w",\n/],
    ],
    [
      'more room before',
      claimOf(sized('2Gi')),
      claimOf(),
      [/^spec: Forbidden: spec is immutable after creation except resources.requests and/],
    ],
    [
      'less room than there is',
      claimOf(sized('512Mi'), bound),
      claimOf(sized('3Gi'), bound),
      [/^spec.resources.requests.storage: .*less than status.capacity/],
    ],
    [
      'no attributes',
      claimOf({ volumeAttributesClassName: '' }, bound),
      claimOf({ volumeAttributesClassName: 'a' }, bound),
      [/update from non-nil value to an empty string is forbidden$/],
    ],
    [
      'another mode',
      claimOf({ volumeMode: 'Block' }),
      claimOf({ volumeMode: 'Filesystem' }),
      [/^spec: /, /^volumeMode: .*field is immutable/],
    ],
  ])('may not get %s', (_, now, old, expected) => {
    expect(update(now, old)).toEqual(expected.map((message) => expect.stringMatching(message)));
  });

  it('move their class from the annotation to the field', () => {
    const annotated = (value: string) => ({
      metadata: { name: 'c', annotations: { 'volume.beta.kubernetes.io/storage-class': value } },
    });
    expect(update(claimOf({ storageClassName: 's' }), claimOf({}, annotated('s')))).toEqual([]);
    expect(update(claimOf({}, annotated('t')), claimOf({}, annotated('s')))).toEqual([
      'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "t": field is immutable',
    ]);
  });

  const source = { kind: 'PersistentVolumeClaim', name: 'other' };
  it.each<[string, PersistentVolumeClaimSpec, PersistentVolumeClaimSpec]>([
    ['the reference follows from the source', { dataSource: source }, { dataSource: source, dataSourceRef: source }],
    ['the source follows from the reference', { dataSourceRef: source }, { dataSource: source, dataSourceRef: source }],
    ['a source of another kind goes', { dataSource: { apiGroup: 'x.io', kind: 'X', name: 'x' } }, {}],
    [
      'a reference of another kind stays',
      { dataSourceRef: { apiGroup: 'x.io', kind: 'X', name: 'x' } },
      { dataSource: { apiGroup: 'x.io', kind: 'X', name: 'x' } },
    ],
    ['a reference to another namespace goes', { dataSourceRef: { ...source, namespace: 'n' } }, {}],
  ])('are filled from a source: %s', (_, spec, expected) => {
    const claim = claimOf(spec);
    strategy.prepareForCreate?.(claim);
    expect(claim.spec).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(claim.spec?.dataSource ?? claim.spec?.dataSourceRef).toBeUndefined();
  });

  it('warn of parts of bytes', () => {
    expect(strategy.warnings?.(claimOf(sized('1500m')))).toEqual([
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ]);
    expect(strategy.warnings?.(claimOf(sized('1500')))).toEqual([]);
  });

  it('have no less than nothing', () => {
    const negative = claimOf({}, { status: { phase: 'Bound', capacity: { storage: '-1' } } });
    expect(statusUpdate(persistentVolumeClaim, negative, claimOf())).toEqual([
      'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
    ]);
  });
});

describe('growing claims', () => {
  const growing = (claim: PersistentVolumeClaim, old: PersistentVolumeClaim) => {
    const classes: Record<string, object> = {
      grows: { metadata: { name: 'grows' }, allowVolumeExpansion: true },
      stays: { metadata: { name: 'stays' } },
    };
    const get = async (key: string) => (classes[key] === undefined ? null : JSON.stringify(classes[key]));
    const context = { info: { cluster: 'test' }, around: { store: () => ({ get }) } };
    const attributes = { context, resource: persistentVolumeClaim, object: claim, old } as never;
    return persistentVolumeClaimResize.validate?.(attributes) ?? Promise.resolve();
  };
  const of = (storageClassName: string, size: string, more = bound) =>
    claimOf({ storageClassName, ...sized(size) }, more);

  it('takes a claim that is bound and a class that lets it', async () => {
    await expect(growing(of('grows', '2Gi'), of('grows', '1Gi'))).resolves.toBeUndefined();
    await expect(growing(of('stays', '1Gi'), of('stays', '2Gi'))).resolves.toBeUndefined();
    const pending = { status: { phase: 'Pending', capacity: { storage: '0' } } };
    await expect(growing(of('grows', '2Gi', pending), of('grows', '1Gi', pending))).rejects.toThrow(
      'Only bound persistent volume claims can be expanded',
    );
    for (const name of ['stays', 'gone', '']) {
      await expect(growing(of(name, '2Gi'), of(name, '1Gi'))).rejects.toThrow(/must support resize$/);
    }
  });
});
