/** Which dependents a controller object has: it adopts what its selector selects and nobody owns, and releases what it selects no more. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { formatLabelSelector, type LabelSelector, selects } from '../../apimachinery/labels.ts';
import { controllerOf, type KubeObject } from '../../apimachinery/meta.ts';
import { controllerRef } from '../objects.ts';

/**
 * The dependents of `owner` in its namespace, after adoption and release (`ControllerRefManager`); `fits`: what must hold beside the
 * selector; `finalizer`: comes with adoption and goes with release.
 */
export async function claim<T extends KubeObject>(
  client: Client,
  resource: ResourceId,
  owner: KubeObject,
  apiVersion: string,
  kind: string,
  selector: LabelSelector,
  fits: (object: T) => boolean = () => true,
  finalizer?: string,
): Promise<T[]> {
  const { namespace = '', uid = '', deletionTimestamp } = owner.metadata;
  const [matching, owned] = await Promise.all([
    client.list<T>(resource, { namespace, labelSelector: formatLabelSelector(selector) }),
    client.list<T>(resource, { namespace, ownerUid: uid }),
  ]);
  const mine: T[] = [];
  for (const object of owned.items) {
    if (controllerOf(object)?.uid !== uid) continue;
    const selected = selects(selector, object.metadata.labels) && fits(object);
    if (selected || deletionTimestamp !== undefined) mine.push(object);
    else {
      const without = (finalizers: string[]): string[] => finalizers.filter((other) => other !== finalizer);
      await setOwners(client, resource, object, (owners) => owners.filter((other) => other.uid !== uid), without);
    }
  }
  if (deletionTimestamp !== undefined) return mine;
  for (const object of matching.items) {
    if (controllerOf(object) !== undefined || object.metadata.deletionTimestamp !== undefined) continue;
    if (!fits(object)) continue;
    const reference = controllerRef(owner, apiVersion, kind);
    const withFinalizer = (finalizers: string[]): string[] =>
      finalizer === undefined || finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer];
    const adopted = await setOwners(client, resource, object, (owners) => [...owners, reference], withFinalizer);
    if (adopted !== undefined) mine.push(adopted);
  }
  return mine;
}

/** Writes the owners, and the finalizers where they change; undefined when the object is gone. A stale read is a Conflict, thrown. */
export async function setOwners<T extends KubeObject>(
  client: Client,
  resource: ResourceId,
  object: T,
  change: (owners: NonNullable<KubeObject['metadata']['ownerReferences']>) => object[],
  changeFinalizers: (finalizers: string[]) => string[] = (finalizers) => finalizers,
): Promise<T | undefined> {
  const { namespace = '', name, uid, resourceVersion, ownerReferences = [], finalizers: before = [] } = object.metadata;
  const owners = change(ownerReferences).map((owner) => ({ ...owner }));
  const finalizers = changeFinalizers(before);
  const changed = finalizers.length === before.length ? {} : { finalizers };
  const ownersOrNone = owners.length === 0 ? null : owners;
  const patch = { metadata: { uid, resourceVersion, ownerReferences: ownersOrNone, ...changed } };
  try {
    return await client.patch<T>(resource, namespace, name, 'merge', patch as never);
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
