/** Claims, volumes and attribute classes stay while they are used, however often they are deleted. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { type Controller, itself, type ObjectChange } from '../controller.ts';
import { claimsOfPod } from '../persistentvolume-binder/claim.ts';
import { protect } from './finalizer.ts';

const CLAIMS = 'core/persistentvolumeclaims';
const VOLUMES = 'core/persistentvolumes';
const CLASSES = 'storage.k8s.io/volumeattributesclasses';

/** Whether the node is done with the pod, which only waits for what it owns to go. */
const isShutDown = ({ metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;

/** The claims that a pod names, and while it runs those made for its ephemeral volumes: they go with it. */
function usedClaims(pod: Pod): string[] {
  const named = (pod.spec?.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
  return isShutDown(pod) ? named : claimsOfPod(pod);
}

/** A pod lets go of its claims only when it goes. */
async function claimKeys({ type, namespace, object, previous }: ObjectChange): Promise<string[]> {
  const pod = ((await object()) ?? previous) as Pod | undefined;
  if (pod === undefined || (type !== 'DELETED' && !isShutDown(pod))) return [];
  return claimsOfPod(pod).map((name) => `${namespace}/${name}`);
}

/** Upstream's `persistentvolumeclaim-protection-controller`. */
export const claimProtection: Controller = {
  name: 'persistentvolumeclaim-protection-controller',
  watches: [
    { resource: CLAIMS, keys: itself },
    { resource: 'core/pods', keys: claimKeys },
  ],
  reconcile: (client, ref) =>
    protect<PersistentVolumeClaim>(client, CLAIMS, ref, 'kubernetes.io/pvc-protection', async () => {
      const { items } = await client.list<Pod>('core/pods', { namespace: ref.namespace });
      // A pod without a node has not touched its volumes.
      return items.some((pod) => Boolean(pod.spec?.nodeName) && usedClaims(pod).includes(ref.name));
    }),
};

/** Upstream's `persistentvolume-protection-controller`. */
export const volumeProtection: Controller = {
  name: 'persistentvolume-protection-controller',
  watches: [{ resource: VOLUMES, keys: itself }],
  reconcile: (client, ref) =>
    protect<PersistentVolume>(
      client,
      VOLUMES,
      ref,
      'kubernetes.io/pv-protection',
      ({ status }) => status?.phase === 'Bound',
    ),
};

/** The classes that a claim or a volume names, before and after a change. */
async function classKeys({ object, previous }: ObjectChange): Promise<string[]> {
  const states = [await object(), previous] as ({ spec?: { volumeAttributesClassName?: string } } | undefined)[];
  return states.flatMap((state) => state?.spec?.volumeAttributesClassName ?? []);
}

/** Upstream's `volumeattributesclass-protection-controller`. */
export const attributesClassProtection: Controller = {
  name: 'volumeattributesclass-protection-controller',
  watches: [
    { resource: CLASSES, keys: itself },
    { resource: CLAIMS, keys: classKeys },
    { resource: VOLUMES, keys: classKeys },
  ],
  reconcile: (client, ref) =>
    protect(client, CLASSES, ref, 'kubernetes.io/vac-protection', async () => {
      const [claims, volumes] = await Promise.all([
        client.list<PersistentVolumeClaim>(CLAIMS),
        client.list<PersistentVolume>(VOLUMES),
      ]);
      const uses = ({ spec }: PersistentVolumeClaim | PersistentVolume): boolean =>
        spec?.volumeAttributesClassName === ref.name;
      return claims.items.some(uses) || volumes.items.some(uses);
    }),
};
