/** Which stores there are, as the controllers that care for all of them see them. */
import type { ResourceId } from '../apimachinery/client.ts';
import { resources } from '../resources/index.ts';
import { ALL_VERBS, type Resource, storeOf } from '../resources/resource.ts';

/** Written by the thousand, and waited for by nobody: their changes are not watched. */
export const BUSY_STORES: ReadonlySet<ResourceId> = new Set(['core/events', 'coordination.k8s.io/leases']);

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
