/** Quotas where many ask at once: every request has an isolate's knowledge alone, and the stores are all that they share. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';
import type { ConfigMap, ResourceQuota } from '../../src/generated/types/core.v1.ts';

const QUOTAS = 'core/resourcequotas';
const client = new StoreClient(surroundings(env as unknown as Env), 'quotas', 'test');

/** A namespace with quotas that have been counted. */
async function namespace(name: string, ...limits: Record<string, string>[]): Promise<void> {
  await client.create('core/namespaces', { metadata: { name } });
  for (const [i, hard] of limits.entries()) {
    const made = await client.create<ResourceQuota>(QUOTAS, {
      metadata: { name: `q${i}`, namespace: name },
      spec: { hard },
    });
    const used = Object.fromEntries(Object.keys(hard).map((key) => [key, '0']));
    await client.update<ResourceQuota>(QUOTAS, { ...made, status: { hard, used } }, 'status');
  }
}

const map = (namespace: string, name: string): ConfigMap => ({ metadata: { name, namespace } });

async function createMany(namespace: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `m${i}`);
  const results = await Promise.allSettled(names.map((name) => client.create('core/configmaps', map(namespace, name))));
  return results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []));
}

it('of 50 who ask at once lets ten in where there is room for ten', async () => {
  await namespace('ten', { 'count/configmaps': '10' });
  const refusals = await createMany('ten', 50);
  expect(refusals).toHaveLength(40);
  expect(refusals[0]).toMatch(
    /^configmaps "m\d+" is forbidden: exceeded quota: q0, requested: count\/configmaps=1, used: count\/configmaps=10, limited: count\/configmaps=10$/,
  );
  expect((await client.list('core/configmaps', { namespace: 'ten' })).items).toHaveLength(10);
  const quota = await client.get<ResourceQuota>(QUOTAS, 'ten', 'q0');
  expect(quota?.status?.used).toEqual({ 'count/configmaps': '10' });
});

it('charges all quotas of a namespace or none', async () => {
  await namespace('both', { configmaps: '5' }, { 'count/configmaps': '3' });
  expect(await createMany('both', 20)).toHaveLength(17);
  const used = (await client.list<ResourceQuota>(QUOTAS, { namespace: 'both' })).items.map(
    ({ status }) => status?.used,
  );
  expect(used).toEqual([{ configmaps: '3' }, { 'count/configmaps': '3' }]);
});
