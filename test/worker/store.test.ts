/** The ResourceStore in workerd: on real SQLite, through its RPC. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/durable-objects/env.ts';
import type { Encoded } from '../../src/store/types.ts';

const store = (name: string) => (env as unknown as Env).STORE.getByName(`test/core/${name}`);

const object = (name: string, labels?: Record<string, string>): Encoded => ({
  text: `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"","name":"${name}"}}`,
  labels,
  fields: undefined,
  uid: name,
  owners: undefined,
});

describe('ResourceStore', () => {
  it('creates once, reads back, and says which resourceVersion', async () => {
    const configmaps = store('configmaps');
    expect(await configmaps.create('ns/a', object('a'), false)).toMatchObject({ resourceVersion: 1, deleted: false });
    expect(await configmaps.get('ns/a')).toContain('"resourceVersion":"1"');
    expect(await configmaps.create('ns/a', object('a'), false)).toMatchObject({ status: { reason: 'AlreadyExists' } });
    expect(await configmaps.get('ns/b')).toBeNull();
  });

  it('writes two rows for a create', async () => {
    const secrets = store('secrets');
    await secrets.create('ns/first', object('first'), false);
    const before = (await secrets.stats()).rowsWritten;
    await secrets.create('ns/second', object('second'), false);
    expect((await secrets.stats()).rowsWritten - before).toBe(2);
  });

  it('lists by label, in pages of one resourceVersion', async () => {
    const pods = store('pods');
    for (const name of ['a', 'b', 'c'])
      await pods.create(`ns/${name}`, object(name, { odd: String(name !== 'b') }), false);
    expect(await pods.list({ prefix: 'ns/', labelSelector: 'odd=true' })).toMatchObject({ count: 2 });
    const first = await pods.list({ prefix: '', limit: 2 });
    expect(first).toMatchObject({ count: 2, remainingItemCount: 1, resourceVersion: 3 });
    await pods.create('ns/aa', object('aa'), false);
    const token = 'continue' in first ? first.continue : undefined;
    const second = await pods.list({ prefix: '', limit: 2, continue: token as string });
    expect(second).toMatchObject({ count: 1, resourceVersion: 3 });
  });
});
