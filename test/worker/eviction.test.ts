/** Evictions where many ask at once. */
import { env } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { PodDisruptionBudget } from '../../src/generated/types/policy.v1.ts';

const CLUSTER = 'evictions';
const around = surroundings(env as unknown as Env);
const client = new StoreClient(around, CLUSTER, 'test');

let token = '';
beforeAll(async () => {
  const admin = { user: 'admin', groups: ['system:masters'], ttlSeconds: 600 };
  token = (await around.cluster(CLUSTER).mint(admin)).token;
});

/** What a client gets that evicts a pod: the code. */
async function evicted(namespace: string, name: string): Promise<number> {
  const request = new Request(`https://api/clusters/${CLUSTER}/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }),
  });
  return (await app.fetch(request, { around })).status;
}

async function prepare(namespace: string, pods: number, budgets: Record<string, number>): Promise<string[]> {
  await client.create('core/namespaces', { metadata: { name: namespace } });
  await client.create('core/serviceaccounts', { metadata: { name: 'default', namespace } });
  const names = Array.from({ length: pods }, (_, i) => `p${i}`);
  for (const name of names) {
    const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'x' }] };
    await client.create<Pod>('core/pods', { metadata: { name, namespace, labels: { app: 'web' } }, spec } as Pod);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await client.patch('core/pods', namespace, name, 'merge', { status }, 'status');
  }
  for (const [name, disruptionsAllowed] of Object.entries(budgets)) {
    const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } };
    await client.create<PodDisruptionBudget>('policy/poddisruptionbudgets', { metadata: { name, namespace }, spec });
    const status = {
      observedGeneration: 1,
      disruptionsAllowed,
      currentHealthy: pods,
      desiredHealthy: 1,
      expectedPods: pods,
    };
    await client.patch('policy/poddisruptionbudgets', namespace, name, 'merge', { status }, 'status');
  }
  return names;
}

it('never grants more than the budget allows', async () => {
  const names = await prepare('crowd', 20, { b: 3 });
  const codes = await Promise.all(names.map((name) => evicted('crowd', name)));
  expect(codes.filter((code) => code === 201)).toHaveLength(3);
  expect(codes.filter((code) => code === 429)).toHaveLength(17);
  const { items } = await client.list<Pod>('core/pods', { namespace: 'crowd' });
  const going = items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  expect(going).toHaveLength(3);
  expect(going[0]?.status?.conditions?.at(-1)).toMatchObject({
    type: 'DisruptionTarget',
    reason: 'EvictionByEvictionAPI',
  });
});

it('knows of one budget a pod', async () => {
  await prepare('twice', 1, { a: 1, b: 1 });
  expect(await evicted('twice', 'p0')).toBe(500);
});

it('lets a pod go that is not ready where enough others are', async () => {
  await prepare('unready', 2, { b: 0 });
  expect(await evicted('unready', 'p0')).toBe(429);
  await client.patch('core/pods', 'unready', 'p0', 'merge', { status: { conditions: [] } }, 'status');
  expect(await evicted('unready', 'p0')).toBe(201);
});

it('asks nobody about a pod that has ended', async () => {
  await prepare('ended', 1, { b: 0 });
  await client.patch('core/pods', 'ended', 'p0', 'merge', { status: { phase: 'Failed' } }, 'status');
  expect(await evicted('ended', 'p0')).toBe(201);
});
