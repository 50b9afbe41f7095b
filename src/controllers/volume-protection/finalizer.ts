/** What the protections share: a finalizer that is there until the object is being deleted and nobody uses it. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { ObjectRef } from '../controller.ts';

/** Sees to the finalizer of one object; `isUsed` is asked only when it matters. */
export async function protect<T extends KubeObject>(
  client: Client,
  resource: ResourceId,
  { namespace, name }: ObjectRef,
  finalizer: string,
  isUsed: (object: T) => boolean | Promise<boolean>,
): Promise<undefined> {
  const object = await client.get<T>(resource, namespace, name);
  if (object === undefined) return;
  const { deletionTimestamp, finalizers = [], resourceVersion } = object.metadata;
  const deleting = deletionTimestamp !== undefined;
  const has = finalizers.includes(finalizer);
  if (deleting !== has) return;
  if (deleting && (await isUsed(object))) return;
  const wanted = deleting ? finalizers.filter((other) => other !== finalizer) : [...finalizers, finalizer];
  const patch = { metadata: { resourceVersion: resourceVersion as string, finalizers: wanted } };
  try {
    await client.patch(resource, namespace, name, 'merge', patch);
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
  return;
}
