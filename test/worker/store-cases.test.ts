/** The cases of every store, on the real Durable Object: it is evicted before everything that is asked of it. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, it } from 'vitest';
import type { Env } from '../../src/durable-objects/env.ts';
import type { ResourceStore } from '../../src/durable-objects/resource-store.ts';
import type { ResourceStore as Core } from '../../src/store/store.ts';
import type { Sink } from '../../src/store/watch-hub.ts';
import { readCases } from '../support/store-read-cases.ts';
import { Inbox, restarting, type StoreCalls, type StoreUnderTest } from '../support/store-under-test.ts';
import { walkCases } from '../support/store-walk-cases.ts';
import { watchCases } from '../support/store-watch-cases.ts';
import { writeCases } from '../support/store-write-cases.ts';

/** Each case has a cluster, and so a store, of its own. */
let clusters = 0;

function durableStore(resource: string): StoreUnderTest {
  const stub = (env as unknown as Env).STORE.getByName(`case-${++clusters}/core/${resource}`);
  return {
    calls: stub as unknown as StoreCalls,
    async watch(query) {
      const whole = { prefix: '', resourceVersion: '', apiVersion: 'v1', kind: 'ConfigMap', ...query };
      const headers = { upgrade: 'websocket', 'x-watch': encodeURIComponent(JSON.stringify(whole)) };
      const { webSocket } = await stub.fetch('https://store/watch', { headers });
      const socket = webSocket as WebSocket;
      const inbox = new Inbox();
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('message', ({ data }) => inbox.put(data as ArrayBuffer));
      socket.addEventListener('close', () => inbox.end());
      socket.accept();
      return Object.assign(inbox, { leave: async () => socket.close(1000) });
    },
    compact: (keep) =>
      runInDurableObject(stub, (store: ResourceStore) => {
        const { core } = store as unknown as { core: Core<Sink> };
        core.compact(-1, keep);
      }),
    watchers: async () => (await stub.stats()).watchers,
    async restart() {
      // Only what runs can be evicted.
      await stub.stats();
      await evictDurableObject(stub);
    },
  };
}

describe('the store in a Durable Object that is evicted between any two steps', () => {
  it.each([...writeCases, ...readCases, ...watchCases, ...walkCases])(
    '$name',
    async ({ resource = 'configmaps', run }) => {
      await run(restarting(durableStore(resource)));
    },
  );
});
