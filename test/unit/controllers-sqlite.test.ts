import { expect, it } from 'vitest';
import { SqliteBackend } from '../../src/controllers/queue/sqlite.ts';
import { durableStorage } from '../support/core-store.ts';

it('keeps rows, cursors and owner kinds', () => {
  const disk = durableStorage('controller-manager');
  const backend = new SqliteBackend(disk);
  const row = { controller: 'c', key: 'ns/a', notBefore: 5, attempts: 1 };
  const other = { ...row, key: "it's" };
  backend.commit({ put: [row, other], remove: [], cursors: new Map([['core/pods', 7]]) });
  backend.commit({
    put: [{ ...row, notBefore: 9, attempts: 2 }],
    remove: [other],
    cursors: new Map([['core/pods', 8]]),
  });
  backend.learn('/ConfigMap', 'core/secrets');
  backend.learn('/ConfigMap', 'core/secrets');
  const again = new SqliteBackend(disk);
  expect(again.rows()).toEqual([{ ...row, notBefore: 9, attempts: 2 }]);
  expect(again.cursors()).toEqual(new Map([['core/pods', 8]]));
  expect(again.owned()).toEqual([['/ConfigMap', 'core/secrets']]);
});

it('writes a checkpoint whole or not at all', () => {
  const disk = durableStorage('controller-manager');
  const backend = new SqliteBackend(disk);
  const row = { controller: 'c', key: 'k', notBefore: 5, attempts: 1 };
  const broken = { ...row, key: null as unknown as string };
  expect(() => backend.commit({ put: [row, broken], remove: [], cursors: new Map() })).toThrow();
  expect(new SqliteBackend(disk).rows()).toEqual([]);
});
