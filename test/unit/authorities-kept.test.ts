/** What is kept at hand of the cluster's CAs, and of what they have signed, is asked for anew when they are others. */
import { describe, expect, it, vi } from 'vitest';
import { frontProxyCertificate } from '../../src/api/aggregation/front-proxy.ts';
import { SnapshotCache } from '../../src/api/snapshot.ts';
import type { RootCa } from '../../src/controllers/controller.ts';
import type { ClusterRpc, ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';
import { KnownRootCa } from '../../src/durable-objects/known-root-ca.ts';
import { NO_FACTS } from '../support/no-facts.ts';

describe('the front proxy’s certificate', () => {
  it('is asked for once, and again when the snapshot knows of other CAs', async () => {
    let facts: ClusterSnapshot = { ...NO_FACTS, version: 1, issuer: 'https://issuer', keys: [], authorities: 'old' };
    let asked = 0;
    const cluster = {
      snapshot: async (known: number) => (known === facts.version ? null : facts),
      frontProxy: async () => ({ cert: `${++asked}`, key: '' }),
    } as unknown as ClusterRpc;
    const snapshots = new SnapshotCache();
    const certificate = async (): Promise<string> => {
      snapshots.drop('c');
      await snapshots.get('c', cluster);
      return (await frontProxyCertificate({ cluster: () => cluster }, 'c')).cert;
    };
    expect([await certificate(), await certificate()]).toEqual(['1', '1']);
    facts = { ...facts, version: 2 };
    expect(await certificate()).toBe('1');
    facts = { ...facts, version: 3, authorities: 'new old' };
    expect([await certificate(), await certificate()]).toEqual(['2', '2']);
  });
});

describe('the CAs that the controllers know', () => {
  const asking = (answers: (RootCa | Error)[]): KnownRootCa =>
    new KnownRootCa(async () => {
      const answer = answers.shift() ?? new Error('asked too often');
      if (answer instanceof Error) throw answer;
      return answer;
    });

  it('are asked for once, and again when they are to be forgotten', async () => {
    const known = asking([{ bundle: 'a' }, { bundle: 'b' }]);
    const together = await Promise.all([known.get(), known.get()]);
    expect(together.map(({ bundle }) => bundle)).toEqual(['a', 'a']);
    known.forget();
    expect((await known.get()).bundle).toBe('b');
    expect((await known.get()).bundle).toBe('b');
  });

  it('are asked for again where there was no answer', async () => {
    const known = asking([new Error('away'), { bundle: 'a' }]);
    await expect(known.get()).rejects.toThrow('away');
    expect((await known.get()).bundle).toBe('a');
  });

  it('are asked for again when another signs, and once only where the clocks differ', async () => {
    vi.useFakeTimers({ now: 1000 });
    const before = { bundle: 'a', until: 2000 };
    const known = asking([before, before, { bundle: 'b' }]);
    try {
      expect([await known.get(), await known.get()]).toEqual([before, before]);
      vi.setSystemTime(2000);
      expect(await known.get()).toEqual(before);
      expect((await known.get()).bundle).toBe('b');
    } finally {
      vi.useRealTimers();
    }
  });
});
