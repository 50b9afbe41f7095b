/** The Cluster object: who brings a cluster about, and who does not. */
import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';
import type { Env } from '../../src/durable-objects/env.ts';

const { CLUSTER, STORE } = env as unknown as Env;

it('makes nothing of a cluster that somebody merely asks for', async () => {
  const cluster = CLUSTER.getByName('stranger');
  expect(await cluster.snapshot(-1, false)).toBeNull();
  expect(await cluster.checkBootstrapToken('abcdef.0123456789abcdef')).toBe(false);
  expect(await listDurableObjectIds(STORE)).toEqual([]);
});

it('makes a cluster for who may mint its first credential', async () => {
  const cluster = CLUSTER.getByName('wanted');
  const { token } = await cluster.mint({ user: 'admin', groups: [], ttlSeconds: 60 });
  expect(token.split('.')).toHaveLength(3);
  const snapshot = (await cluster.snapshot(-1, false)) as ClusterSnapshot | null;
  expect(snapshot?.namespaces.map(({ name }) => name)).toContain('kube-system');
  expect(await cluster.snapshot(snapshot?.version ?? 0, false)).toBeNull();
});

it('makes the deployment’s own cluster when it is first asked for', async () => {
  const snapshot = (await CLUSTER.getByName('default').snapshot(-1, false)) as ClusterSnapshot | null;
  expect(snapshot?.issuer).toMatch(/^https:/);
});
