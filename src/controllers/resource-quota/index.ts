/** Counts what a namespace uses of its quotas. Admission adds to a quota before an object is made; only this controller takes away. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { ResourceQuota } from '../../generated/types/core.v1.ts';
import { evaluatorFor } from '../../resources/quota/index.ts';
import { equalLists, mask, maxLists, type ResourceList } from '../../resources/quota/resource-list.ts';
import { storeOf } from '../../resources/resource.ts';
import type { Controller, ControllerContext, ObjectChange, Watch } from '../controller.ts';
import { BUSY_STORES, CUSTOM_RESOURCES, deletableResources } from '../stores.ts';
import { usageOf } from './usage.ts';

const QUOTAS = 'core/resourcequotas';
/** A charge comes before its object: a count within this time of one may miss what was charged for, and is not believed. */
const SETTLE_MS = 1000;
/** How often everything is counted anew, in minutes: upstream's `--resource-quota-sync-period`. */
const RESYNC_MINUTES = 5;

interface Seen {
  resourceVersion: string | undefined;
  /** In ms since the epoch. */
  at: number;
}

/** When each quota was first seen as it is, by namespace and name. Who has forgotten waits once more. */
const seenBy = new WeakMap<ControllerContext, Map<string, Map<string, Seen>>>();

const goneFrom = ({ namespace, type }: ObjectChange): string[] =>
  type === 'DELETED' && namespace !== '' ? [namespace] : [];

/** Changes that may set something free: of what is gone, or uses other things than before. */
const watches: Watch[] = deletableResources
  .filter((resource) => resource.namespaced && !BUSY_STORES.has(storeOf(resource)))
  .map((resource) => {
    const { updates, measure } = evaluatorFor(resource);
    const keys = async ({ namespace, type, previous, object }: ObjectChange): Promise<string[]> => {
      if (type === 'DELETED') return [namespace];
      if (type === 'ADDED' || updates.length === 0) return [];
      const next = await object();
      const same = next !== undefined && previous !== undefined && deepEqual(measure(next, 0), measure(previous, 0));
      return same ? [] : [namespace];
    };
    const store = storeOf(resource);
    return { resource: store, keys: store === QUOTAS ? ({ namespace }) => [namespace] : keys };
  });

/** Upstream's `resourcequota-controller`; a key is a namespace. */
export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  everywhere: true,
  watches: [...watches, { resource: CUSTOM_RESOURCES, keys: goneFrom }],
  async reconcile(client, { name: namespace }, context) {
    const { items: quotas } = await client.list<ResourceQuota>(QUOTAS, { namespace });
    const ages = look(quotas, namespace, context);
    const count = usageOf(client, namespace, context.now());
    const unsettled: number[] = [];
    for (const [i, quota] of quotas.entries()) {
      const age = ages[i] as number;
      if (age < SETTLE_MS) unsettled.push(SETTLE_MS - age);
      if (age >= SETTLE_MS || !isComplete(quota)) await sync(client, quota, count, age >= SETTLE_MS);
    }
    return unsettled.length === 0 ? undefined : { requeueAfterMs: Math.min(...unsettled) };
  },
  async resync(client, context, quiet) {
    if (!quiet && Math.floor(context.now() / 60_000) % RESYNC_MINUTES !== 0) return [];
    const { items } = await client.list(QUOTAS);
    return [...new Set(items.map(({ metadata }) => metadata.namespace ?? ''))];
  },
};

/** How long each quota has been as it is, in ms, as far as is known. */
function look(quotas: readonly ResourceQuota[], namespace: string, context: ControllerContext): number[] {
  const namespaces = seenBy.get(context) ?? new Map<string, Map<string, Seen>>();
  seenBy.set(context, namespaces);
  const before = namespaces.get(namespace);
  const at = context.now();
  const seen = new Map(
    quotas.map(({ metadata: { name, resourceVersion } }) => {
      const known = before?.get(name);
      return [
        name,
        known?.resourceVersion === resourceVersion && known !== undefined ? known : { resourceVersion, at },
      ];
    }),
  );
  if (seen.size === 0) namespaces.delete(namespace);
  else namespaces.set(namespace, seen);
  return quotas.map(({ metadata }) => at - (seen.get(metadata.name)?.at ?? at));
}

/** Whether the status speaks of what the spec limits, so that admission can go by it. */
function isComplete({ spec, status }: ResourceQuota): boolean {
  return status?.hard !== undefined && equalLists(spec?.hard ?? {}, status.hard);
}

/**
 * Brings a quota's status up to date (`syncResourceQuota`). Throws Conflict where it was charged meanwhile. A count that may have missed
 * something only ever adds.
 */
async function sync(
  client: Client,
  quota: ResourceQuota,
  count: (quota: ResourceQuota) => Promise<ResourceList>,
  settled: boolean,
): Promise<void> {
  const { hard = {} } = quota.spec ?? {};
  const before = mask(quota.status?.used ?? {}, Object.keys(hard));
  const counted = await count(quota);
  // What nobody can count stays as it is said to be.
  const used = settled ? { ...before, ...counted } : maxLists(before, counted);
  if (isComplete(quota) && equalLists(used, quota.status?.used ?? {})) return;
  const status = { hard: { ...hard }, used: { ...used } };
  await client.update(QUOTAS, { ...quota, status }, 'status');
}
