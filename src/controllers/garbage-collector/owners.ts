/** Owners as their dependents name them: where they are, and whether they are still there. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { type KubeObject, type OwnerReference, parseApiVersion } from '../../apimachinery/meta.ts';
import { resourceByKind, resources } from '../../resources/index.ts';
import { storeOf } from '../../resources/resource.ts';
import type { EventRecorder } from '../events.ts';
import { customKindsOf } from '../stores.ts';

export const FOREGROUND = 'foregroundDeletion';

/** `<group>/<kind>`. */
export const kindOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }): string =>
  `${parseApiVersion(apiVersion).group}/${kind}`;

/** Whether the object waits for its dependents to go. */
export const isForeground = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).includes(FOREGROUND);

/** Where an owner is kept; undefined for a kind that nobody knows. */
export async function storeOfOwner(
  client: Client,
  owner: OwnerReference,
): Promise<{ store: ResourceId; namespaced: boolean } | undefined> {
  const { group, version } = parseApiVersion(owner.apiVersion);
  const resource =
    resourceByKind(group, version, owner.kind) ??
    resources.find((candidate) => candidate.group === group && candidate.kind === owner.kind);
  if (resource !== undefined) return { store: storeOf(resource), namespaced: resource.namespaced };
  return (await customKindsOf(client)).find((custom) => custom.group === group && custom.kind === owner.kind);
}

/** `misplaced`: an object of the cluster names an owner of some namespace, which nobody can look up. */
export type OwnerState = 'solid' | 'dangling' | 'waiting' | 'misplaced';

/** Of an owner of a kind that is not known nobody can say that it is gone. */
export async function stateOfOwner(client: Client, owner: OwnerReference, namespace: string): Promise<OwnerState> {
  const found = await storeOfOwner(client, owner);
  if (found === undefined) return 'solid';
  if (found.namespaced && namespace === '') return 'misplaced';
  const object = await client.get(found.store, found.namespaced ? namespace : '', owner.name);
  if (object === undefined || object.metadata.uid !== owner.uid) return 'dangling';
  return isForeground(object) ? 'waiting' : 'solid';
}

/** Warns of owners that are there, but in another namespace than the object, where none can be. */
export async function tellOfForeignOwners(
  client: Client,
  events: EventRecorder,
  object: KubeObject,
  owners: readonly OwnerReference[],
): Promise<void> {
  const { namespace = '' } = object.metadata;
  for (const owner of owners) {
    const found = await storeOfOwner(client, owner);
    if (found?.namespaced !== true) continue;
    const { items } = await client.list(found.store);
    const isForeign = ({ metadata }: KubeObject): boolean =>
      metadata.uid === owner.uid && metadata.namespace !== namespace;
    if (!items.some(isForeign)) continue;
    const reference = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
    const message = `ownerRef ${reference} does not exist in namespace "${namespace}"`;
    events.record(object, 'Warning', 'OwnerRefInvalidNamespace', message);
  }
}
