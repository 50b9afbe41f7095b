/** Claims of ephemeral volumes, growing claims, and volumes that are attached to nodes. */
import { describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { attachDetachController } from '../../src/controllers/attach-detach/index.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import type { Controller } from '../../src/controllers/controller.ts';
import { ephemeralVolumeController } from '../../src/controllers/ephemeral-volume/index.ts';
import { volumeExpandController } from '../../src/controllers/volume-expand/index.ts';
import type { Event, Node, PersistentVolumeClaim, Pod } from '../../src/generated/types/core.v1.ts';
import type { VolumeAttachment } from '../../src/generated/types/storage.v1.ts';
import { interrupted } from '../support/interrupted-client.ts';

const CLAIMS = 'core/persistentvolumeclaims';
const VOLUMES = 'core/persistentvolumes';
const ATTACHMENTS = 'storage.k8s.io/volumeattachments';

/** `interrupted`: every write is the last before the controller is lost. */
const start = (controller: Controller, between?: typeof interrupted): Simulation => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  return new Simulation({ controllers: [controller], kubelet: false, ...(between === undefined ? {} : { between }) });
};
const told = ({ cluster }: Simulation): string[] => [
  ...new Set(
    cluster.all<Event>('core/events').map((event) => `${event.involvedObject?.name} ${event.reason}: ${event.message}`),
  ),
];

describe('ephemeral volumes', () => {
  const pod = (name: string): Pod =>
    ({
      metadata: { name, namespace: 'ns' },
      spec: {
        volumes: [
          {
            name: 'v',
            ephemeral: {
              volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce'] } },
            },
          },
          { name: 'plain', emptyDir: {} },
        ],
      },
    }) as unknown as Pod;

  it('have a claim that is the pod’s, and again when it is deleted', async () => {
    const simulation = start(ephemeralVolumeController, interrupted);
    const { cluster } = simulation;
    await cluster.create('core/pods', pod('p'));
    await simulation.settle();
    const found = () => cluster.all<PersistentVolumeClaim>(CLAIMS).map(({ metadata, spec }) => ({ metadata, spec }));
    const uid = cluster.peek('core/pods', 'ns', 'p')?.metadata.uid;
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true, blockOwnerDeletion: true },
    ];
    const expected = [
      { metadata: { name: 'p-v', labels: { a: 'b' }, ownerReferences }, spec: { accessModes: ['ReadWriteOnce'] } },
    ];
    expect(found()).toMatchObject(expected);
    await cluster.delete(CLAIMS, 'ns', 'p-v');
    await simulation.settle();
    expect(found()).toMatchObject(expected);
  });

  it('say whose the claim is when it is not the pod’s', async () => {
    const simulation = start(ephemeralVolumeController, interrupted);
    await simulation.cluster.create(CLAIMS, { metadata: { name: 'p-v', namespace: 'ns' } });
    await simulation.cluster.create('core/pods', pod('p'));
    await simulation.settle(20);
    expect(told(simulation)).toEqual([
      'p FailedBinding: ephemeral volume v: PVC ns/p-v was not created for pod ns/p (pod is not owner)',
    ]);
  });
});

describe('growing claims', () => {
  it.each([
    ['5Gi', { csi: {} }, 'c ExternalExpanding: waiting for an external controller to expand this PVC', undefined],
    ['5Gi', { fc: {} }, 'c ExternalExpanding: waiting for an external controller to expand this PVC', undefined],
    [
      '5Gi',
      { cinder: {} },
      'c ExternalExpanding: CSI migration enabled for kubernetes.io/cinder; waiting for external resizer to expand the pvc',
      'cinder.csi.openstack.org',
    ],
    ['1Gi', { csi: {} }, undefined, undefined],
  ])('%s of %j', async (storage, source, event, resizer) => {
    const simulation = start(volumeExpandController, interrupted);
    const { cluster } = simulation;
    const claim = await cluster.create(CLAIMS, {
      metadata: { name: 'c', namespace: 'ns' },
      spec: { volumeName: 'v', resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    } as KubeObject);
    await cluster.create(VOLUMES, {
      metadata: { name: 'v' },
      spec: { ...source, claimRef: { uid: claim.metadata.uid } },
    } as KubeObject);
    await simulation.settle();
    expect(told(simulation)).toEqual([]);
    await cluster.patch(CLAIMS, 'ns', 'c', 'merge', { spec: { resources: { requests: { storage } } } });
    await simulation.settle();
    expect(told(simulation)).toEqual(event === undefined ? [] : [event]);
    const { annotations } = cluster.peek(CLAIMS, 'ns', 'c')?.metadata ?? {};
    expect(annotations?.['volume.kubernetes.io/storage-resizer']).toBe(resizer);
  });
});

describe('attachments', () => {
  async function world(modes = ['ReadWriteOnce'], attachRequired = true, between?: typeof interrupted) {
    const simulation = start(attachDetachController, between);
    const { cluster } = simulation;
    for (const name of ['n1', 'n2']) {
      await simulation.addNode(name);
      const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };
      await cluster.patch('core/nodes', '', name, 'merge', { metadata: { annotations } });
    }
    await cluster.create('storage.k8s.io/csidrivers', {
      metadata: { name: 'd' },
      spec: { attachRequired },
    } as KubeObject);
    const claim = await cluster.create(CLAIMS, {
      metadata: { name: 'c', namespace: 'ns' },
      spec: { volumeName: 'v' },
      status: { phase: 'Bound' },
    } as KubeObject);
    await cluster.create(VOLUMES, {
      metadata: { name: 'v' },
      spec: {
        accessModes: modes,
        csi: { driver: 'd', volumeHandle: 'h' },
        claimRef: { namespace: 'ns', name: 'c', uid: claim.metadata.uid },
      },
    } as KubeObject);
    const use = async (name: string, nodeName: string) => {
      const volumes = [{ name: 'x', persistentVolumeClaim: { claimName: 'c' } }];
      await cluster.create('core/pods', { metadata: { name, namespace: 'ns' }, spec: { nodeName, volumes } } as Pod);
      await simulation.settle();
    };
    const attachments = () => cluster.all<VolumeAttachment>(ATTACHMENTS);
    const patch = async (status: object) => {
      for (const { metadata } of attachments()) {
        await cluster.patch(ATTACHMENTS, '', metadata.name, 'merge', { status } as never, 'status');
      }
      await simulation.settle();
    };
    const node = async (status: object) => {
      await cluster.patch('core/nodes', '', 'n1', 'merge', { status } as never, 'status');
      await simulation.settle();
    };
    const attached = () => cluster.peek<Node>('core/nodes', '', 'n1')?.status?.volumesAttached;
    return { simulation, cluster, use, attachments, patch, node, attached };
  }

  it.each([undefined, interrupted])('follow the pods of a node: %o', async (between) => {
    const { simulation, cluster, use, attachments, patch, node, attached } = await world(undefined, true, between);
    await use('p', 'n1');
    expect(attachments()).toMatchObject([
      { spec: { attacher: 'd', nodeName: 'n1', source: { persistentVolumeName: 'v' } } },
    ]);
    expect(attachments()[0]?.metadata.name).toMatch(/^csi-[0-9a-f]{64}$/);
    expect(attached()).toBeUndefined();
    await patch({ attachError: { message: 'no' } });
    await patch({ attached: true, attachError: null });
    expect(attached()).toEqual([{ name: 'kubernetes.io/csi/d^h', devicePath: '' }]);
    // What was to be told is lost with who was to tell it.
    const events = told(simulation);
    if (between === undefined)
      expect(events).toEqual([
        'p FailedAttachVolume: AttachVolume.Attach failed for volume "v" : no',
        'p SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "v" ',
      ]);
    await node({ volumesInUse: ['kubernetes.io/csi/d^h'] });
    await cluster.delete('core/pods', 'ns', 'p', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect([attachments().length, attached()?.length]).toEqual([1, 1]);
    await node({ volumesInUse: null });
    expect([attachments().length, attached()]).toEqual([0, undefined]);
  });

  it('leave a node that does not answer any more', async () => {
    const { simulation, cluster, use, attachments, patch, node } = await world(undefined, true, interrupted);
    await use('p', 'n1');
    await patch({ attached: true });
    const lost = { type: 'Ready', status: 'Unknown', lastTransitionTime: new Date(simulation.time).toISOString() };
    await node({ volumesInUse: ['kubernetes.io/csi/d^h'], conditions: [lost] });
    await cluster.delete('core/pods', 'ns', 'p', { gracePeriodSeconds: 0 });
    await simulation.settle(300_000);
    expect(attachments()).toHaveLength(1);
    await simulation.settle(120_000);
    expect(attachments()).toHaveLength(0);
  });

  it.each([
    [
      ['ReadWriteOnce'],
      ['n1'],
      ['q FailedAttachVolume: Multi-Attach error for volume "v" Volume is already used by pod(s) p'],
    ],
    [['ReadWriteMany'], ['n1', 'n2'], []],
  ])('%j on two nodes', async (modes, nodes, events) => {
    const { simulation, cluster, use, attachments } = await world(modes);
    await use('p', 'n1');
    await use('q', 'n2');
    expect(
      attachments()
        .map(({ spec }) => spec?.nodeName)
        .sort(),
    ).toEqual(nodes);
    expect(told(simulation)).toEqual(events);
    await cluster.delete('core/pods', 'ns', 'p', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(attachments().map(({ spec }) => spec?.nodeName)).toEqual(['n2']);
  });

  it('are not for drivers that need none', async () => {
    const { use, attachments } = await world(undefined, false);
    await use('p', 'n1');
    expect(attachments()).toEqual([]);
  });
});
