/** The Cluster object: who brings a cluster about, and who does not. */
import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
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

it('keeps the keys of a cluster of before, and seals them', async () => {
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

it('follows what is made, changed and deleted, and says nothing when nothing is', async () => {
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

describe('the CAs of a cluster', () => {
  const FACTS = 'identity';
  const client = (name: string): StoreClient => new StoreClient(surroundings(env as unknown as Env), name, 'test');
  /** The ids in what extension API servers are told, in order. */
  const published = async (name: string, ids: Record<string, string>): Promise<string[]> => {
    const map = await client(name).get<KubeObject & { data: Record<string, string> }>(
      'core/configmaps',
      'kube-system',
      'extension-apiserver-authentication',
    );
    expect(map?.data['client-ca-file']).toBe(map?.data['requestheader-client-ca-file']);
    return certificatesIn(map?.data['client-ca-file'] ?? '').map((pem) => ids[pem] ?? 'another');
  };
  const certificatesIn = (bundle: string): string[] =>
    bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];

  it('are the one of before, until another is made beside it, signs, and the first is retired', async () => {
    const cluster = CLUSTER.getByName('certified');
    await cluster.mint({ user: 'admin', groups: [], ttlSeconds: 60 });
    await runInDurableObject(cluster, (object, { storage }) => {
      type Facts = { signing: object; issuer: string; authorities: [{ certificate: string; key: string }] };
      const { authorities, ...facts } = (object as unknown as { identity: { facts: Facts } }).identity.facts;
      const [{ certificate, key }] = authorities;
      // What a Worker has left behind that knew of one CA.
      storage.kv.put(FACTS, { ...facts, authority: { certificate, key } });
    });
    const old = (await cluster.rootCa()).bundle;
    await evictDurableObject(cluster);
    expect(await cluster.rootCa()).toEqual({ bundle: old });
    const [first] = await cluster.authorities();
    expect(first).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), state: 'signs' });
    expect(await cluster.retireKey(first?.id ?? '')).toMatchObject({
      status: { reason: 'Conflict', message: expect.stringContaining('it signs: rotate the CA first') },
    });

    await cluster.rotateAuthority(3600_000);
    const waiting = await cluster.rootCa();
    expect(certificatesIn(waiting.bundle)).toHaveLength(2);
    expect(waiting.bundle.startsWith(old)).toBe(true);
    expect((waiting.until ?? 0) - Date.now()).toBeGreaterThan(3500_000);
    // One that waits gives way.
    await cluster.rotateAuthority(0);
    const { bundle } = await cluster.rootCa();
    const [next = '', last = ''] = certificatesIn(bundle);
    expect(last).toBe(old.trim());
    const states = await cluster.authorities();
    expect(states.map(({ state }) => state)).toEqual(['signs', 'trusted']);
    const ids = { [next]: 'new', [last]: 'old' };
    await expect.poll(() => published('certified', ids)).toEqual(['new', 'old']);

    const snapshot = (await cluster.snapshot(-1, false)) as ClusterSnapshot;
    expect(snapshot.authorities.split(' ')).toEqual(states.map(({ id }) => id));
    expect((await cluster.nodeCredential('n'))?.ca).toBe(bundle);
    expect(await cluster.retireKey(first?.id ?? '')).toBeNull();
    expect(await cluster.rootCa()).toEqual({ bundle: next });
    await expect.poll(() => published('certified', ids)).toEqual(['new']);
    expect(await cluster.retireKey(first?.id ?? '')).toMatchObject({ status: { reason: 'NotFound' } });
    await evictDurableObject(cluster);
    expect(await cluster.rootCa()).toEqual({ bundle: next });
  });

  it('sign the front proxy’s certificate anew when another signs', async () => {
    const cluster = CLUSTER.getByName('proxied');
    await cluster.mint({ user: 'admin', groups: [], ttlSeconds: 60 });
    const before = await cluster.frontProxy();
    expect(await cluster.frontProxy()).toEqual(before);
    await cluster.rotateAuthority(0);
    expect(await cluster.frontProxy()).not.toEqual(before);
  });
});
