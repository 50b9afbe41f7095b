/** Encryption at rest on the real Durable Object: what was written before is rewritten by alarms, whatever evicts it in between. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/durable-objects/env.ts';
import type { Encoded } from '../../src/store/types.ts';

const store = (name: string) => (env as unknown as Env).STORE.getByName(name);
type Store = ReturnType<typeof store>;

const secret = (value: string): Encoded => ({
  text: `{"kind":"Secret","apiVersion":"v1","metadata":{"resourceVersion":""},"data":{"password":"${value}"}}`,
  labels: undefined,
  fields: { type: 'Opaque' },
  uid: value,
  owners: undefined,
});

const forms = (stub: Store): Promise<string[]> =>
  runInDurableObject(stub, (_, { storage }) => {
    const sql =
      'SELECT DISTINCT typeof(text) AS form FROM (SELECT text FROM objects UNION ALL SELECT text FROM log) WHERE text IS NOT NULL';
    return [...storage.sql.exec<{ form: string }>(sql)].map(({ form }) => form);
  });

/** Runs alarms until all is rewritten; the store is evicted before each. */
async function rewriteAll(stub: Store): Promise<void> {
  while ((await stub.encryption(false))?.rewriting) {
    await evictDurableObject(stub);
    await runDurableObjectAlarm(stub);
  }
}

describe('the store of Secrets', () => {
  it('seals objects and history, with two rows a write', async () => {
    const secrets = store('sealed/core/secrets');
    await secrets.create('ns/a', secret('hunter2'), false);
    const before = (await secrets.stats()).rowsWritten;
    await secrets.create('ns/b', secret('hunter3'), false);
    expect((await secrets.stats()).rowsWritten - before).toBe(2);
    expect(await forms(secrets)).toEqual(['blob']);
    await evictDurableObject(secrets);
    expect(await secrets.get('ns/a')).toContain('hunter2');
    expect(await secrets.list({ prefix: '' })).toMatchObject({ count: 2, items: expect.stringContaining('hunter3') });
  });

  it('leaves other stores as they are', async () => {
    const maps = store('sealed/core/configmaps');
    await maps.create('ns/a', secret('hunter2'), false);
    expect(await forms(maps)).toEqual(['text']);
    expect(await maps.encryption(true)).toBeNull();
    expect(await runDurableObjectAlarm(maps)).toBe(false);
  });

  it('rewrites under a new key what is there, and lets nobody notice', async () => {
    const secrets = store('rotated/core/secrets');
    const names = Array.from({ length: 150 }, (_, i) => `ns/${i}`);
    await Promise.all(names.map((name, i) => secrets.create(name, secret(`hunter-${i}`), false)));
    await rewriteAll(secrets);
    const listed = await secrets.list({ prefix: '' });
    const before = await secrets.encryption(false);
    expect(before).toMatchObject({ rewriting: false, root: expect.stringMatching(/^[0-9a-f]{8}$/) });
    const after = await secrets.encryption(true);
    expect(after).toMatchObject({ rewriting: true, root: before?.root });
    expect(after?.key).not.toBe(before?.key);
    await rewriteAll(secrets);
    expect(await secrets.encryption(false)).toEqual({ ...after, rewriting: false });
    const texts = await secrets.getMany(names);
    expect(texts.every((text, i) => text?.includes(`hunter-${i}"`))).toBe(true);
    expect(await secrets.list({ prefix: '' })).toEqual(listed);
  });
});

it('seals a database of before', async () => {
  const secrets = store('before/core/secrets');
  await secrets.create('ns/a', secret('hunter2'), false);
  await rewriteAll(secrets);
  await runInDurableObject(secrets, (_, { storage }) => {
    // What a Worker without a key has left behind.
    const text = secret('hunter2').text.replace('""', '"1"');
    storage.sql.exec('UPDATE objects SET text = ?', text);
    for (const name of ['data-keys', 'sealed-under']) storage.kv.delete(name);
  });
  await evictDurableObject(secrets);
  expect(await secrets.get('ns/a')).toContain('hunter2');
  expect(await forms(secrets)).toEqual(['text']);
  await rewriteAll(secrets);
  expect(await forms(secrets)).toEqual(['blob']);
  expect(await secrets.get('ns/a')).toContain('hunter2');
});
