/** The writes of the binder. Each carries the resourceVersion that it decided upon: who comes second looks again. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, bindVolumeToClaim } from '../../resources/storage/binding.ts';
import type { ControllerContext } from '../controller.ts';

export const CLAIMS = 'core/persistentvolumeclaims';
export const VOLUMES = 'core/persistentvolumes';
export const CLASSES = 'storage.k8s.io/storageclasses';

/** What the parts of the binder need. */
export interface Binder {
  client: Client;
  context: ControllerContext;
}

/** An event about a claim or a volume, told only when the write that it is about went well. */
export interface Told {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Records an event about a claim. */
export function tellClaim({ context }: Binder, claim: PersistentVolumeClaim, { type, reason, message }: Told): void {
  const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: claim.metadata };
  context.events.record(about, type, reason, message);
}

/** Records an event about a volume. */
export function tellVolume({ context }: Binder, volume: PersistentVolume, { type, reason, message }: Told): void {
  const about = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: volume.metadata };
  context.events.record(about, type, reason, message);
}

/** Gives the volume its phase; one that has it already is left alone, and nothing is told. */
export async function setVolumePhase(
  binder: Binder,
  volume: PersistentVolume,
  phase: string,
  told?: Told,
): Promise<PersistentVolume> {
  if (volume.status?.phase === phase) return volume;
  const { message: _, ...status } = volume.status ?? {};
  const message = told === undefined ? {} : { message: told.message };
  const next = { ...volume, status: { ...status, phase, ...message } };
  const written = await binder.client.update<PersistentVolume>(VOLUMES, next, 'status');
  if (told !== undefined) tellVolume(binder, written, told);
  return written;
}

/** Gives the claim its phase, and of the volume that it is bound to modes and, when it becomes bound, size and attributes. */
export async function setClaimStatus(
  binder: Binder,
  claim: PersistentVolumeClaim,
  phase: string,
  volume?: PersistentVolume,
  told?: Told,
): Promise<PersistentVolumeClaim> {
  const { accessModes, capacity, ...rest } = claim.status ?? {};
  const status: NonNullable<PersistentVolumeClaim['status']> = { ...rest, phase };
  if (volume !== undefined) {
    if (volume.spec?.accessModes !== undefined) status.accessModes = volume.spec.accessModes;
    if (capacity !== undefined) status.capacity = capacity;
    // Of a bound claim the size may differ while its file system is being resized.
    if (claim.status?.phase !== phase) {
      const storage = volume.spec?.capacity?.['storage'];
      if (storage === undefined) {
        throw new Error(`PersistentVolume "${volume.metadata.name}" is without a storage capacity`);
      }
      const same = capacity?.['storage'] !== undefined && compareQuantity(capacity['storage'], storage) === 0;
      if (!same) status.capacity = { ...capacity, storage };
      const attributes = volume.spec?.volumeAttributesClassName;
      if (attributes !== undefined) status.currentVolumeAttributesClassName = attributes;
    }
  }
  if (deepEqual(claim.status ?? {}, status)) return claim;
  const turns = claim.status?.phase !== phase;
  const written = await binder.client.update<PersistentVolumeClaim>(CLAIMS, { ...claim, status }, 'status');
  if (told !== undefined && turns) tellClaim(binder, written, told);
  return written;
}

/** The claim with the volume's name and the marks of a complete binding; the same object where nothing is missing. */
function bindClaimToVolume(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const { name } = volume.metadata;
  const before = claim.metadata.annotations ?? {};
  const chosen = claim.spec?.volumeName !== name;
  if (!chosen && before[BIND_COMPLETED] !== undefined) return claim;
  const annotations = {
    ...before,
    [BIND_COMPLETED]: before[BIND_COMPLETED] ?? 'yes',
    ...(chosen && before[BOUND_BY_CONTROLLER] === undefined ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}),
  };
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: name } };
}

/** Binds both to each other, the volume first: any part may have been done before. */
export async function bind(binder: Binder, volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
  const { client } = binder;
  let bound = bindVolumeToClaim(volume, claim);
  if (bound !== volume) bound = await client.update<PersistentVolume>(VOLUMES, bound);
  bound = await setVolumePhase(binder, bound, 'Bound');
  let marked = bindClaimToVolume(claim, bound);
  if (marked !== claim) marked = await client.update<PersistentVolumeClaim>(CLAIMS, marked);
  await setClaimStatus(binder, marked, 'Bound', bound);
}

/** Frees the volume: of one that its user reserved for a claim only the uid is forgotten. */
export async function unbindVolume(binder: Binder, volume: PersistentVolume): Promise<void> {
  const { [BOUND_BY_CONTROLLER]: ours, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec ?? {};
  const { uid: _, ...reservation } = claimRef ?? {};
  const freed: PersistentVolume =
    ours === undefined
      ? { ...volume, spec: { ...spec, claimRef: reservation } }
      : { ...volume, metadata: { ...volume.metadata, annotations }, spec };
  const written = await binder.client.update<PersistentVolume>(VOLUMES, freed);
  await setVolumePhase(binder, written, 'Available');
}
