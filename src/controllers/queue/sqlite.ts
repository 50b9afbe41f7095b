/** The queue's backend in a Durable Object's SQLite, with statements prepared once. */
import { and, eq, sql } from 'drizzle-orm';
import { type DrizzleSqliteDODatabase, drizzle } from 'drizzle-orm/durable-sqlite';
import type { ResourceId } from '../../apimachinery/client.ts';
import type { Checkpoint, QueueBackend, QueueRow } from './backend.ts';
import { cursors, owned, queue } from './schema.ts';

/** The tables must be there: run the migrations first. */
export class SqliteBackend implements QueueBackend {
  readonly #storage: DurableObjectStorage;
  readonly #db: DrizzleSqliteDODatabase;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#db = drizzle(storage);
    this.#statements = prepare(this.#db);
  }

  rows(): QueueRow[] {
    return this.#db.select().from(queue).all();
  }

  cursors(): Map<ResourceId, number> {
    const rows = this.#db.select().from(cursors).all();
    return new Map(rows.map(({ store, resourceVersion }) => [store, resourceVersion]));
  }

  commit(checkpoint: Checkpoint): void {
    const { putRow, removeRow, putCursor } = this.#statements;
    this.#storage.transactionSync(() => {
      for (const row of checkpoint.put) putRow.run({ ...row });
      for (const { controller, key } of checkpoint.remove) removeRow.run({ controller, key });
      for (const [store, resourceVersion] of checkpoint.cursors) putCursor.run({ store, resourceVersion });
    });
  }

  owned(): [string, ResourceId][] {
    const rows = this.#db.select().from(owned).all();
    return rows.map(({ kind, resource }) => [kind, resource]);
  }

  learn(kind: string, resource: ResourceId): void {
    this.#statements.learn.run({ kind, resource });
  }
}

function prepare(db: DrizzleSqliteDODatabase) {
  const placeholder = sql.placeholder;
  return {
    putRow: db
      .insert(queue)
      .values({
        controller: placeholder('controller'),
        key: placeholder('key'),
        notBefore: placeholder('notBefore'),
        attempts: placeholder('attempts'),
      })
      .onConflictDoUpdate({
        target: [queue.controller, queue.key],
        set: { notBefore: sql`excluded.not_before`, attempts: sql`excluded.attempts` },
      })
      .prepare(),
    removeRow: db
      .delete(queue)
      .where(and(eq(queue.controller, placeholder('controller')), eq(queue.key, placeholder('key'))))
      .prepare(),
    putCursor: db
      .insert(cursors)
      .values({ store: placeholder('store'), resourceVersion: placeholder('resourceVersion') })
      .onConflictDoUpdate({ target: cursors.store, set: { resourceVersion: sql`excluded.resource_version` } })
      .prepare(),
    learn: db
      .insert(owned)
      .values({ kind: placeholder('kind'), resource: placeholder('resource') })
      .onConflictDoNothing()
      .prepare(),
  };
}
