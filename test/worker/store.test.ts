/** What the ResourceStore is beside a store: its rows, its sleep, its alarm. What every store does is in `store-cases.test.ts`. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/durable-objects/env.ts';
import type { Encoded } from '../../src/store/types.ts';

const store = (name: string) => (env as unknown as Env).STORE.getByName(`test/core/${name}`);

const object = (name: string): Encoded => ({
  text: `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"","name":"${name}"}}`,
  labels: undefined,
  fields: undefined,
  uid: name,
  owners: undefined,
});

describe('ResourceStore', () => {
  it('writes two rows for a create', async () => {
    const secrets = store('secrets');
    await secrets.create('ns/first', object('first'), false);
    const before = (await secrets.stats()).rowsWritten;
    await secrets.create('ns/second', object('second'), false);
    expect((await secrets.stats()).rowsWritten - before).toBe(2);
  });

  it('has the runtime tell its resourceVersion to watchers, without waking', async () => {
    const nodes = store('nodes');
    const query = { prefix: '', resourceVersion: '', sendInitialEvents: false, apiVersion: 'v1', kind: 'Node' };
    const watch = async (): Promise<{ socket: WebSocket; version(): Promise<unknown> }> => {
      const headers = { upgrade: 'websocket', 'x-watch': encodeURIComponent(JSON.stringify(query)) };
      const socket = (await nodes.fetch('https://store/watch', { headers })).webSocket as WebSocket;
      socket.accept();
      const version = (): Promise<unknown> => {
        const answer = new Promise((resolve) => {
          const take = ({ data }: MessageEvent): void => {
            if (typeof data !== 'string') return;
            socket.removeEventListener('message', take);
            resolve(data);
          };
          socket.addEventListener('message', take);
        });
        socket.send('rv');
        return answer;
      };
      return { socket, version };
    };
    await nodes.create('a', object('a'), false);
    const first = await watch();
    expect(await first.version()).toBe('2');
    await nodes.create('b', object('b'), false);
    await evictDurableObject(nodes);
    expect(await first.version()).toBe('3');
    // Only what runs can be evicted: it slept through the question.
    await expect(evictDurableObject(nodes)).rejects.toThrow('not currently running');
    first.socket.close(1000);
    await expect.poll(async () => (await nodes.stats()).watchers).toBe(0);
    await nodes.create('c', object('c'), false);
    expect(await (await watch()).version()).toBe('4');
  });
});

describe('what a store does for itself', () => {
  const event = (name: string, lastTimestamp: string): Encoded => ({
    ...object(name),
    text: `{"kind":"Event","apiVersion":"v1","metadata":{"resourceVersion":"","name":"${name}"},"lastTimestamp":"${lastTimestamp}"}`,
  });

  it('forgets Events an hour after they happened, though nobody writes any more', async () => {
    const events = store('events');
    const now = new Date().toISOString();
    expect(await runDurableObjectAlarm(events)).toBe(false);
    await events.create('ns/old', event('old', '2020-01-01T00:00:00Z'), false);
    await events.create('ns/new', event('new', now), false);
    await evictDurableObject(events);
    expect(await runDurableObjectAlarm(events)).toBe(true);
    expect(await events.get('ns/old')).toBeNull();
    expect(await events.get('ns/new')).not.toBeNull();
    const done = { do: 'delete', resource: 'core/v1/events', options: { dryRun: false } } as const;
    await events.change('ns/new', done);
    // The alarm that was set for what is left is the last one.
    expect(await runDurableObjectAlarm(events)).toBe(true);
    expect(await runDurableObjectAlarm(events)).toBe(false);
  });

  it('keeps its log short, though it sleeps after every few writes', async () => {
    const leases = (env as unknown as Env).STORE.getByName('test/coordination.k8s.io/leases');
    const write = (from: number, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => leases.create(`ns/${from + i}`, object(`${from + i}`), false)),
      );
    await write(0, 700);
    const entries = (change = '') =>
      runInDurableObject(leases, (_, { storage }) => {
        if (change !== '') storage.sql.exec(change);
        return storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM log').one().n;
      });
    expect(await entries('UPDATE log SET at = 0')).toBe(700);
    for (let from = 700; from < 780; from += 20) {
      await evictDurableObject(leases);
      await write(from, 20);
    }
    expect(await entries()).toBeLessThan(520);
    expect(await leases.list({ prefix: '' })).toMatchObject({ count: 780, resourceVersion: 781 });
  });
});
