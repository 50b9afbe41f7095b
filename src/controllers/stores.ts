/** Which stores there are, as the controllers that care for all of them see them. */
import type { Client, CustomKind, ResourceId } from '../apimachinery/client.ts';
import { resourceById, resources } from '../resources/index.ts';
import { ALL_VERBS, type Resource, storeOf } from '../resources/resource.ts';

/** Written by the thousand, and waited for by nobody: their changes are not watched. */
export const BUSY_STORES: ReadonlySet<ResourceId> = new Set(['core/events', 'coordination.k8s.io/leases']);

/** For {@link Watch.resource}: the stores of all custom resources. */
export const CUSTOM_RESOURCES: ResourceId = 'custom/*';

/** Whether a store is one of custom resources: no built-in kind is kept there. */
export const isCustomStore = (store: ResourceId): boolean => resourceById(store) === undefined;

/** The kinds that a cluster's definitions bring; none where a client cannot know. */
export async function customKindsOf(client: Client): Promise<readonly CustomKind[]> {
  return (await client.customKinds?.()) ?? [];
}

/** Resources whose objects are kept and can be deleted; one for each store. */
export const deletableResources: readonly Resource[] = resources.filter(({ verbs = ALL_VERBS, storedAs }, index) => {
  const { group, resource } = resources[index] as Resource;
  const first = resources.findIndex((other) => other.group === group && other.resource === resource);
  return storedAs === undefined && first === index && verbs.includes('list') && verbs.includes('delete');
});

/** Those of them that are watched, by store. */
export const watchableStores: readonly ResourceId[] = deletableResources
  .map(storeOf)
  .filter((store) => !BUSY_STORES.has(store));
