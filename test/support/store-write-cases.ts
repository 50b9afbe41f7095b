/** Writes: create, update, patch, delete, delete collection. */
import { expect } from 'vitest';
import type { ListPage } from '../../src/store/types.ts';
import {
  add,
  configMap,
  deletion,
  failure,
  keyOf,
  names,
  object,
  patch,
  pod,
  remove,
  replicationController,
  type StoreCase,
  stored,
  unchangedSince,
  update,
  written,
} from './store-cases.ts';

const HOLD = ['example.com/hold'];
const TOO_BIG = 'x'.repeat(1_600_000);

export const writeCases: StoreCase[] = [
  {
    name: 'creates once, reads back, and counts resourceVersions',
    async run(store) {
      expect(await add(store, configMap('a'), configMap('b'))).toBe(3);
      expect(await store.calls.get('ns/a')).toContain('"resourceVersion":"2"');
      expect(await store.calls.get('ns/c')).toBeNull();
      expect(await store.calls.getMany(['ns/c', 'ns/b'])).toEqual([null, expect.stringContaining('"name":"b"')]);
      expect(failure(await store.calls.create('ns/a', stored(configMap('a')), false))).toMatchObject({
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "a" already exists',
      });
      await unchangedSince(store, 3);
    },
  },
  {
    name: 'answers a dry run without writing',
    async run(store) {
      const tried = object(await store.calls.create('ns/a', stored(configMap('a')), true));
      expect(tried.metadata).toMatchObject({ name: 'a' });
      expect(tried.metadata.resourceVersion).toBeUndefined();
      await add(store, configMap('b'));
      await remove(store, 'b', { dryRun: true });
      expect(await names(store)).toBe('b');
      await unchangedSince(store, 2);
    },
  },
  {
    name: 'refuses an object that is too large, and keeps what was there',
    async run(store) {
      const big = { ...stored(configMap('a')), text: stored(configMap('a', { data: { a: TOO_BIG } })).text };
      expect(failure(await store.calls.create('ns/a', big, false))).toMatchObject({ code: 413 });
      expect(await store.calls.get('ns/a')).toBeNull();
      await add(store, configMap('b'));
      // Half the limit in characters, twice that in bytes.
      const wide = stored(configMap('c', { data: { a: 'ü'.repeat(800_000) } }));
      expect(failure(await store.calls.create('ns/c', wide, false))).toMatchObject({ code: 413 });
      await unchangedSince(store, 2);
    },
  },
  {
    name: 'updates with the resourceVersion at hand or none, not with a stale one',
    async run(store) {
      await add(store, configMap('a'));
      const first = object({ text: (await store.calls.get('ns/a')) as string, deleted: false, resourceVersion: 2 });
      expect(written(await update(store, { ...first, data: { a: '2' } }))).toBe(3);
      expect(failure(await update(store, { ...first, data: { a: '3' } }))).toMatchObject({
        code: 409,
        reason: 'Conflict',
        message: expect.stringContaining('the object has been modified'),
        details: { name: 'a', kind: 'configmaps' },
      });
      expect(written(await update(store, configMap('a', { data: { a: '4' } })))).toBe(4);
      expect(await store.calls.get('ns/a')).toContain('"a":"4"');
      expect(failure(await update(store, configMap('b'), 'a'))).toMatchObject({ code: 400 });
      expect(failure(await update(store, configMap('b')))).toMatchObject({ code: 404 });
      const other = configMap('a');
      other.metadata.uid = 'another';
      expect(failure(await update(store, other))).toMatchObject({ code: 409 });
      await unchangedSince(store, 4);
    },
  },
  {
    name: 'writes nothing for an update or a patch that changes nothing',
    async run(store) {
      await add(store, configMap('a'));
      const same = await patch(store, 'a', { data: { a: '2' } });
      expect(written(same)).toBe(3);
      expect(written(await patch(store, 'a', { data: { a: '2' } }))).toBe(0);
      expect(written(await update(store, object(same)))).toBe(0);
      await unchangedSince(store, 3);
    },
  },
  {
    name: 'patches in three ways',
    async run(store) {
      await add(store, configMap('a'));
      await patch(store, 'a', { data: { b: '2', a: null } });
      await patch(store, 'a', { data: { c: '3' } }, 'strategic');
      const result = await patch(store, 'a', [{ op: 'move', from: '/data/b', path: '/data/d' }], 'json');
      expect(object(result)).toMatchObject({ metadata: { resourceVersion: '5' }, data: { c: '3', d: '2' } });
      expect(Object.keys(object(result).data ?? {}).sort()).toEqual(['c', 'd']);
      expect(failure(await patch(store, 'a', [{ op: 'test', path: '/data/c', value: '9' }], 'json'))).toMatchObject({
        code: 422,
      });
      expect(failure(await patch(store, 'a', { metadata: { resourceVersion: '2' } }))).toMatchObject({ code: 409 });
      expect(failure(await patch(store, 'none', {}))).toMatchObject({ code: 404 });
      await unchangedSince(store, 5);
    },
  },
  {
    name: 'deletes at once what nothing holds, and never uses a resourceVersion twice',
    async run(store) {
      await add(store, configMap('a'));
      const gone = await remove(store, 'a');
      expect(gone).toMatchObject({ deleted: true, resourceVersion: 3 });
      expect(object(gone).metadata.resourceVersion).toBe('2');
      expect(await store.calls.get('ns/a')).toBeNull();
      expect(failure(await remove(store, 'a'))).toMatchObject({ code: 404, message: 'configmaps "a" not found' });
      expect(await add(store, configMap('a'))).toBe(4);
    },
  },
  {
    name: 'deletes only the object that was meant',
    async run(store) {
      await add(store, configMap('a'));
      const refused = failure(await remove(store, 'a', { preconditions: { uid: 'another' } }));
      expect(refused).toMatchObject({ code: 409, message: expect.stringContaining('the UID in the precondition') });
      expect(failure(await remove(store, 'a', { preconditions: { resourceVersion: '8' } }))).toMatchObject({
        code: 409,
      });
      await unchangedSince(store, 2);
      const right = { uid: 'uid-of-a', resourceVersion: '2' };
      expect(await remove(store, 'a', { preconditions: right })).toMatchObject({ deleted: true });
    },
  },
  {
    name: 'keeps what a finalizer holds until the last one has gone',
    async run(store) {
      await add(store, configMap('a', { finalizers: [...HOLD, 'example.com/too'] }));
      expect(await remove(store, 'a')).toMatchObject({ deleted: false, resourceVersion: 3 });
      expect(await store.calls.get('ns/a')).toContain('"deletionTimestamp"');
      expect(written(await remove(store, 'a'))).toBe(0);
      expect(await patch(store, 'a', { metadata: { finalizers: HOLD } })).toMatchObject({ deleted: false });
      expect(failure(await patch(store, 'a', { metadata: { finalizers: [...HOLD, 'a.b/c'] } }))).toMatchObject({
        code: 422,
      });
      expect(await patch(store, 'a', { metadata: { finalizers: null } })).toMatchObject({ deleted: true });
      expect(await store.calls.get('ns/a')).toBeNull();
    },
  },
  {
    name: 'propagates a deletion through finalizers',
    async run(store) {
      await add(store, configMap('fore'), configMap('orphans'), configMap('back'));
      const finalizersAfter = async (name: string, propagationPolicy: 'Foreground' | 'Orphan' | 'Background') =>
        object(await remove(store, name, { propagationPolicy })).metadata.finalizers;
      expect(await finalizersAfter('fore', 'Foreground')).toEqual(['foregroundDeletion']);
      expect(await finalizersAfter('orphans', 'Orphan')).toEqual(['orphan']);
      expect(await finalizersAfter('back', 'Background')).toBeUndefined();
      expect(await names(store)).toBe('fore orphans');
    },
  },
  {
    name: 'lets dependents outlive an owner of some kinds, where nobody says otherwise',
    resource: 'replicationcontrollers',
    async run(store) {
      await add(store, replicationController('kept'), replicationController('back'));
      await add(store, replicationController('fore', ['foregroundDeletion']));
      const finalizersAfter = async (name: string, options: Parameters<typeof remove>[2] = {}) =>
        object(await remove(store, name, options, 'replicationcontrollers')).metadata.finalizers;
      expect(await finalizersAfter('kept')).toEqual(['orphan']);
      expect(await finalizersAfter('back', { propagationPolicy: 'Background' })).toEqual([]);
      expect(await finalizersAfter('fore')).toEqual(['foregroundDeletion']);
    },
  },
  {
    name: 'gives pods their grace, which may shrink and not grow',
    resource: 'pods',
    async run(store) {
      await add(store, pod('p'), pod('done', 'Succeeded'));
      const end = (gracePeriodSeconds?: number) =>
        remove(store, 'p', gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }, 'pods');
      expect(object(await end()).metadata.deletionGracePeriodSeconds).toBe(30);
      expect(object(await end(10)).metadata.deletionGracePeriodSeconds).toBe(10);
      expect(object(await end(20)).metadata.deletionGracePeriodSeconds).toBe(10);
      expect(object(await end(-1)).metadata.deletionGracePeriodSeconds).toBe(1);
      expect(await end(0)).toMatchObject({ deleted: true });
      expect(await remove(store, 'done', {}, 'pods')).toMatchObject({ deleted: true });
      expect(await names(store)).toBe('');
    },
  },
  {
    name: 'deletes what a collection’s selector selects, and marks what is held',
    async run(store) {
      const g = (n: string) => ({ labels: { g: n } });
      await add(store, configMap('a', g('1')), configMap('b', { ...g('1'), finalizers: HOLD }), configMap('c', g('2')));
      await add(store, configMap('d', { ...g('1'), namespace: 'other' }));
      const query = { prefix: 'ns/', labelSelector: 'g=1' };
      expect(await store.calls.deleteCollection(query, deletion({ dryRun: true }))).toMatchObject({ count: 2 });
      expect(await names(store)).toBe('a b c d');
      await unchangedSince(store, 5);
      const deleted = await store.calls.deleteCollection(query, deletion());
      expect(deleted).toMatchObject({ count: 2, resourceVersion: 5 });
      // As they were before, as upstream lists them.
      expect((deleted as ListPage).items).not.toContain('deletionTimestamp');
      expect(await names(store)).toBe('b c d');
      expect(await store.calls.get('ns/b')).toContain('"deletionTimestamp"');
      const bad = { prefix: '', labelSelector: 'a in (' };
      const refused = await Promise.resolve(store.calls.deleteCollection(bad, deletion())).catch((error) => error);
      expect(refused).toMatchObject({ status: { code: 400 } });
      expect(await names(store)).toBe('b c d');
    },
  },
  {
    name: 'changes many at once, each by itself',
    async run(store) {
      await add(store, configMap('a'), configMap('b'));
      const body = JSON.stringify({ data: { a: '2' } });
      const options = { fieldManager: 'test', dryRun: false, fieldValidation: 'Strict' } as const;
      const request = { do: 'patch', resource: 'core/v1/configmaps', type: 'merge', body, options } as const;
      const keys = [configMap('a'), configMap('none'), configMap('b')].map(keyOf);
      const results = await store.calls.changeMany(keys.map((key) => ({ key, request })));
      expect(results).toMatchObject([{ resourceVersion: 4 }, { status: { code: 404 } }, { resourceVersion: 5 }]);
    },
  },
];
