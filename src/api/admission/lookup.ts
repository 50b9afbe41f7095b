/** Objects that admission looks at with every request, kept for a second by the isolate. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Requester } from '../context.ts';
import { decodeText } from '../registry/encode.ts';

const MAX_AGE = 1000;
const MAX_ENTRIES = 2000;
const kept = new Map<string, { object: KubeObject; at: number }>();

/**
 * An object by key, at most a second old. What does not exist is asked for again each time, so that an object which has just been
 * made is seen.
 */
export function lookUp<T extends KubeObject>(
  context: Requester,
  id: ResourceId,
  key: string,
): T | undefined | Promise<T | undefined> {
  const entry = kept.get(nameOf(context.info.cluster, id, key));
  if (entry !== undefined && Date.now() - entry.at < MAX_AGE) return entry.object as T;
  return lookUpAnew<T>(context, id, key);
}

/** An object by key, as it is now. */
export async function lookUpAnew<T extends KubeObject>(
  context: Requester,
  id: ResourceId,
  key: string,
): Promise<T | undefined> {
  const name = nameOf(context.info.cluster, id, key);
  const text = await context.around.store(context.info.cluster, id).get(key);
  if (text === null) {
    kept.delete(name);
    return undefined;
  }
  if (kept.size >= MAX_ENTRIES) kept.clear();
  const object = decodeText<T>(text);
  kept.set(name, { object, at: Date.now() });
  return object;
}

/** Forgets an object that this isolate has changed. */
export function forget(cluster: string, id: ResourceId, key: string): void {
  kept.delete(nameOf(cluster, id, key));
}

const nameOf = (cluster: string, id: ResourceId, key: string): string => `${cluster} ${id} ${key}`;
