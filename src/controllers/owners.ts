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
  const states = [await change.object(), previous].filter((state) => state !== undefined);
  const owners = states.map(controllerOf).filter((owner) => owner !== undefined);
  if (owners.length > 0) {
    const keys = owners.filter((owner) => owner.kind === kind).map(({ name }) => `${namespace}/${name}`);
    return [...new Set(keys)];
  }
  const { items } = await client.list<T>(resource, { namespace });
  // Of a deleted dependent nothing may be known: all that could miss it look.
  return items.filter((owner) => states.length === 0 || states.some((state) => adopts(owner, state))).map(keyOf);
}
