/** Whether the quotas of a namespace leave room for an object, and what of them it takes (`CheckRequest`). */
import { forbidden, type GroupResource } from '../../../apimachinery/errors.ts';
import type { ResourceQuota } from '../../../generated/types/core.v1.ts';
import { inScope, type Measured } from '../../../resources/quota/evaluator.ts';
import { evaluatorFor } from '../../../resources/quota/index.ts';
import {
  addLists,
  exceeding,
  formatList,
  increaseOver,
  mask,
  type ResourceList,
  withoutZeros,
} from '../../../resources/quota/resource-list.ts';

/** What an object will use that is to be created or changed; plain data. */
export interface Demand extends GroupResource {
  name: string;
  measured: Measured;
  /** The object as it is; of an update only. */
  previous?: Measured;
}

/** Those of the quotas whose usage changes, as they are then. Throws Forbidden where one does not allow it. */
export function charge(quotas: readonly ResourceQuota[], demand: Demand): ResourceQuota[] {
  const evaluator = evaluatorFor(demand);
  const concerned = quotas.filter(
    (quota) => Object.keys(quota.status?.hard ?? {}).some(evaluator.matches) && inScope(quota, demand.measured),
  );
  const restricted = ({ status }: ResourceQuota): string[] =>
    Object.keys(status?.hard ?? {})
      .filter(evaluator.matches)
      .sort();
  for (const quota of concerned) checkQuota(quota, restricted(quota), demand);
  const negative = Object.entries(demand.measured.usage).filter(([, amount]) => amount.startsWith('-'));
  if (negative.length > 0) {
    const names = negative.map(([name]) => name).sort();
    throw refuse(demand, `quota usage is negative for resource(s): ${names.join(',')}`);
  }
  return concerned.flatMap((quota) => {
    const more = mask(increase(quota, demand), Object.keys(quota.status?.hard ?? {}));
    return Object.keys(more).length === 0 ? [] : [charged(quota, more, demand)];
  });
}

const refuse = (demand: Demand, why: string) => forbidden(demand, demand.name, why);

/** What a quota wants said must be said, and what it restricts must have been counted. */
function checkQuota({ metadata, status }: ResourceQuota, restricted: readonly string[], demand: Demand): void {
  const { unspecified = {} } = demand.measured;
  const missing = restricted.filter((name) => (unspecified[name] ?? []).length > 0);
  if (missing.length > 0) {
    const where = (name: string): string => [...new Set(unspecified[name])].sort().join(',');
    const said = missing.map((name) => `${name} for: ${where(name)}`).join('; ');
    throw refuse(demand, `failed quota: ${metadata.name}: must specify ${said}`);
  }
  const { used = {} } = status ?? {};
  if (!restricted.every((name) => Object.hasOwn(used, name))) {
    throw refuse(demand, `status unknown for quota: ${metadata.name}, resources: ${restricted.join(',')}`);
  }
}

/** What the quota has not counted yet: everything, where the object was outside its scopes so far. */
function increase(quota: ResourceQuota, { measured, previous }: Demand): ResourceList {
  const counted = previous !== undefined && inScope(quota, previous);
  return withoutZeros(counted ? increaseOver(measured.usage, previous.usage) : measured.usage);
}

function charged(quota: ResourceQuota, more: ResourceList, demand: Demand): ResourceQuota {
  const { hard = {}, used = {} } = quota.status ?? {};
  const total = addLists(used, more);
  const names = exceeding(mask(total, Object.keys(more)), hard);
  if (names.length > 0) {
    const said = (list: ResourceList): string => formatList(mask(list, names));
    const amounts = `requested: ${said(more)}, used: ${said(used)}, limited: ${said(hard)}`;
    throw refuse(demand, `exceeded quota: ${quota.metadata.name}, ${amounts}`);
  }
  return { ...quota, status: { ...quota.status, used: { ...total } } };
}
