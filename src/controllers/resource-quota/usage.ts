/** What the objects of a namespace use, as its quotas count it (`quota.CalculateUsage`). */
import type { Client, CustomKind } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { ResourceQuota } from '../../generated/types/core.v1.ts';
import { type Evaluator, inScope, type Measured } from '../../resources/quota/evaluator.ts';
import { evaluatorFor } from '../../resources/quota/index.ts';
import { addLists, mask, type ResourceList } from '../../resources/quota/resource-list.ts';
import { storeOf } from '../../resources/resource.ts';
import { customKindsOf, deletableResources } from '../stores.ts';

interface Counted {
  store: string;
  evaluator: Evaluator;
}

/** All built-in kinds that quotas can count, with how. */
const COUNTED: readonly Counted[] = deletableResources
  .filter(({ namespaced }) => namespaced)
  .map((resource) => ({ store: storeOf(resource), evaluator: evaluatorFor(resource) }));

const countedBy = (kind: CustomKind): Counted => ({ store: kind.store, evaluator: evaluatorFor(kind) });

/** Counts for the quotas of a namespace; what several of them count is read once. */
export function usageOf(
  client: Client,
  namespace: string,
  now: number,
): (quota: ResourceQuota) => Promise<ResourceList> {
  const measured = new Map<string, Promise<Measured[]>>();
  const measure = async (store: string, evaluator: Evaluator): Promise<Measured[]> => {
    const { items } = await client.list<KubeObject>(store, { namespace });
    return items.map((object) => evaluator.measure(object, now));
  };
  return async (quota) => {
    const hard = Object.keys(quota.spec?.hard ?? {});
    const custom = hard.some((name) => name.startsWith('count/')) ? await customKindsOf(client) : [];
    const counted = [...COUNTED, ...custom.filter(({ namespaced }) => namespaced).map(countedBy)];
    let usage: ResourceList = {};
    for (const { store, evaluator } of counted) {
      const names = hard.filter(evaluator.matches);
      if (names.length === 0) continue;
      const pending = measured.get(store) ?? measure(store, evaluator);
      measured.set(store, pending);
      const objects = (await pending).filter((object) => inScope(quota, object));
      const nothing = Object.fromEntries(names.map((name) => [name, '0']));
      usage = addLists(
        usage,
        objects.reduce((sum, object) => addLists(sum, mask(object.usage, names)), nothing),
      );
    }
    return usage;
  };
}
