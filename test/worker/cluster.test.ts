/** The Cluster object: who brings a cluster about, and who does not. */
import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

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

it('follows what is made, changed and deleted, and says nothing when nothing is', { timeout: 20_000 }, async () => {
  const cluster = CLUSTER.getByName('followed');
  await cluster.mint({ user: 'admin', groups: [], ttlSeconds: 60 });
  const client = new StoreClient(surroundings(env as unknown as Env), 'followed', 'test');
  const RESOURCE = 'rbac.authorization.k8s.io/rolebindings';
  const binding = (name: string, user: string): KubeObject & { subjects: object[]; roleRef: object } => ({
    metadata: { name, namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  let version = -1;
  const now = async (): Promise<string[] | null> => {
    const snapshot = await cluster.snapshot(version, true);
    if (snapshot === null) return null;
    version = snapshot.version;
    const own = snapshot.bindings.filter(({ namespace }) => namespace === 'default');
    return own.map(({ name, subjects }) => `${name} ${subjects[0]?.name}`);
  };
  expect(await now()).toEqual([]);
  await client.create(RESOURCE, binding('b', 'ann'));
  expect(await now()).toEqual(['b ann']);
  expect(await now()).toBeNull();
  await client.create(RESOURCE, binding('a', 'bob'));
  const made = await client.get<ReturnType<typeof binding>>(RESOURCE, 'default', 'b');
  await client.update(RESOURCE, { ...binding('b', 'eve'), metadata: made?.metadata as KubeObject['metadata'] });
  expect(await now()).toEqual(['a bob', 'b eve']);
  await client.delete(RESOURCE, 'default', 'b');
  // Whoever asks at the same time learns the same.
  const together = await Promise.all(Array.from({ length: 5 }, () => cluster.snapshot(version, true)));
  expect(new Set(together.map((snapshot) => snapshot?.version)).size).toBe(1);
  expect(await now()).toEqual(['a bob']);
  // Too many at once to be looked at one by one.
  await Promise.all(Array.from({ length: 210 }, (_, i) => client.create(RESOURCE, binding(`c-${i}`, 'ann'))));
  expect(await now()).toHaveLength(211);
});
