/** Objects that admission looks at together, kept for a second by the isolate. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Requester } from '../context.ts';
import { unwrap } from '../respond.ts';

const MAX_AGE = 1000;
const MAX_ENTRIES = 1000;
const kept = new Map<string, { objects: readonly KubeObject[]; at: number }>();

/** All objects of a store in a namespace, or without one all that there are, at most a second old. */
export function listed<T extends KubeObject>(
  context: Requester,
  id: ResourceId,
  namespace: string,
): readonly T[] | Promise<readonly T[]> {
  const entry = kept.get(`${context.info.cluster} ${id} ${namespace}`);
  if (entry !== undefined && Date.now() - entry.at < MAX_AGE) return entry.objects as readonly T[];
  return load<T>(context, id, namespace);
}

async function load<T extends KubeObject>(context: Requester, id: ResourceId, namespace: string): Promise<T[]> {
  const { cluster } = context.info;
  const prefix = namespace === '' ? '' : `${namespace}/`;
  const page = unwrap(await context.around.store(cluster, id).list({ prefix }));
  const objects = JSON.parse(`[${page.items}]`) as T[];
  if (kept.size >= MAX_ENTRIES) kept.clear();
  kept.set(`${cluster} ${id} ${namespace}`, { objects, at: Date.now() });
  return objects;
}

/** Forgets a namespace's objects after this isolate has changed one. */
export function forgetListed(cluster: string, id: ResourceId, namespace: string): void {
  kept.delete(`${cluster} ${id} ${namespace}`);
}
