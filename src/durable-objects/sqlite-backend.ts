/** The store's database on a Durable Object's SQLite, through drizzle. Statements are prepared once. */
import { and, asc, count, desc, eq, gt, gte, lt, sql } from 'drizzle-orm';
import type { DrizzleSqliteDODatabase } from 'drizzle-orm/durable-sqlite';
import type { Backend } from '../store/backend.ts';
import type { EventType, LogEntry, Row } from '../store/types.ts';
import { log, objects } from './schema/resource-store.ts';

const { placeholder } = sql;
type ObjectRow = typeof objects.$inferSelect;
type LogRow = typeof log.$inferSelect;

export class SqliteBackend implements Backend {
  private readonly storage: DurableObjectStorage;
  private readonly statements: ReturnType<typeof prepare>;

  constructor(storage: DurableObjectStorage, db: DrizzleSqliteDODatabase) {
    this.storage = storage;
    this.statements = prepare(db);
  }

  transaction<T>(run: () => T): T {
    return this.storage.transactionSync(run);
  }

  get(key: string): Row | undefined {
    const found = this.statements.get.get({ key });
    return found === undefined ? undefined : new StoredRow(found);
  }

  range(from: string, to: string, limit: number): Row[] {
    return this.statements.range.all({ from, to, limit }).map((row) => new StoredRow(row));
  }

  count(from: string, to: string): number {
    return this.statements.count.get({ from, to })?.value ?? 0;
  }

  put({ key, resourceVersion, uid, labels, fields, owners, text }: Row): void {
    this.statements.put.run({
      key,
      resourceVersion,
      uid,
      labels: json(labels),
      fields: json(fields),
      owners: json(owners),
      text,
    });
  }

  remove(key: string): void {
    this.statements.remove.run({ key });
  }

  appendLog({ resourceVersion, type, key, previous }: LogEntry, at: number): void {
    this.statements.append.run({
      resourceVersion,
      at,
      type,
      key,
      previousVersion: previous?.resourceVersion ?? null,
      uid: previous?.uid ?? null,
      labels: json(previous?.labels),
      fields: json(previous?.fields),
      owners: json(previous?.owners),
      text: previous?.text ?? null,
    });
  }

  logAfter(resourceVersion: number, limit: number): LogEntry[] {
    return this.statements.logAfter.all({ resourceVersion, limit }).map(logEntry);
  }

  logBounds(): { first: number; last: number } {
    const first = this.statements.first.get()?.resourceVersion ?? 0;
    const last = this.statements.last.get()?.resourceVersion ?? 0;
    return { first, last };
  }

  compact(before: number, keep: number): void {
    const { last } = this.logBounds();
    this.statements.compact.run({ before, upTo: last - Math.max(keep, 1) + 1 });
  }
}

function prepare(db: DrizzleSqliteDODatabase) {
  const inRange = and(gte(objects.key, placeholder('from')), lt(objects.key, placeholder('to')));
  const values = <C extends string>(...names: C[]) =>
    Object.fromEntries(names.map((name) => [name, placeholder(name)])) as unknown as Record<
      C,
      ReturnType<typeof placeholder>
    >;
  const object = values('key', 'resourceVersion', 'uid', 'labels', 'fields', 'owners', 'text');
  const { key: _, ...changed } = object;
  const entry = values(
    'resourceVersion',
    'at',
    'type',
    'key',
    'previousVersion',
    'uid',
    'labels',
    'fields',
    'owners',
    'text',
  );
  const version = { resourceVersion: log.resourceVersion };
  return {
    get: db
      .select()
      .from(objects)
      .where(eq(objects.key, placeholder('key')))
      .prepare(),
    range: db.select().from(objects).where(inRange).orderBy(asc(objects.key)).limit(placeholder('limit')).prepare(),
    count: db.select({ value: count() }).from(objects).where(inRange).prepare(),
    put: db
      .insert(objects)
      .values(object)
      .onConflictDoUpdate({ target: objects.key, set: excluded(Object.keys(changed)) })
      .prepare(),
    remove: db
      .delete(objects)
      .where(eq(objects.key, placeholder('key')))
      .prepare(),
    append: db.insert(log).values(entry).prepare(),
    logAfter: db
      .select()
      .from(log)
      .where(gt(log.resourceVersion, placeholder('resourceVersion')))
      .orderBy(asc(log.resourceVersion))
      .limit(placeholder('limit'))
      .prepare(),
    first: db.select(version).from(log).orderBy(asc(log.resourceVersion)).limit(1).prepare(),
    last: db.select(version).from(log).orderBy(desc(log.resourceVersion)).limit(1).prepare(),
    compact: db
      .delete(log)
      .where(and(lt(log.at, placeholder('before')), lt(log.resourceVersion, placeholder('upTo'))))
      .prepare(),
  };
}

/** `SET a = excluded.a, …`: what an insert that meets its key writes instead. */
function excluded(names: string[]): Record<string, ReturnType<typeof sql>> {
  const columns = objects as unknown as Record<string, { name: string }>;
  return Object.fromEntries(names.map((name) => [name, sql.raw(`excluded.${columns[name]?.name}`)]));
}

const json = (value: object | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

/** A row whose small columns are parsed when they are asked for: a get never asks. */
class StoredRow implements Row {
  readonly key: string;
  readonly resourceVersion: number;
  readonly uid: string;
  readonly text: string;
  private readonly raw: Pick<ObjectRow, 'labels' | 'fields' | 'owners'>;

  constructor(row: ObjectRow) {
    this.key = row.key;
    this.resourceVersion = row.resourceVersion;
    this.uid = row.uid;
    this.text = row.text;
    this.raw = row;
  }

  get labels(): Record<string, string> | undefined {
    return parse(this.raw.labels);
  }

  get fields(): Record<string, string> | undefined {
    return parse(this.raw.fields);
  }

  get owners(): string[] | undefined {
    return parse(this.raw.owners);
  }
}

const parse = <T>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T));

function logEntry(row: LogRow): LogEntry {
  const { resourceVersion, type, key, previousVersion, uid, labels, fields, owners, text } = row;
  const previous =
    previousVersion === null || text === null
      ? undefined
      : new StoredRow({ key, resourceVersion: previousVersion, uid: uid ?? '', labels, fields, owners, text });
  return { resourceVersion, type: type as EventType, key, previous };
}
