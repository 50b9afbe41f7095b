/** What becomes of a volume whose claim is gone: it is kept, deleted, or emptied for the next one. */
import { isReason } from '../../apimachinery/errors.ts';
import type { PersistentVolume, Pod } from '../../generated/types/core.v1.ts';
import { PROVISIONED_BY } from '../../resources/storage/binding.ts';
import type { Requeue } from '../controller.ts';
import { deleteIfPresent, timeOf } from '../objects.ts';
import { isPodTerminal } from '../pods.ts';
import { claimsOfPod } from './claim.ts';
import { type Binder, setVolumePhase, tellVolume, unbindVolume, VOLUMES } from './writes.ts';

const MIGRATED_TO = 'pv.kubernetes.io/migrated-to';
/** Sources that are known here, though none but those under /tmp of a node can be deleted from here. */
const KNOWN_SOURCES = ['hostPath', 'nfs', 'fc', 'iscsi', 'csi'] as const;
/** A volume that is in use, or could not be emptied, is looked at again after so long: more than a recycler may take. */
const RETRY_MS = 120_000;
const RECYCLER_IMAGE = 'registry.k8s.io/build-image/debian-base:bookworm-v1.0.4';
const RECYCLER_SECONDS = 60;
const SCRUB = 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1';

/** Does what the volume's reclaim policy says. */
export async function reclaimVolume(binder: Binder, volume: PersistentVolume): Promise<Requeue | undefined> {
  if (volume.metadata.annotations?.[MIGRATED_TO]) return;
  const policy = volume.spec?.persistentVolumeReclaimPolicy;
  if (policy === 'Retain') return;
  if (policy === 'Delete') return deleteVolume(binder, volume);
  if (policy === 'Recycle') return recycleVolume(binder, volume);
  await fail(binder, volume, 'VolumeUnknownReclaimPolicy', 'Volume has an unrecognized PersistentVolumeReclaimPolicy');
  return;
}

async function fail(binder: Binder, volume: PersistentVolume, reason: string, message: string): Promise<void> {
  await setVolumePhase(binder, volume, 'Failed', { type: 'Warning', reason, message });
}

/** Why the volume cannot be deleted here; undefined when it can, `external` when another does so. */
function deletion({ metadata, spec }: PersistentVolume): { refused?: string; external?: true } {
  const provisioner = metadata.annotations?.[PROVISIONED_BY];
  if (provisioner) {
    return provisioner.startsWith('kubernetes.io/')
      ? { refused: `no volume plugin matched name: ${provisioner}` }
      : { external: true };
  }
  const path = spec?.hostPath?.path;
  if (path !== undefined) {
    if (/^\/tmp\/.+/.test(path)) return {};
    return { refused: `host_path deleter only supports /tmp/.+ but received provided ${path}` };
  }
  const known = KNOWN_SOURCES.some((source) => spec?.[source] !== undefined);
  const why = known ? 'no deletable volume plugin matched' : 'no volume plugin matched';
  return { refused: `error getting deleter volume plugin for volume "${metadata.name}": ${why}` };
}

/** Volumes that a provisioner made are deleted by it; of others there is nothing to delete but the object. */
async function deleteVolume(binder: Binder, volume: PersistentVolume): Promise<undefined> {
  const { refused, external } = deletion(volume);
  if (refused !== undefined) await fail(binder, volume, 'VolumeFailedDelete', refused);
  else if (external === undefined) await deleteIfPresent(binder.client, VOLUMES, volume);
  return;
}

async function usersOf({ client }: Binder, { spec }: PersistentVolume): Promise<string[]> {
  const { namespace = '', name = '' } = spec?.claimRef ?? {};
  const { items } = await client.list<Pod>('core/pods', { namespace });
  return items
    .filter((pod) => !isPodTerminal(pod) && claimsOfPod(pod).includes(name))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

/** A pod that empties the volume. Its name is the volume's, so that there is one at a time. */
function recyclerPod({ metadata, spec }: PersistentVolume): Pod | undefined {
  const { hostPath, nfs } = spec ?? {};
  if (hostPath === undefined && nfs === undefined) return;
  const source = hostPath === undefined ? { nfs } : { hostPath: { path: hostPath.path } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `recycler-for-${metadata.name}`, namespace: 'default' },
    spec: {
      activeDeadlineSeconds: RECYCLER_SECONDS,
      restartPolicy: 'Never',
      volumes: [{ name: 'vol', ...source }],
      containers: [
        {
          name: 'pv-recycler',
          image: RECYCLER_IMAGE,
          command: ['/bin/sh'],
          args: ['-c', SCRUB],
          volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
        },
      ],
    },
  };
}

async function recycleVolume(binder: Binder, volume: PersistentVolume): Promise<Requeue | undefined> {
  const users = await usersOf(binder, volume);
  if (users.length > 0) {
    const message = `Volume is used by pods: ${users.join(',')}`;
    tellVolume(binder, volume, { type: 'Normal', reason: 'VolumeFailedRecycle', message });
    return { requeueAfterMs: RETRY_MS };
  }
  const wanted = recyclerPod(volume);
  if (wanted === undefined) {
    await fail(binder, volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    return;
  }
  const { client } = binder;
  const pod = await client.get<Pod>('core/pods', 'default', wanted.metadata.name);
  if (pod === undefined) {
    try {
      await client.create('core/pods', wanted);
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error;
    }
    return { requeueAfterMs: RETRY_MS };
  }
  if (pod.status?.phase === 'Succeeded') {
    tellVolume(binder, volume, { type: 'Normal', reason: 'VolumeRecycled', message: 'Volume recycled' });
    await unbindVolume(binder, volume);
    await deleteIfPresent(client, 'core/pods', pod);
    return;
  }
  if (pod.status?.phase === 'Failed') {
    const { message } = pod.status;
    const why = message ? `failed to recycle volume: ${message}` : 'pod failed, pod.Status.Message unknown';
    await fail(binder, volume, 'VolumeFailedRecycle', `Recycle failed: ${why}`);
    // The failed pod stays until its successor's time has come.
    const left = timeOf(pod.metadata.creationTimestamp) + RETRY_MS - binder.context.now();
    if (left > 0) return { requeueAfterMs: left };
    await deleteIfPresent(client, 'core/pods', pod);
  }
  return { requeueAfterMs: RETRY_MS };
}
