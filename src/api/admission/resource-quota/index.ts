/**
 * ResourceQuota: what is created or grows is charged to the quotas of its namespace, or refused. The charge is one step inside the quotas'
 * store, so that however many ask at once no quota is exceeded. What was charged and then not stored, the controller finds out.
 */
import type { ResourceQuota } from '../../../generated/types/core.v1.ts';
import { evaluatorFor } from '../../../resources/quota/index.ts';
import type { Requester } from '../../context.ts';
import { unwrap } from '../../respond.ts';
import { listed } from '../listed.ts';
import type { AdmissionPlugin, Attributes } from '../plugin.ts';

export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  handles({ context, resource, operation, subresource }) {
    if (!resource.namespaced || context.snapshot?.quotas.has(context.info.namespace) === false) return false;
    return operation === 'CREATE' ? subresource === '' : evaluatorFor(resource).updates.includes(subresource);
  },
  validate(attributes) {
    const { context } = attributes;
    // Who has a snapshot knows that there are quotas; controllers have to look.
    const found = context.snapshot === undefined ? quotasOf(context) : true;
    if (found instanceof Promise) return found.then((any) => (any ? chargeFor(attributes) : undefined));
    return found ? chargeFor(attributes) : undefined;
  },
};

function quotasOf(context: Requester): boolean | Promise<boolean> {
  const quotas = listed<ResourceQuota>(context, 'core/resourcequotas', context.info.namespace);
  return quotas instanceof Promise ? quotas.then(({ length }) => length > 0) : quotas.length > 0;
}

async function chargeFor({ context, resource, object, old, options }: Attributes): Promise<void> {
  const { measure } = evaluatorFor(resource);
  const { group, resource: plural } = resource;
  const now = Date.now();
  const measured = measure(object, now);
  const previous = old === undefined ? {} : { previous: measure(old, now) };
  const demand = { group, resource: plural, name: object.metadata.name, measured, ...previous };
  const store = context.around.store(context.info.cluster, 'core/resourcequotas');
  unwrap(await store.charge(context.info.namespace, demand, options.dryRun));
}
