/** Claims: finds them their volume, and keeps a binding that was made. */
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { StorageClass } from '../../generated/types/storage.v1.ts';
import {
  allowsAccess,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classOf,
  findMatchingVolume,
  hasClass,
  isVolumeBoundToClaim,
  modesDiffer,
  SELECTED_NODE,
  storageOf,
} from '../../resources/storage/binding.ts';
import { isPodTerminal } from '../pods.ts';
import { defaultClass, provisionClaim } from './provision.ts';
import { type Binder, bind, CLAIMS, CLASSES, setClaimStatus, type Told, tellClaim, VOLUMES } from './writes.ts';

const warning = (reason: string, message: string): Told => ({ type: 'Warning', reason, message });
const normal = (reason: string, message: string): Told => ({ type: 'Normal', reason, message });

/** Does what the claim needs next. */
export function syncClaim(binder: Binder, claim: PersistentVolumeClaim): Promise<void> {
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return syncBound(binder, claim);
  return claim.spec?.volumeName ? syncChosen(binder, claim, claim.spec.volumeName) : syncUnbound(binder, claim);
}

/** The best volume: of those with the fewest access modes beyond what is wanted, the reserved or the smallest one. */
function bestVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[], reservedOnly: boolean) {
  const allowed = volumes.filter((volume) => allowsAccess(volume, claim));
  const byModes = Map.groupBy(allowed, ({ spec }) => [...new Set(spec?.accessModes)].sort().join());
  const fewestFirst = [...byModes].sort(([a], [b]) => a.split(',').length - b.split(',').length || (a < b ? -1 : 1));
  for (const [, group] of fewestFirst) {
    const found = findMatchingVolume(claim, group, { reservedOnly });
    if (found !== undefined) return found;
  }
  return;
}

async function syncUnbound(binder: Binder, claim: PersistentVolumeClaim): Promise<void> {
  const { client } = binder;
  const className = classOf(claim);
  const found = className === '' ? undefined : await client.get<StorageClass>(CLASSES, '', className);
  const waits = found?.volumeBindingMode === 'WaitForFirstConsumer';
  const { items: volumes } = await client.list<PersistentVolume>(VOLUMES);
  const volume = bestVolume(claim, volumes, waits);
  if (volume !== undefined) return bind(binder, volume, claim);

  if (!hasClass(claim)) {
    const standard = await defaultClass(client);
    if (standard !== undefined) {
      const spec = { ...claim.spec, storageClassName: standard.metadata.name };
      await client.update<PersistentVolumeClaim>(CLAIMS, { ...claim, spec });
      return;
    }
  }
  if (waits && claim.metadata.annotations?.[SELECTED_NODE] === undefined) {
    tellClaim(binder, claim, await whyWaiting(binder, claim));
  } else if (className !== '') {
    return provisionClaim(binder, claim, className, found);
  } else {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    tellClaim(binder, claim, normal('FailedBinding', message));
  }
  await setClaimStatus(binder, claim, 'Pending');
}

/** A claim whose volume waits for a pod: whether there is one yet. */
async function whyWaiting({ client }: Binder, { metadata }: PersistentVolumeClaim): Promise<Told> {
  const { items } = await client.list<Pod>('core/pods', { namespace: metadata.namespace ?? '' });
  const names = items
    .filter((pod) => !isPodTerminal(pod) && !pod.spec?.nodeName && claimsOfPod(pod).includes(metadata.name))
    .map((pod) => pod.metadata.name);
  if (names.length === 0) {
    return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  }
  const pods = `pod${names.length > 1 ? 's' : ''} ${names.join(',')}`;
  return normal('WaitForPodScheduled', `waiting for ${pods} to be scheduled`);
}

/** The names of the claims that a pod uses, those of its ephemeral volumes among them. */
export function claimsOfPod({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim?.claimName) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
  });
}

/** Why the volume that the claim's user chose does not do. */
function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const { metadata, spec } = volume;
  if (metadata.deletionTimestamp !== undefined) return `the volume is marked for deletion "${metadata.name}"`;
  if (compareQuantity(storageOf(spec?.capacity), storageOf(claim.spec?.resources?.requests)) < 0) {
    return 'requested PV is too small';
  }
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if ((spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? '')) {
    return 'volumeAttributesClassName does not match';
  }
  if (modesDiffer(volume, claim)) return 'incompatible volumeMode';
  return allowsAccess(volume, claim) ? undefined : 'incompatible accessMode';
}

async function syncChosen(binder: Binder, claim: PersistentVolumeClaim, name: string): Promise<void> {
  const volume = await binder.client.get<PersistentVolume>(VOLUMES, '', name);
  if (volume !== undefined && isVolumeBoundToClaim(volume, claim)) return bind(binder, volume, claim);
  if (volume !== undefined && volume.spec?.claimRef === undefined) {
    const why = mismatch(volume, claim);
    if (why === undefined) return bind(binder, volume, claim);
    tellClaim(binder, claim, warning('VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`));
  } else if (volume !== undefined) {
    tellClaim(binder, claim, warning('FailedBinding', `volume "${name}" already bound to a different claim.`));
    // Somebody took the mark of the binding away: nothing can be said of such a claim.
    if (claim.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined) return;
  }
  await setClaimStatus(binder, claim, 'Pending');
}

async function syncBound(binder: Binder, claim: PersistentVolumeClaim): Promise<void> {
  const lose = async (reason: string, message: string): Promise<void> => {
    await setClaimStatus(binder, claim, 'Lost', undefined, warning(reason, message));
  };
  const name = claim.spec?.volumeName ?? '';
  if (name === '') {
    return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  }
  const volume = await binder.client.get<PersistentVolume>(VOLUMES, '', name);
  if (volume === undefined) {
    return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  }
  const ref = volume.spec?.claimRef;
  if (ref === undefined || ref.uid === claim.metadata.uid) return bind(binder, volume, claim);
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}
