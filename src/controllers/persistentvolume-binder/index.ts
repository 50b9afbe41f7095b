/** Binds claims and volumes to each other. */
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';
import { syncClaim } from './claim.ts';
import { keysOfClaim, keysOfClass, keysOfPod, keysOfVolume } from './keys.ts';
import { syncVolume } from './volume.ts';
import { CLAIMS, CLASSES, VOLUMES } from './writes.ts';

/**
 * Upstream's `persistentvolume-binder-controller`. A binding is four writes, the volume's first; each may be the last before an eviction,
 * and the next turn of the claim or the volume goes on from there.
 */
export const persistentVolumeBinder: Controller = {
  name: 'persistentvolume-binder-controller',
  eventSource: 'persistentvolume-controller',
  watches: [
    { resource: CLAIMS, keys: keysOfClaim },
    { resource: VOLUMES, keys: keysOfVolume },
    { resource: CLASSES, keys: keysOfClass },
    { resource: 'core/pods', keys: keysOfPod },
  ],
  async reconcile(client, { namespace, name }, context) {
    const binder = { client, context };
    if (namespace === '') {
      const volume = await client.get<PersistentVolume>(VOLUMES, '', name);
      return volume === undefined ? undefined : syncVolume(binder, volume);
    }
    const claim = await client.get<PersistentVolumeClaim>(CLAIMS, namespace, name);
    if (claim !== undefined) await syncClaim(binder, claim);
    return;
  },
};
