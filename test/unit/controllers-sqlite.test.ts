import { readFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, it } from 'vitest';
import { SqliteBackend } from '../../src/controllers/queue/sqlite.ts';

/** As much of a Durable Object's storage as the backend uses. */
function storage(): DurableObjectStorage {
  const database = new DatabaseSync(':memory:');
  const migration = new URL('../../migrations/controller-manager/0000_queue.sql', import.meta.url);
  database.exec(readFileSync(migration, 'utf8').replaceAll('--> statement-breakpoint', ''));
  const exec = (query: string, ...values: SQLInputValue[]) => {
    const statement = database.prepare(query);
    const rows = statement.all(...values);
    return { toArray: () => rows, raw: () => ({ toArray: () => rows.map((row) => Object.values(row)) }) };
  };
  const transactionSync = <T>(work: () => T): T => {
    database.exec('BEGIN');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };
  return { sql: { exec }, transactionSync } as unknown as DurableObjectStorage;
}

it('keeps rows, cursors and owner kinds', () => {
  const disk = storage();
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
  const disk = storage();
  const backend = new SqliteBackend(disk);
  const row = { controller: 'c', key: 'k', notBefore: 5, attempts: 1 };
  const broken = { ...row, key: null as unknown as string };
  expect(() => backend.commit({ put: [row, broken], remove: [], cursors: new Map() })).toThrow();
  expect(new SqliteBackend(disk).rows()).toEqual([]);
});
