/** Volumes: their phase follows their claim; one whose claim is gone is reclaimed. */
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import { modesDiffer, PROVISIONED_BY } from '../../resources/storage/binding.ts';
import type { Requeue } from '../controller.ts';
import { reclaimVolume } from './reclaim.ts';
import { type Binder, CLAIMS, setVolumePhase, tellClaim, tellVolume, unbindVolume } from './writes.ts';

/** Does what the volume needs next. */
export async function syncVolume(binder: Binder, volume: PersistentVolume): Promise<Requeue | undefined> {
  const ref = volume.spec?.claimRef;
  if (ref === undefined || !ref.uid) {
    await setVolumePhase(binder, volume, 'Available');
    return;
  }
  const { client, context } = binder;
  const named = await client.get<PersistentVolumeClaim>(CLAIMS, ref.namespace ?? '', ref.name ?? '');
  const claim = named?.metadata.uid === ref.uid ? named : undefined;
  if (claim === undefined) return release(binder, volume);
  const chosen = claim.spec?.volumeName ?? '';
  if (chosen === volume.metadata.name) {
    await setVolumePhase(binder, volume, 'Bound');
    return;
  }
  if (chosen === '') {
    if (modesDiffer(volume, claim)) tellMismatch(binder, volume, claim);
    // The binding is half done, or the volume was made for the claim: the claim's turn goes on with it.
    else context.schedule.after(`${ref.namespace}/${ref.name}`, 0);
    return;
  }
  const { persistentVolumeReclaimPolicy } = volume.spec ?? {};
  const provisioned = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  if (provisioned && persistentVolumeReclaimPolicy === 'Delete') return release(binder, volume);
  await unbindVolume(binder, volume);
  return;
}

async function release(binder: Binder, volume: PersistentVolume): Promise<Requeue | undefined> {
  const failed = volume.status?.phase === 'Failed';
  return reclaimVolume(binder, failed ? volume : await setVolumePhase(binder, volume, 'Released'));
}

function tellMismatch(binder: Binder, volume: PersistentVolume, claim: PersistentVolumeClaim): void {
  const why = 'due to incompatible volumeMode.';
  const [pv, pvc] = [volume.metadata.name, claim.metadata.name];
  const told = { type: 'Warning', reason: 'VolumeMismatch' } as const;
  const message = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${pvc}" ${why}`;
  tellVolume(binder, volume, { ...told, message });
  const other = `Cannot bind PersistentVolume "${pv}" to requested PersistentVolumeClaim ${why}`;
  tellClaim(binder, claim, { ...told, message: other });
}
