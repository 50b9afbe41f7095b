/** Small things that many controllers do with objects. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import { deepEqual } from '../apimachinery/equal.ts';
import { isReason } from '../apimachinery/errors.ts';
import type { Json, JsonObject, KubeObject, OwnerReference } from '../apimachinery/meta.ts';

/** A reference that makes `owner` the managing controller of what carries it (`metav1.NewControllerRef`). */
export function controllerRef(owner: KubeObject, apiVersion: string, kind: string): OwnerReference {
  const { name, uid = '' } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Milliseconds since the epoch of a timestamp; of an absent or broken one 0. */
export function timeOf(timestamp: string | undefined): number {
  const time = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(time) ? 0 : time;
}

/** What a person is told of a failure. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Oldest first, then by name. */
export function byAge(a: KubeObject, b: KubeObject): number {
  const age = timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp);
  return age !== 0 ? age : a.metadata.name < b.metadata.name ? -1 : 1;
}

/**
 * Makes the status of `object` what it should be, by a patch of the status alone: nothing else that changed meanwhile is touched, and a
 * change of the spec shows in `observedGeneration` and comes with a notification of its own. Without a difference nothing is written.
 */
export async function patchStatus<T extends KubeObject & { status?: object }>(
  client: Client,
  resource: ResourceId,
  object: T,
  status: NonNullable<T['status']>,
): Promise<boolean> {
  const before = (object.status ?? {}) as Record<string, unknown>;
  const after = status as Record<string, unknown>;
  const patch: JsonObject = {};
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (value !== undefined && !deepEqual(before[key], value)) patch[key] = value as Json;
  }
  if (Object.keys(patch).length === 0) return false;
  const { namespace = '', name } = object.metadata;
  await client.patch(resource, namespace, name, 'merge', { status: patch }, 'status');
  return true;
}

/** Deletes what may be gone already. Answers whether it was there. */
export async function deleteIfPresent(
  client: Client,
  resource: ResourceId,
  object: KubeObject,
  options: Parameters<Client['delete']>[3] = {},
): Promise<boolean> {
  const { namespace = '', name, uid } = object.metadata;
  try {
    await client.delete(resource, namespace, name, { ...options, preconditions: uid === undefined ? {} : { uid } });
    return true;
  } catch (error) {
    // A uid that differs is another object of the same name: the one that was meant is gone.
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return false;
    throw error;
  }
}

/** `fn` of every item, at most `limit` at a time; throws the first error after all have ended. */
export async function forEachLimited<T>(items: readonly T[], limit: number, fn: (item: T) => Promise<void>) {
  let next = 0;
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++] as T;
      try {
        await fn(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}
