/** Makes what a cluster should have at least. Every step may be repeated, so that it does not matter where an earlier attempt ended. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { type Json, type KubeObject, now } from '../../apimachinery/meta.ts';
import { defaultPolicy, ownPolicy, type PolicyObject } from './rbac/index.ts';
import { type Repair, repair } from './rbac/reconcile.ts';

type Status = { conditions?: { lastTransitionTime?: string }[] };
type Objects = readonly (readonly [ResourceId, readonly KubeObject[]])[];

/** Creates the objects that are not there, with their statuses. What is there stays as it is. */
export async function ensureObjects(client: Client, objects: Objects): Promise<void> {
  for (const [id, made] of objects) await Promise.all(made.map((object) => ensure(client, id, object)));
}

async function ensure(client: Client, id: ResourceId, object: KubeObject & { status?: Status }): Promise<void> {
  try {
    await client.create(id, object);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
  const conditions = object.status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime: now() }));
  if (conditions === undefined) return;
  const { metadata } = object;
  const current = await client.get<KubeObject & { status?: Status }>(id, metadata.namespace ?? '', metadata.name);
  // Half made, if it has none.
  if (current === undefined || current.status?.conditions !== undefined) return;
  const status = { conditions } as unknown as Json;
  await client.patch(id, metadata.namespace ?? '', metadata.name, 'merge', { status }, 'status');
}

/** Existing roles and bindings by store. */
export type Policy = ReadonlyMap<ResourceId, readonly KubeObject[]>;

/**
 * Adds to roles and bindings what the default policy has and they have not; answers whether anything was written. Upstream does so each
 * time it starts.
 */
export async function reconcilePolicy(client: Client, existing: Policy): Promise<boolean> {
  const key = ({ metadata: { namespace = '', name } }: KubeObject): string => `${namespace}/${name}`;
  const repairs = [...defaultPolicy, ...ownPolicy].flatMap(([id, expected]) => {
    const known = new Map((existing.get(id) ?? []).map((object) => [key(object), object]));
    return expected.map((object) => ({ id, of: object, repair: repair(object, known.get(key(object))) }));
  });
  const needed = repairs.filter((one) => one.repair.do !== 'nothing');
  await Promise.all(needed.map((one) => apply(client, one.id, one.of, one.repair)));
  return needed.length > 0;
}

async function apply(client: Client, id: ResourceId, { metadata }: PolicyObject, repair: Repair): Promise<void> {
  try {
    if (repair.do === 'replace') await client.delete(id, metadata.namespace ?? '', metadata.name);
    if (repair.do === 'create' || repair.do === 'replace') await client.create(id, repair.object);
    if (repair.do === 'update') await client.update(id, repair.object);
  } catch (error) {
    // Somebody else was quicker, and theirs is looked at when the cluster wakes next.
    if (!['AlreadyExists', 'Conflict', 'NotFound'].some((reason) => isReason(error, reason))) throw error;
  }
}
