/** The store's core on a database in this process: the in-memory twin, or SQLite. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { drizzle } from 'drizzle-orm/durable-sqlite';
import { decideChange } from '../../src/api/registry/change.ts';
import { notice } from '../../src/durable-objects/notifier.ts';
import { SqliteBackend } from '../../src/durable-objects/sqlite-backend.ts';
import type { Backend } from '../../src/store/backend.ts';
import { Keyring } from '../../src/store/encryption/keyring.ts';
import { RootKeys } from '../../src/store/encryption/root-keys.ts';
import { MemoryBackend } from '../../src/store/memory-backend.ts';
import { ResourceStore } from '../../src/store/store.ts';
import type { WatchQuery } from '../../src/store/types.ts';
import type { Sink } from '../../src/store/watch-hub.ts';
import { memoryKv } from './memory-kv.ts';
import { Inbox, type StoreCalls, type StoreUnderTest } from './store-under-test.ts';

type InboxSink = Inbox & Sink;

/** A store on a database. `reopen` answers the same database as a process sees it that has just begun. */
export function coreStore(resource: string, reopen: () => Backend): StoreUnderTest {
  const open = new Map<InboxSink, WatchQuery>();
  const begin = (): ResourceStore<InboxSink> => {
    const core = new ResourceStore<InboxSink>(reopen(), { resource: { group: '', resource } });
    for (const [sink, query] of open) core.hub.restore(sink, query);
    return core;
  };
  let core = begin();
  const calls: StoreCalls = {
    get: async (key) => core.get(key),
    getMany: async (keys) => keys.map((key) => core.get(key)),
    create: async (key, object, dryRun) => core.create(key, object, dryRun),
    list: async (query) => core.list(query),
    listBody: async (query, kind) => core.listBody(query, kind),
    change: async (key, request) => core.commit(key, decideChange(request, key)),
    changeMany: async (changes) =>
      core.commitMany(changes.map(({ key, request }) => ({ key, decide: decideChange(request, key) }))),
    deleteCollection: async (query, request) => core.changeSelected(query, (key) => decideChange(request, key)),
    changesSince: async (resourceVersion) => {
      const changes = core.changesSince(resourceVersion);
      return {
        notices: (changes ?? []).map(notice),
        resourceVersion: core.resourceVersion,
        expired: changes === undefined,
      };
    },
  };
  return {
    calls,
    async watch(query) {
      const inbox = new Inbox();
      const sink: InboxSink = Object.assign(inbox, {
        send: (event: Uint8Array) => inbox.put(event),
        close: () => {
          open.delete(sink);
          inbox.end();
        },
      });
      const whole = { prefix: '', resourceVersion: '', apiVersion: 'v1', kind: 'ConfigMap', ...query };
      open.set(sink, whole);
      core.watch(sink, whole);
      return Object.assign(inbox, {
        leave: async () => {
          open.delete(sink);
          core.hub.remove(sink);
        },
      });
    },
    compact: async (keep) => core.compact(-1, keep),
    watchers: async () => core.hub.size,
    restart: async () => {
      core = begin();
    },
  };
}

/** The database in memory: a restart keeps the rows, since they are what a disk would hold. */
export async function memoryStore(resource: string): Promise<StoreUnderTest> {
  const backend = new MemoryBackend();
  return coreStore(resource, () => backend);
}

/** SQLite as Node brings it, with the statements and the migrations of the Durable Object. */
export async function sqliteStore(resource: string): Promise<StoreUnderTest> {
  const storage = durableStorage('resource-store');
  return coreStore(resource, () => new SqliteBackend(storage, drizzle(storage)));
}

/** The same, encrypted. */
export async function sealedStore(resource: string): Promise<StoreUnderTest> {
  const storage = durableStorage('resource-store');
  const roots = RootKeys.parse('MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=');
  const keyring = (): Keyring | undefined => Keyring.open(storage.kv, roots, `core/${resource}`, true);
  return coreStore(resource, () => new SqliteBackend(storage, drizzle(storage), keyring()));
}

/** As much of a Durable Object's storage as the backends use, after the migrations of a class. */
export function durableStorage(className: string): DurableObjectStorage {
  const database = new DatabaseSync(':memory:');
  const folder = join(import.meta.dirname, '../../migrations', className);
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.sql')) continue;
    database.exec(readFileSync(join(folder, file), 'utf8').replaceAll('--> statement-breakpoint', ''));
  }
  const exec = (query: string, ...values: SQLInputValue[]) => {
    const statement = database.prepare(query);
    const reads = /^\s*select/i.test(query);
    const rows = reads ? statement.all(...values) : [];
    const rowsWritten = reads ? 0 : Number(statement.run(...values).changes);
    const arrays = rows.map((row) => Object.values(row));
    return { toArray: () => rows, raw: () => Object.assign(arrays.values(), { toArray: () => arrays }), rowsWritten };
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
  return { sql: { exec }, kv: memoryKv(), transactionSync } as unknown as DurableObjectStorage;
}
