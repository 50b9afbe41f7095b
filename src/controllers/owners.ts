/** Whom a change of a dependent concerns: its controller now and before, or whoever would adopt it. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import { controllerOf, type KubeObject } from '../apimachinery/meta.ts';
import { keyOf, type ObjectChange } from './controller.ts';

/** Keys of the owners of `kind`, kept in `resource`, that the change concerns; `adopts` says who would take an orphan. */
export async function ownerKeys<T extends KubeObject>(
  change: ObjectChange,
  client: Client,
  { kind, resource }: { kind: string; resource: ResourceId },
  adopts: (owner: T, dependent: KubeObject) => boolean,
): Promise<string[]> {
  const { namespace, previous } = change;
  const current = await change.object();
  const states = [current, previous].filter((state) => state !== undefined);
  const owners = states.map(controllerOf).filter((owner) => owner !== undefined);
  const keys = owners.filter((owner) => owner.kind === kind).map(({ name }) => `${namespace}/${name}`);
  const released = current !== undefined && controllerOf(current) === undefined;
  if (owners.length > 0 && !released) return [...new Set(keys)];
  const { items } = await client.list<T>(resource, { namespace });
  // Of a deleted dependent nothing may be known: all that could miss it look.
  const takers = items.filter((owner) => states.length === 0 || states.some((state) => adopts(owner, state)));
  return [...new Set([...keys, ...takers.map(keyOf)])];
}
