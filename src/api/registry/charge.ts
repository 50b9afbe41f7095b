/** Charges the quotas of a namespace inside their store: looked at and changed in one step, all of them or none. */
import type { ResourceQuota } from '../../generated/types/core.v1.ts';
import type { ResourceStore } from '../../store/store.ts';
import type { Decide } from '../../store/types.ts';
import type { Sink } from '../../store/watch-hub.ts';
import { charge, type Demand } from '../admission/resource-quota/charge.ts';
import { unwrap } from '../respond.ts';
import { decodeText, encodeStored, keyOf } from './encode.ts';
import { BY_API_SERVER, trackChange } from './managed-fields.ts';
import { resourceNamed } from './resource-name.ts';

/** Throws Forbidden where a quota does not allow it; a dry run changes nothing. Answers how many quotas were charged. */
export function chargeQuotas<S extends Sink>(
  quotas: Pick<ResourceStore<S>, 'list' | 'commitMany'>,
  namespace: string,
  demand: Demand,
  dryRun: boolean,
): { charged: number } {
  const page = unwrap(quotas.list({ prefix: `${namespace}/` }));
  const charged = charge(JSON.parse(`[${page.items}]`) as ResourceQuota[], demand);
  if (dryRun || charged.length === 0) return { charged: 0 };
  quotas.commitMany(charged.map((quota) => ({ key: keyOf(namespace, quota.metadata.name), decide: written(quota) })));
  return { charged: charged.length };
}

/** Between the look and the commit nobody else has a turn. */
function written(quota: ResourceQuota): Decide {
  const resource = resourceNamed('core/v1/resourcequotas');
  return (current) => {
    if (current !== undefined) trackChange(resource, 'status', decodeText(current.text), quota, BY_API_SERVER);
    return { do: 'write', object: encodeStored(resource, quota) };
  };
}
