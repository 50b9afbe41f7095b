/** Claims for the generic ephemeral volumes of pods. */
import type { ResourceId } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { Controller, ObjectChange } from '../controller.ts';
import { controllerRef } from '../objects.ts';

const CLAIMS: ResourceId = 'core/persistentvolumeclaims';

const ephemeralVolumes = ({ spec }: Pod) => (spec?.volumes ?? []).filter(({ ephemeral }) => ephemeral !== undefined);

/** A pod that came, when it has such volumes. */
async function keysOfPod(change: ObjectChange): Promise<string[]> {
  const pod = change.type === 'ADDED' ? ((await change.object()) as Pod | undefined) : undefined;
  return pod !== undefined && ephemeralVolumes(pod).length > 0 ? [change.key] : [];
}

/** The pod of a claim that is gone, though it may still want it. */
async function keysOfClaim({ type, namespace, object, previous }: ObjectChange): Promise<string[]> {
  if (type !== 'DELETED') return [];
  const { ownerReferences = [] } = ((await object()) ?? previous)?.metadata ?? {};
  return ownerReferences
    .filter(({ kind, controller }) => kind === 'Pod' && controller)
    .map(({ name }) => `${namespace}/${name}`);
}

/** Upstream's `ephemeral-volume-controller`. */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  eventSource: 'ephemeral_volume',
  watches: [
    { resource: 'core/pods', keys: keysOfPod },
    { resource: CLAIMS, keys: keysOfClaim },
  ],
  async reconcile(client, { namespace, name }, { events }) {
    const pod = await client.get<Pod>('core/pods', namespace, name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    const fail = (volume: string, why: string): never => {
      const about = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata };
      events.record(about, 'Warning', 'FailedBinding', `ephemeral volume ${volume}: ${why}`);
      throw new Error(`pod ${namespace}/${name}, ephemeral volume ${volume}: ${why}`);
    };
    for (const { name: volume, ephemeral } of ephemeralVolumes(pod)) {
      const claimName = `${name}-${volume}`;
      const claim = await client.get<PersistentVolumeClaim>(CLAIMS, namespace, claimName);
      if (claim !== undefined) {
        const owned = claim.metadata.ownerReferences?.some(
          ({ uid, controller }) => controller && uid === pod.metadata.uid,
        );
        if (owned) continue;
        fail(
          volume ?? '',
          `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${name} (pod is not owner)`,
        );
      }
      const { metadata = {}, spec } = ephemeral?.volumeClaimTemplate ?? {};
      const { labels, annotations } = metadata as PersistentVolumeClaim['metadata'];
      const ownerReferences = [controllerRef(pod, 'v1', 'Pod')];
      const wanted: PersistentVolumeClaim = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: claimName,
          namespace,
          ...(labels === undefined ? {} : { labels }),
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences,
        },
        ...(spec === undefined ? {} : { spec }),
      };
      try {
        await client.create(CLAIMS, wanted);
      } catch (error) {
        if (isReason(error, 'AlreadyExists')) throw error;
        fail(volume ?? '', `create PVC ${claimName}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return;
  },
};
