/** Which claims and volumes a change concerns. Keys of claims have a namespace, those of volumes have none. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { BIND_COMPLETED, classOf, hasClass } from '../../resources/storage/binding.ts';
import { keyOf, type ObjectChange } from '../controller.ts';
import { isPodTerminal } from '../pods.ts';
import { claimsOfPod } from './claim.ts';
import { CLAIMS, VOLUMES } from './writes.ts';

const RECYCLER = /^recycler-for-(.+)$/;

async function claimsThat(client: Client, holds: (claim: PersistentVolumeClaim) => boolean): Promise<string[]> {
  const { items } = await client.list<PersistentVolumeClaim>(CLAIMS);
  return items.filter(holds).map(keyOf);
}

const isUnbound = ({ metadata }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[BIND_COMPLETED] === undefined;

/** The claim, and the volumes that name it. */
export async function keysOfClaim(change: ObjectChange, client: Client): Promise<string[]> {
  const claim = (await change.object()) as PersistentVolumeClaim | undefined;
  const before = change.previous as PersistentVolumeClaim | undefined;
  const names = [claim?.spec?.volumeName, before?.spec?.volumeName];
  const keys = new Set([change.key, ...names.filter((name): name is string => Boolean(name))]);
  if (change.type !== 'DELETED' || names.some(Boolean)) return [...keys];
  // It went half bound, or unseen: a volume may wait for it in vain.
  const { items } = await client.list<PersistentVolume>(VOLUMES);
  for (const { metadata, spec } of items) {
    if (spec?.claimRef?.namespace === change.namespace && spec.claimRef.name === change.name) keys.add(metadata.name);
  }
  return [...keys];
}

/** The volume, the claim that it names, and when it can be had the claims that may want it. */
export async function keysOfVolume(change: ObjectChange, client: Client): Promise<string[]> {
  const volume = (await change.object()) as PersistentVolume | undefined;
  const before = change.previous as PersistentVolume | undefined;
  const keys = new Set([change.name]);
  for (const state of [volume, before]) {
    const ref = state?.spec?.claimRef;
    if (ref?.name) keys.add(`${ref.namespace}/${ref.name}`);
  }
  const facts = (state: PersistentVolume | undefined) => [state?.spec, state?.status?.phase, state?.metadata.labels];
  if (change.type === 'MODIFIED' && deepEqual(facts(volume), facts(before))) return [...keys];
  const free = volume?.status?.phase === 'Available' && volume.spec?.claimRef === undefined;
  const arrivesOrGoes = change.type !== 'MODIFIED';
  if (!free && !arrivesOrGoes) return [...keys];
  const wanting = await claimsThat(client, (claim) => {
    if (claim.spec?.volumeName) return claim.spec.volumeName === change.name;
    return free && isUnbound(claim) && classOf(claim) === classOf(volume);
  });
  for (const key of wanting) keys.add(key);
  return [...keys];
}

/** Claims that wait for a class, or for any. */
export const keysOfClass = (change: ObjectChange, client: Client): Promise<string[]> =>
  claimsThat(client, (claim) => isUnbound(claim) && (!hasClass(claim) || classOf(claim) === change.name));

/** The claims of a pod that waits for a node, and of one that let go of them; the volume that a recycler has emptied. */
export async function keysOfPod(change: ObjectChange): Promise<string[]> {
  const pod = (await change.object()) as Pod | undefined;
  const recycled = change.namespace === 'default' ? RECYCLER.exec(change.name)?.[1] : undefined;
  if (recycled !== undefined) return pod === undefined || isPodTerminal(pod) ? [recycled] : [];
  if (change.type !== 'ADDED' || pod === undefined || pod.spec?.nodeName) return [];
  return claimsOfPod(pod).map((name) => `${change.namespace}/${name}`);
}
