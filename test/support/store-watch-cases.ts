/** Watches: from now, from a resourceVersion, from the state; through selectors; across restarts and compaction. */
import { expect } from 'vitest';
import { add, configMap, patch, pod, remove, type StoreCase, said } from './store-cases.ts';
import type { StoreUnderTest, Watcher } from './store-under-test.ts';

const S1 = { labels: { s: '1' } };
const label = (store: StoreUnderTest, name: string, s: string) => patch(store, name, { metadata: { labels: { s } } });

/** In and out of `s=1`, one way and another. */
async function moves(store: StoreUnderTest): Promise<void> {
  await add(store, configMap('a', S1), configMap('b', { labels: { s: '2' } }));
  await patch(store, 'a', { data: { a: '2' } });
  await label(store, 'a', '2');
  await label(store, 'b', '1');
  await patch(store, 'a', { data: { a: '3' } });
  await label(store, 'a', '1');
  await remove(store, 'b');
  await label(store, 'a', '2');
  await remove(store, 'a');
}

const ALL = [
  'ADDED a@2',
  'ADDED b@3',
  'MODIFIED a@4',
  'MODIFIED a@5',
  'MODIFIED b@6',
  'MODIFIED a@7',
  'MODIFIED a@8',
  'DELETED b@9',
  'MODIFIED a@10',
  'DELETED a@11',
];

const SEEN_BY: [query: { labelSelector?: string; fieldSelector?: string; prefix?: string }, events: string[]][] = [
  [{}, ALL],
  [
    { labelSelector: 's=1' },
    ['ADDED a@2', 'MODIFIED a@4', 'DELETED a@5', 'ADDED b@6', 'ADDED a@8', 'DELETED b@9', 'DELETED a@10'],
  ],
  [
    { labelSelector: 's!=1' },
    ['ADDED b@3', 'ADDED a@5', 'DELETED b@6', 'MODIFIED a@7', 'DELETED a@8', 'ADDED a@10', 'DELETED a@11'],
  ],
  [{ labelSelector: 's=1', fieldSelector: 'metadata.name=b' }, ['ADDED b@6', 'DELETED b@9']],
  [{ fieldSelector: 'metadata.name=none' }, []],
  [{ prefix: 'other/' }, []],
  [{ labelSelector: 's in (1,2)', prefix: 'ns/' }, ALL],
];

const END = { namespace: 'other', labels: { s: '1' } };

/** What a watcher sees next. */
async function sees(watcher: Watcher, count: number): Promise<string[]> {
  return said(await watcher.take(count));
}

export const watchCases: StoreCase[] = [
  {
    name: 'shows a change as it looks through each selector, live and again from any resourceVersion',
    async run(store) {
      const live = [];
      for (const [query] of SEEN_BY) live.push(await store.watch({ ...query, sendInitialEvents: false }));
      await moves(store);
      for (const [i, [query, events]] of SEEN_BY.entries()) {
        const watcher = live[i] as NonNullable<(typeof live)[number]>;
        const seen = await watcher.take(events.length);
        expect(said(seen), JSON.stringify(query)).toEqual(events);
        for (let from = 1; from <= 11; from++) {
          const again = await store.watch({ ...query, resourceVersion: String(from) });
          const later = seen.filter(({ object }) => Number(object.metadata.resourceVersion) > from);
          expect(await again.take(later.length), `${JSON.stringify(query)} from ${from}`).toEqual(later);
          expect(again.left()).toEqual([]);
          await again.leave();
        }
      }
      // The last one saw the last change: who was to see nothing has seen nothing.
      expect(live.flatMap((watcher) => watcher.left())).toEqual([]);
    },
  },
  {
    name: 'tells nothing twice and nothing more: the next event is the next change',
    async run(store) {
      const all = await store.watch({ sendInitialEvents: false });
      const selected = await store.watch({ labelSelector: 's=1', sendInitialEvents: false });
      await add(store, configMap('a'), configMap('b', S1));
      await add(store, configMap('z', END));
      expect(await sees(all, 3)).toEqual(['ADDED a@2', 'ADDED b@3', 'ADDED z@4']);
      expect(await sees(selected, 2)).toEqual(['ADDED b@3', 'ADDED z@4']);
    },
  },
  {
    name: 'shows who loses sight of an object what it was',
    async run(store) {
      await add(store, configMap('a', { ...S1, data: { a: 'old' } }));
      const watcher = await store.watch({ labelSelector: 's=1', resourceVersion: '2' });
      await patch(store, 'a', { metadata: { labels: { s: '2' } }, data: { a: 'new' } });
      const [event] = await watcher.take(1);
      expect(event).toMatchObject({
        type: 'DELETED',
        object: { data: { a: 'old' }, metadata: { labels: { s: '1' } } },
      });
      expect(event?.object.metadata.resourceVersion).toBe('3');
    },
  },
  {
    name: 'starts with the state where no version, or 0, is named',
    async run(store) {
      await add(store, configMap('b'), configMap('a'), configMap('c'));
      await remove(store, 'c');
      for (const resourceVersion of ['', '0']) {
        const watcher = await store.watch({ resourceVersion });
        expect(await sees(watcher, 2)).toEqual(['ADDED a@3', 'ADDED b@2']);
      }
      const watcher = await store.watch({ resourceVersion: '0' });
      await add(store, configMap('d'));
      expect(await sees(watcher, 3)).toEqual(['ADDED a@3', 'ADDED b@2', 'ADDED d@6']);
    },
  },
  {
    name: 'marks the end of the initial events where bookmarks are welcome',
    async run(store) {
      await add(store, configMap('a', S1), configMap('b'));
      const query = { sendInitialEvents: true, allowWatchBookmarks: true };
      const all = await store.watch(query);
      const events = await all.take(3);
      expect(said(events)).toEqual(['ADDED a@2', 'ADDED b@3', 'BOOKMARK @3']);
      expect(events[2]?.object).toMatchObject({
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
      });
      const none = await store.watch({ ...query, labelSelector: 's=9' });
      expect(await sees(none, 1)).toEqual(['BOOKMARK @3']);
      const unmarked = await store.watch({ sendInitialEvents: true, labelSelector: 's=1' });
      await label(store, 'b', '1');
      expect(await sees(unmarked, 2)).toEqual(['ADDED a@2', 'ADDED b@4']);
    },
  },
  {
    name: 'ends a watch from before the history with 410, one from the future with 504',
    async run(store) {
      await add(store, configMap('a'), configMap('b'), configMap('c'));
      await store.compact(1);
      const refused: [resourceVersion: string, code: number, reason: string][] = [
        ['2', 410, 'Expired'],
        ['5', 504, 'Timeout'],
      ];
      for (const [resourceVersion, code, reason] of refused) {
        const watcher = await store.watch({ resourceVersion });
        expect(await watcher.take(1)).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code, reason } }]);
        await watcher.closed;
      }
      const watcher = await store.watch({ resourceVersion: '3' });
      expect(await sees(watcher, 1)).toEqual(['ADDED c@4']);
      expect(await store.watchers()).toBe(1);
    },
  },
  {
    name: 'keeps watches over restarts and compaction',
    async run(store) {
      const watcher = await store.watch({ labelSelector: 's=1', sendInitialEvents: false });
      await add(store, configMap('a', S1));
      await store.compact(0);
      await store.restart();
      await label(store, 'a', '2');
      await store.restart();
      await store.restart();
      await label(store, 'a', '1');
      expect(await sees(watcher, 3)).toEqual(['ADDED a@2', 'DELETED a@3', 'ADDED a@4']);
      expect(await store.watchers()).toBe(1);
    },
  },
  {
    name: 'tells a deletion the same way live and later, with its own resourceVersion',
    resource: 'pods',
    async run(store) {
      await add(store, pod('p'));
      const live = await store.watch({ sendInitialEvents: false });
      await remove(store, 'p', {}, 'pods');
      await remove(store, 'p', { gracePeriodSeconds: 0 }, 'pods');
      const events = await live.take(2);
      expect(said(events)).toEqual(['MODIFIED p@3', 'DELETED p@4']);
      const later = await store.watch({ resourceVersion: '2' });
      expect(await later.take(2)).toEqual(events);
    },
  },
  {
    name: 'forgets a watcher who leaves',
    async run(store) {
      const one = await store.watch({ sendInitialEvents: false });
      const two = await store.watch({ sendInitialEvents: false });
      expect(await store.watchers()).toBe(2);
      await one.leave();
      await expect.poll(() => store.watchers()).toBe(1);
      await add(store, configMap('a'));
      expect(await sees(two, 1)).toEqual(['ADDED a@2']);
    },
  },
];
