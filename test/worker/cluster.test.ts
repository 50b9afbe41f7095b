/** The Cluster object: who brings a cluster about, and who does not. */
import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
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

it('keeps the keys of a cluster of before, and seals them', { timeout: 60_000 }, async () => {
  const cluster = CLUSTER.getByName('before');
  await cluster.mint({ user: 'admin', groups: [], ttlSeconds: 60 });
  const kid = await runInDurableObject(cluster, (object, { storage }) => {
    expect(storage.kv.get('identity')).toBeInstanceOf(Uint8Array);
    const { facts } = (object as unknown as { identity: { facts: { signing: [{ kid: string; jwk: object }] } } })
      .identity;
    const [{ kid, jwk }] = facts.signing;
    // What a Worker has left behind that knew of one key, and of none to seal it under.
    storage.kv.put('identity', { ...facts, signing: { kid, jwk } });
    for (const name of ['data-keys', 'sealed-under']) storage.kv.delete(name);
    return kid;
  });
  await evictDurableObject(cluster);
  const state = { kid, state: 'signs', from: '1970-01-01T00:00:00.000Z', until: '' };
  expect(await cluster.keys()).toEqual([state]);
  await cluster.rotateSigningKey(0);
  expect((await cluster.keys())[1]).toEqual({ ...state, state: 'verifies' });
  const snapshot = (await cluster.snapshot(-1, false)) as ClusterSnapshot;
  expect(snapshot.keys.map((key) => key.kid)).toContain(kid);
  await runInDurableObject(cluster, (_, { storage }) => {
    expect(storage.kv.get('identity')).toBeInstanceOf(Uint8Array);
  });
});
