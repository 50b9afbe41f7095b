/** The store's core in this process, in memory and on SQLite: the cases that the Durable Object passes too. */
import { describe, it } from 'vitest';
import { memoryStore, sealedStore, sqliteStore } from '../support/core-store.ts';
import { readCases } from '../support/store-read-cases.ts';
import { restarting } from '../support/store-under-test.ts';
import { walkCases } from '../support/store-walk-cases.ts';
import { watchCases } from '../support/store-watch-cases.ts';
import { writeCases } from '../support/store-write-cases.ts';

describe.each([
  ['in memory', memoryStore],
  ['on SQLite', sqliteStore],
  ['on SQLite, encrypted', sealedStore],
])('the store %s', (_, open) => {
  it.each([...writeCases, ...readCases, ...watchCases, ...walkCases])(
    '$name',
    async ({ resource = 'configmaps', run }) => {
      await run(restarting(await open(resource)));
    },
  );
});
