import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import { itself, type Watch } from '../../src/controllers/controller.ts';
import { KeptReads } from '../../src/controllers/kept-reads.ts';

const SERVICES = 'core/services';
const NODES = 'core/nodes';
const watches: Watch[] = [
  { resource: SERVICES, keys: itself },
  { resource: NODES, keys: () => [], queues: true },
  { resource: 'core/pods', keys: () => [] },
];

function fixture() {
  const cluster = new FakeCluster();
  const reads = new KeptReads();
  const namesIn = async (store: string): Promise<string[]> => {
    const { items } = await reads.reader(readerOf(cluster), watches).list(store);
    return items.map(({ metadata }) => metadata.name);
  };
  return { cluster, reads, namesIn };
}

/** Methods as properties, as the manager hands clients on. */
const readerOf = (cluster: FakeCluster) => ({
  get: cluster.get.bind(cluster),
  list: cluster.list.bind(cluster),
  create: cluster.create.bind(cluster),
  update: cluster.update.bind(cluster),
  patch: cluster.patch.bind(cluster),
  delete: cluster.delete.bind(cluster),
});

describe('kept reads', () => {
  it.each([
    { store: SERVICES, kept: true },
    { store: NODES, kept: true },
    { store: 'core/pods', kept: false },
    { store: 'core/secrets', kept: false },
  ])('of $store are kept: $kept', async ({ store, kept }) => {
    const { cluster, reads, namesIn } = fixture();
    expect(await namesIn(store)).toEqual([]);
    await cluster.create(store, { metadata: { name: 'a', namespace: store === NODES ? '' : 'ns' } });
    expect(await namesIn(store)).toEqual(kept ? [] : ['a']);
    reads.forget(store);
    expect(await namesIn(store)).toEqual(['a']);
  });

  it('keep neither failures nor long lists', async () => {
    const { cluster, reads } = fixture();
    let isUp = false;
    const get = () => (isUp ? Promise.resolve(undefined) : Promise.reject(new Error('down')));
    const client = reads.reader({ ...readerOf(cluster), get }, watches);
    await expect(client.get(NODES, '', 'a')).rejects.toThrow('down');
    isUp = true;
    expect(await client.get(NODES, '', 'a')).toBeUndefined();
    for (let i = 0; i < 501; i++) await cluster.create(NODES, { metadata: { name: `n-${i}` } });
    expect((await client.list(NODES)).items.length).toBe(501);
    await cluster.delete(NODES, '', 'n-7');
    expect((await client.list(NODES)).items.length).toBe(500);
  });
});
