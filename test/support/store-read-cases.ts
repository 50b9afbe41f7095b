/** Reads: lists, pages at one resourceVersion, selectors, the past, and what compaction takes away. */
import { expect } from 'vitest';
import { add, configMap, failure, names, namesIn, page, patch, pod, remove, type StoreCase } from './store-cases.ts';

/** label selector, field selector or owner -> the names that it selects. */
const SELECTIONS: [query: { labelSelector?: string; fieldSelector?: string; ownerUid?: string }, names: string][] = [
  [{ labelSelector: 'app=x' }, 'a b'],
  [{ labelSelector: 'app==x,tier=front' }, 'a'],
  [{ labelSelector: 'app!=x' }, 'c d e'],
  [{ labelSelector: 'app in (x,y)' }, 'a b c'],
  [{ labelSelector: 'app notin (x)' }, 'c d e'],
  [{ labelSelector: 'tier' }, 'a c'],
  [{ labelSelector: '!tier' }, 'b d e'],
  [{ labelSelector: 'app=' }, 'd'],
  [{ labelSelector: 'ap=x' }, ''],
  [{ labelSelector: 'x=app' }, ''],
  [{ fieldSelector: 'metadata.name=a' }, 'a'],
  [{ fieldSelector: 'metadata.name!=a,metadata.namespace=ns' }, 'b c d'],
  [{ fieldSelector: 'metadata.namespace=other' }, 'e'],
  [{ labelSelector: 'app=x', fieldSelector: 'metadata.name=b' }, 'b'],
  [{ ownerUid: 'o1' }, 'b'],
  [{ ownerUid: 'o' }, ''],
];

export const readCases: StoreCase[] = [
  {
    name: 'lists by key, whole or one namespace',
    async run(store) {
      expect(await page(store)).toMatchObject({ count: 0, resourceVersion: 1, items: '' });
      await add(store, configMap('b'), configMap('a'), configMap('a', { namespace: 'ns-2' }), configMap('a1'));
      expect(await names(store)).toBe('a a a1 b');
      expect(await names(store, { prefix: 'ns/' })).toBe('a a1 b');
      expect(await names(store, { prefix: 'n/' })).toBe('');
      const body = await store.calls.listBody({ prefix: 'ns-2/' }, { kind: 'ConfigMapList', apiVersion: 'v1' });
      const list = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as { items: unknown[] };
      expect(list).toMatchObject({ kind: 'ConfigMapList', metadata: { resourceVersion: '5' } });
      expect(list.items).toEqual([{ metadata: expect.objectContaining({ namespace: 'ns-2' }), data: { a: '1' } }]);
    },
  },
  {
    name: 'selects by labels, fields and owners',
    async run(store) {
      await add(
        store,
        configMap('a', { labels: { app: 'x', tier: 'front' } }),
        configMap('b', { labels: { app: 'x' }, owner: 'o1' }),
        configMap('c', { labels: { app: 'y', tier: '' } }),
        configMap('d', { labels: { app: '' } }),
        configMap('e', { namespace: 'other' }),
      );
      for (const [query, selected] of SELECTIONS)
        expect(await names(store, query), JSON.stringify(query)).toBe(selected);
      expect(failure(await store.calls.list({ prefix: '', labelSelector: 'a in (' }))).toMatchObject({ code: 400 });
    },
  },
  {
    name: 'selects pods by their node and phase, as they are now',
    resource: 'pods',
    async run(store) {
      await add(store, pod('a'), pod('b', 'Pending'));
      const running = { fieldSelector: 'status.phase=Running,spec.nodeName=n' };
      expect(await names(store, running)).toBe('a');
      const status = { status: { phase: 'Running' } };
      const options = { fieldManager: 'test', dryRun: false, fieldValidation: 'Strict' } as const;
      const body = JSON.stringify(status);
      const request = {
        do: 'patch',
        resource: 'core/v1/pods',
        subresource: 'status',
        type: 'merge',
        body,
        options,
      } as const;
      await store.calls.change('ns/b', request);
      expect(await names(store, running)).toBe('a b');
    },
  },
  {
    name: 'pages through one resourceVersion whatever happens meanwhile',
    async run(store) {
      for (const name of 'abcdefg')
        await add(store, configMap(name, { labels: { odd: String('aceg'.includes(name)) } }));
      const first = await page(store, { limit: 3 });
      expect(first).toMatchObject({ count: 3, resourceVersion: 8, remainingItemCount: 4 });
      expect(namesIn(first)).toBe('a b c');
      await remove(store, 'e');
      await remove(store, 'b');
      await add(store, configMap('dd'), configMap('z'), configMap('b'));
      await patch(store, 'd', { data: { a: 'new' } });
      const second = await page(store, { limit: 3, continue: first.continue as string });
      expect(second).toMatchObject({ count: 3, resourceVersion: 8, remainingItemCount: 1 });
      expect(namesIn(second)).toBe('d e f');
      expect(second.items).not.toContain('new');
      await add(store, configMap('e'));
      const third = await page(store, { limit: 3, continue: second.continue as string });
      expect(third).toMatchObject({ count: 1, resourceVersion: 8 });
      expect([namesIn(third), third.continue, third.remainingItemCount]).toEqual(['g', undefined, undefined]);
      expect(await names(store)).toBe('a b c d dd e f g z');
    },
  },
  {
    name: 'pages what a selector selects, without saying how much is left',
    async run(store) {
      for (const name of 'abcde') await add(store, configMap(name, { labels: { odd: String('ace'.includes(name)) } }));
      const first = await page(store, { limit: 2, labelSelector: 'odd=true' });
      expect([namesIn(first), first.remainingItemCount]).toEqual(['a c', undefined]);
      await patch(store, 'e', { metadata: { labels: { odd: 'false' } } });
      await patch(store, 'd', { metadata: { labels: { odd: 'true' } } });
      const rest = await page(store, { limit: 2, labelSelector: 'odd=true', continue: first.continue as string });
      expect([namesIn(rest), rest.continue]).toEqual(['e', undefined]);
      expect(await names(store, { labelSelector: 'odd=true' })).toBe('a c d');
    },
  },
  {
    name: 'ends the last page without a token when it is just full',
    async run(store) {
      await add(store, configMap('a'), configMap('b'));
      expect((await page(store, { limit: 2 })).continue).toBeUndefined();
      expect((await page(store, { limit: 1 })).remainingItemCount).toBe(1);
    },
  },
  {
    name: 'lists the past exactly, and no future',
    async run(store) {
      await add(store, configMap('a'), configMap('b'));
      await remove(store, 'a');
      await patch(store, 'b', { data: { a: '2' } });
      const exactly = (resourceVersion: string) => names(store, { resourceVersion, resourceVersionMatch: 'Exact' });
      expect(await Promise.all(['2', '3', '4', '5'].map(exactly))).toEqual(['a', 'a b', 'b', 'b']);
      const third = await page(store, { resourceVersion: '4', resourceVersionMatch: 'Exact' });
      expect(third).toMatchObject({ resourceVersion: 4, items: expect.stringContaining('"a":"1"') });
      expect(await page(store, { resourceVersion: '3' })).toMatchObject({ resourceVersion: 5 });
      expect(failure(await store.calls.list({ prefix: '', resourceVersion: '6' }))).toMatchObject({
        code: 504,
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
      });
    },
  },
  {
    name: 'refuses tokens and versions that it did not make',
    async run(store) {
      await add(store, configMap('a'), configMap('b'));
      const token = (await page(store, { limit: 1 })).continue as string;
      const made = (rv: number, start: string): string =>
        btoa(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).replaceAll('=', '');
      const refused: [query: object, code: number][] = [
        [{ continue: 'garbage' }, 400],
        [{ continue: made(99, 'ns/a\u0000') }, 400],
        [{ continue: made(0, 'ns/a\u0000') }, 400],
        ...['../a', 'ns//a', 'ns/./a', 'ns/'].map((start): [object, number] => [{ continue: made(2, start) }, 400]),
        [{ continue: token, resourceVersion: '3' }, 400],
        [{ resourceVersion: 'x' }, 400],
        [{ resourceVersion: '-1' }, 400],
        [{ resourceVersionMatch: 'Exact' }, 422],
        [{ resourceVersion: '0', resourceVersionMatch: 'Exact' }, 422],
        [{ resourceVersion: '2', resourceVersionMatch: 'Maybe' }, 422],
      ];
      for (const [query, code] of refused) {
        expect(failure(await store.calls.list({ prefix: '', ...query })), JSON.stringify(query)).toMatchObject({
          code,
        });
      }
    },
  },
  {
    name: 'says 410 for what compaction took, and how to go on',
    async run(store) {
      await add(store, configMap('a'), configMap('b'), configMap('c'), configMap('d'));
      const token = (await page(store, { limit: 1 })).continue as string;
      await remove(store, 'b');
      await add(store, configMap('e'));
      await store.compact(1);
      const exact = { prefix: '', resourceVersion: '5', resourceVersionMatch: 'Exact' };
      expect(failure(await store.calls.list(exact))).toMatchObject({ code: 410, reason: 'Expired' });
      expect(await names(store, { resourceVersion: '6', resourceVersionMatch: 'Exact' })).toBe('a c d');
      const gone = failure(await store.calls.list({ prefix: '', limit: 1, continue: token }));
      expect(gone).toMatchObject({ code: 410, reason: 'Expired', message: expect.stringContaining('too old') });
      const rest = await page(store, { limit: 2, continue: gone.metadata?.continue as string });
      expect(rest).toMatchObject({ count: 2, resourceVersion: 7 });
      expect(namesIn(rest)).toBe('c d');
      expect(namesIn(await page(store, { limit: 2, continue: rest.continue as string }))).toBe('e');
      expect(await store.calls.changesSince(5)).toMatchObject({ expired: true, resourceVersion: 7 });
      expect(await store.calls.changesSince(6)).toMatchObject({ expired: false, notices: [{ key: 'ns/e' }] });
    },
  },
  {
    name: 'says 410 for a token that is too old, and goes on at another version',
    async run(store) {
      await add(store, configMap('a'), configMap('b'), configMap('c'));
      const first = await page(store, { limit: 1 });
      const token = JSON.parse(atob(first.continue as string)) as object;
      const old = btoa(JSON.stringify({ ...token, period: 1 })).replaceAll('=', '');
      const gone = failure(await store.calls.list({ prefix: '', limit: 1, continue: old }));
      expect(gone).toMatchObject({ code: 410, reason: 'Expired', message: expect.stringContaining('too old') });
      const rest = await page(store, { continue: gone.metadata?.continue as string });
      expect([namesIn(rest), rest.resourceVersion]).toEqual(['b c', first.resourceVersion + 1]);
      // Nobody is told of a version at which nothing happened.
      expect(await store.calls.changesSince(first.resourceVersion)).toEqual({
        notices: [],
        resourceVersion: rest.resourceVersion,
        expired: false,
      });
      await add(store, configMap('d'));
      expect(
        await names(store, { resourceVersion: String(first.resourceVersion), resourceVersionMatch: 'Exact' }),
      ).toBe('a b c');
      expect(await store.calls.changesSince(first.resourceVersion)).toMatchObject({ notices: [{ key: 'ns/d' }] });
      expect((await page(store, { limit: 1, continue: first.continue as string })).count).toBe(1);
    },
  },
  {
    name: 'goes on counting after compaction, when nothing is left too',
    async run(store) {
      await add(store, configMap('a'));
      await remove(store, 'a');
      await store.compact(0);
      expect(await page(store)).toMatchObject({ count: 0, resourceVersion: 3 });
      expect(await add(store, configMap('a'))).toBe(4);
    },
  },
  {
    name: 'tells subscribers what came after their cursor, with what it replaced',
    async run(store) {
      await add(store, configMap('a'), configMap('b'));
      await patch(store, 'a', { data: { a: '2' } });
      await remove(store, 'b');
      const { notices } = await store.calls.changesSince(2);
      expect(notices.map(({ key, type, resourceVersion }) => `${type} ${key}@${resourceVersion}`)).toEqual([
        'ADDED ns/b@3',
        'MODIFIED ns/a@4',
        'DELETED ns/b@5',
      ]);
      expect(notices[0]?.previous).toBeUndefined();
      expect(notices[1]?.previous).toContain('"a":"1"');
      expect(await store.calls.changesSince(10)).toMatchObject({ expired: true });
    },
  },
];
