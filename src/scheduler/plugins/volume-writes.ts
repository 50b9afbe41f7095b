/** Writes what was chosen for a pod's claims, and says when the binder and provisioners are done with it. */
import type { Client } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { BIND_COMPLETED, bindVolumeToClaim, SELECTED_NODE } from '../../resources/storage/binding.ts';
import type { NodeFacts } from '../framework/node-info.ts';
import type { Objects } from '../framework/plugin.ts';
import { type Choice, keyOf, withNode } from './volume-assumed.ts';
import { reaches } from './volume-choice.ts';
import { CLAIMS, claimOf, VOLUMES, volumeOf } from './volume-claims.ts';

const versionOf = ({ metadata }: KubeObject): string => metadata.resourceVersion ?? '0';

/** Writes the choice, once. Answers whether it did so now. Throws when an object is not any more what the choice was made of. */
export async function writeChoice(client: Client, choice: Choice, node: string): Promise<boolean> {
  if (choice.written !== undefined) return false;
  const written = new Map<string, string>();
  for (const { volume, claim } of choice.bind) {
    const bound = bindVolumeToClaim(volume, claim);
    const now = bound === volume ? volume : await client.update(VOLUMES, bound);
    written.set(volume.metadata.name, versionOf(now));
  }
  for (const claim of choice.provision) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE] === node;
    const now = selected ? claim : await client.update(CLAIMS, withNode(claim, node));
    written.set(keyOf(claim), versionOf(now));
  }
  choice.written = written;
  return true;
}

/** Whether all claims are bound. Throws when they never will be: the pod is to be tried anew. */
export function awaitBound(choice: Choice, node: string, facts: NodeFacts | undefined, objects: Objects): boolean {
  const isOld = (key: string, object: KubeObject): boolean =>
    Number(versionOf(object)) < Number(choice.written?.get(key) ?? 0);
  const checkReach = (name: string): void => {
    const volume = volumeOf(objects, name);
    if (volume === undefined || facts === undefined || reaches(facts, volume)) return;
    throw new Error(`pv "${name}" node affinity doesn't match node "${node}": no matching NodeSelectorTerms`);
  };
  let done = true;
  for (const { volume, claim } of choice.bind) {
    const { name } = volume.metadata;
    const now = volumeOf(objects, name);
    if (now === undefined) throw new Error(`could not find pv "${name}"`);
    if (isOld(name, now)) return false;
    checkReach(name);
    if (!now.spec?.claimRef?.uid) throw new Error(`ClaimRef got reset for pv "${name}"`);
    const bound = claimOf(objects, keyOf(claim));
    done &&= bound?.metadata.annotations?.[BIND_COMPLETED] !== undefined;
  }
  for (const claim of choice.provision) {
    const now = claimOf(objects, keyOf(claim));
    const { name } = claim.metadata;
    if (now === undefined) throw new Error(`could not find pvc "${name}"`);
    if (isOld(keyOf(claim), now)) return false;
    // A provisioner that gives up takes the node's name away.
    if (now.metadata.annotations?.[SELECTED_NODE] !== node) throw new Error(`provisioning failed for PVC "${name}"`);
    if (now.spec?.volumeName) checkReach(now.spec.volumeName);
    done &&= Boolean(now.spec?.volumeName) && now.metadata.annotations[BIND_COMPLETED] !== undefined;
  }
  return done;
}
