import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import { type Controller, itself } from '../../src/controllers/controller.ts';
import { ControllerManager } from '../../src/controllers/manager.ts';
import type { ManagerOptions } from '../../src/controllers/options.ts';
import { MemoryBackend, type QueueRow } from '../../src/controllers/queue/backend.ts';
import { backoffMs, restMs, WorkQueue } from '../../src/controllers/queue/work-queue.ts';

const keys = (queue: WorkQueue): string[] => {
  const taken: string[] = [];
  for (let row = queue.take(); row !== undefined; row = queue.take()) taken.push(row.key);
  return taken;
};

describe('work queue', () => {
  it.each([
    [1, 5],
    [2, 10],
    [10, 2560],
    [18, 655_360],
    [19, 1_000_000],
    [1000, 1_000_000],
  ])('backs off after %i failures for %i ms', (attempts, ms) => expect(backoffMs(attempts)).toBe(ms));

  it('gives every key once, in order, and again what was added meanwhile', () => {
    const queue = new WorkQueue([], () => 0);
    for (const key of ['a', 'b', 'a']) queue.add('c', key);
    const row = queue.take();
    expect(row?.key).toBe('a');
    queue.add('c', 'a');
    expect(keys(queue)).toEqual(['b']);
    if (row) queue.succeed(row);
    expect(keys(queue)).toEqual(['a']);
  });

  it('delays, cancels, and takes the earlier of two times', () => {
    let now = 0;
    const queue = new WorkQueue([], () => now);
    queue.add('c', 'late', 100);
    queue.add('c', 'late', 500);
    queue.add('c', 'never', 50);
    queue.cancel('c', 'never');
    expect(queue.nextDue()).toBe(100);
    expect(keys(queue)).toEqual([]);
    now = 100;
    expect(keys(queue)).toEqual(['late']);
  });

  it('forgets failures after a success, not after another add', () => {
    let now = 0;
    const queue = new WorkQueue([], () => now);
    const fail = () => {
      const row = queue.take();
      if (row) queue.fail(row);
      return row?.attempts;
    };
    queue.add('c', 'k');
    expect(fail()).toBe(1);
    queue.add('c', 'k');
    expect(fail()).toBe(2);
    expect(queue.nextDue()).toBe(10);
    now = 10;
    const row = queue.take();
    if (row) queue.succeed(row, 7);
    expect(queue.nextDue()).toBe(17);
    now = 17;
    expect(fail()).toBe(1);
  });

  it.each([
    [0, 0],
    [20, 0],
    [21, 189],
    [40, 360],
    [10_000, 500],
  ])('leaves a key that took %i ms alone for %i ms', (took, rest) => expect(restMs(took)).toBe(rest));

  it.each<[string, (queue: WorkQueue, row: QueueRow) => void]>([
    [
      'that was added while it was worked on',
      (queue, row) => {
        queue.add('c', row.key);
        queue.succeed(row);
      },
    ],
    [
      'that is added when it is done',
      (queue, row) => {
        queue.succeed(row);
        queue.add('c', row.key);
      },
    ],
    ['that wants to be looked at again', (queue, row) => queue.succeed(row, 5)],
    ['that failed', (queue, row) => queue.fail(row)],
  ])('lets a key rest %s, after work that took long', (_, finish) => {
    let now = 0;
    const queue = new WorkQueue([], () => now);
    queue.add('c', 'long');
    const row = queue.take() as QueueRow;
    now = 30;
    finish(queue, row);
    queue.add('c', 'other');
    expect(keys(queue)).toEqual(['other']);
    now = 30 + restMs(30) - 1;
    expect(keys(queue)).toEqual([]);
    now++;
    expect(keys(queue)).toEqual(['long']);
    queue.succeed(row);
    queue.add('c', 'long');
    expect(keys(queue)).toEqual(['long']);
  });

  it('says what differs from the disk', () => {
    const queue = new WorkQueue([{ controller: 'c', key: 'old', notBefore: 0, attempts: 3 }], () => 0);
    expect(queue.pending()).toEqual({ put: [], remove: [] });
    queue.add('c', 'new', 5);
    const old = queue.take();
    if (old) queue.succeed(old);
    expect(queue.pending()).toEqual({
      put: [{ controller: 'c', key: 'new', notBefore: 5, attempts: 0 }],
      remove: [{ controller: 'c', key: 'old' }],
    });
    queue.saved();
    expect(queue.pending()).toEqual({ put: [], remove: [] });
  });
});

function fixture(reconcile: (key: string) => Promise<{ requeueAfterMs?: number } | undefined>) {
  const cluster = new FakeCluster();
  const backend = new MemoryBackend();
  const controller: Controller = {
    name: 'test',
    watches: [{ resource: 'core/configmaps', keys: itself }],
    reconcile: (_, { key }) => reconcile(key),
  };
  let time = 0;
  const options: ManagerOptions = {
    controllers: [controller],
    client: cluster,
    backend,
    changesSince: (store, from) => cluster.changesSince(store, from),
    rootCa: () => Promise.resolve({ bundle: '' }),
    secretToken: () => Promise.resolve(''),
    certificates: { approval: () => Promise.resolve(undefined), sign: () => Promise.resolve(undefined) },
    clusterCidr: '10.244.0.0/16',
    now: () => time,
  };
  const start = () => new ControllerManager(options);
  const advance = (ms: number) => {
    time += ms;
  };
  const make = (name: string) => cluster.create('core/configmaps', { metadata: { name, namespace: 'ns' } });
  return { cluster, backend, start, advance, make };
}

describe('manager', () => {
  it('fills gaps, drops what it has seen, and writes one checkpoint without rows for what is done', async () => {
    const worked: string[] = [];
    const { backend, start, make, advance } = fixture(async (key) => {
      worked.push(key);
      return undefined;
    });
    for (const name of ['a', 'b', 'c']) await make(name);
    const manager = start();
    await manager.notify('core/configmaps', 1, [{ key: 'ns/a', type: 'ADDED', resourceVersion: 2 }]);
    // The notification of b got lost.
    await manager.notify('core/configmaps', 3, [{ key: 'ns/c', type: 'ADDED', resourceVersion: 4 }]);
    await manager.notify('core/configmaps', 2, [{ key: 'ns/b', type: 'ADDED', resourceVersion: 3 }]);
    expect(worked).toEqual(['ns/a', 'ns/b', 'ns/c']);
    expect(backend.rows()).toEqual([]);
    // Cursors alone are written once a second.
    expect(backend.cursors()).toEqual(new Map([['core/configmaps', 2]]));
    advance(1000);
    await manager.drain();
    expect(backend.cursors()).toEqual(new Map([['core/configmaps', 4]]));
  });

  it('lists a store that it never heard of before', async () => {
    const worked: string[] = [];
    const { start, make } = fixture(async (key) => {
      worked.push(key);
      return undefined;
    });
    for (const name of ['a', 'b']) await make(name);
    await start().notify('core/configmaps', 2, [{ key: 'ns/b', type: 'ADDED', resourceVersion: 3 }]);
    expect(worked.sort()).toEqual(['ns/a', 'ns/b']);
  });

  it('works on different keys together, on one key alone', async () => {
    const running = new Map<string, number>();
    let together = 0;
    const { start, make } = fixture(async (key) => {
      running.set(key, (running.get(key) ?? 0) + 1);
      expect(running.get(key)).toBe(1);
      together = Math.max(
        together,
        [...running.values()].reduce((a, b) => a + b),
      );
      await Promise.resolve();
      await Promise.resolve();
      running.set(key, 0);
      return undefined;
    });
    for (let i = 0; i < 40; i++) await make(`m${i}`);
    const manager = start();
    const notices = (from: number) =>
      Array.from({ length: 40 }, (_, i) => ({
        key: `ns/m${i}`,
        type: 'MODIFIED' as const,
        resourceVersion: from + i + 1,
      }));
    await Promise.all([
      manager.notify('core/configmaps', 1, notices(1)),
      manager.notify('core/configmaps', 41, notices(41)),
    ]);
    expect(together).toBe(16);
  });

  it('forgets nothing when it is evicted', async () => {
    let broken = true;
    const worked: string[] = [];
    const { backend, start, advance, make } = fixture(async (key) => {
      if (broken) throw new Error('not now');
      worked.push(key);
      return { requeueAfterMs: 60_000 };
    });
    await make('a');
    const first = start();
    await first.notify('core/configmaps', 1, [{ key: 'ns/a', type: 'ADDED', resourceVersion: 2 }]);
    expect(backend.rows()).toEqual([{ controller: 'test', key: 'ns/a', notBefore: 5, attempts: 1 }]);
    broken = false;
    const second = start();
    expect(second.nextDue()).toBe(5);
    advance(5);
    await second.drain();
    expect(worked).toEqual(['ns/a']);
    expect(start().nextDue()).toBe(60_005);
  });

  it('does again what was not done before a crash', async () => {
    const worked: string[] = [];
    let hang = true;
    const { start, make } = fixture(async (key) => {
      if (hang) await new Promise(() => {});
      worked.push(key);
      return undefined;
    });
    await make('a');
    const lost = start().notify('core/configmaps', 1, [{ key: 'ns/a', type: 'ADDED', resourceVersion: 2 }]);
    void lost.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    hang = false;
    await make('b');
    await start().notify('core/configmaps', 2, [{ key: 'ns/b', type: 'ADDED', resourceVersion: 3 }]);
    expect(worked.sort()).toEqual(['ns/a', 'ns/b']);
  });
});
