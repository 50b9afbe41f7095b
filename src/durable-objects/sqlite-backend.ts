/** The store's database on a Durable Object's SQLite: drizzle writes the statements, each is prepared once. */
import { and, asc, count, desc, eq, gt, gte, lt, sql } from 'drizzle-orm';
import type { DrizzleSqliteDODatabase } from 'drizzle-orm/durable-sqlite';
import type { Backend, LabelPair } from '../store/backend.ts';
import type { Keyring } from '../store/encryption/keyring.ts';
import type { LogEntry, Row } from '../store/types.ts';
import { RowCache } from './row-cache.ts';
import { log, objects } from './schema/resource-store.ts';
import { compile } from './statement.ts';
import { type LogColumns, logEntry, type ObjectColumns, storedRow } from './stored-row.ts';

const { placeholder } = sql;

/** Characters of rows kept at hand. All stores of a busy cluster may share one isolate's 128 MB. */
const CACHE_BUDGET = 4 << 20;

export class SqliteBackend implements Backend {
  private readonly storage: DurableObjectStorage;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly cache = new RowCache(CACHE_BUDGET);
  private readonly keyring: Keyring | undefined;
  /** Since the store woke, as they are billed. */
  rowsWritten = 0;

  /** With a keyring texts are kept sealed; what is remembered in memory is not. */
  constructor(storage: DurableObjectStorage, db: DrizzleSqliteDODatabase, keyring?: Keyring) {
    this.storage = storage;
    this.keyring = keyring;
    this.statements = prepare(storage.sql, db);
  }

  transaction<T>(run: () => T): T {
    try {
      return this.storage.transactionSync(run);
    } catch (error) {
      // What was written is undone; what is remembered must be, too.
      this.cache.clear();
      throw error;
    }
  }

  get(key: string): Row | undefined {
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    for (const columns of this.statements.get({ key }).raw<ObjectColumns>()) {
      const row = storedRow(columns, this.keyring);
      this.cache.set(row);
      return row;
    }
    return undefined;
  }

  range(from: string, to: string, limit: number, label?: LabelPair): Row[] {
    const { range, labelled } = this.statements;
    const found =
      label === undefined ? range({ from, to, limit }) : labelled({ from, to, limit, label: member(label) });
    return Array.from(found.raw<ObjectColumns>(), (columns) => storedRow(columns, this.keyring));
  }

  count(from: string, to: string): number {
    return this.statements.count({ from, to }).raw<[number]>().next().value?.[0] ?? 0;
  }

  put(row: Row): void {
    const { key, resourceVersion, uid } = row;
    const text = this.keyring === undefined ? row.text : this.keyring.seal(key, row.text);
    const labels = json(row.labels);
    const fields = json(row.fields);
    const owners = json(row.owners);
    this.written(this.statements.put({ key, resourceVersion, uid, labels, fields, owners, text }));
    this.cache.set(row);
  }

  remove(key: string): void {
    this.written(this.statements.remove({ key }));
    this.cache.delete(key);
  }

  appendLog({ resourceVersion, type, key, previous }: LogEntry, at: number): void {
    const text = previous?.text ?? null;
    const cursor = this.statements.append({
      resourceVersion,
      at,
      type,
      key,
      previousVersion: previous?.resourceVersion ?? null,
      uid: previous?.uid ?? null,
      labels: json(previous?.labels),
      fields: json(previous?.fields),
      owners: json(previous?.owners),
      text: text === null || this.keyring === undefined ? text : this.keyring.seal(key, text),
    });
    this.written(cursor);
  }

  logAfter(resourceVersion: number, limit: number): LogEntry[] {
    const found = this.statements.logAfter({ resourceVersion, limit }).raw<LogColumns>();
    return Array.from(found, (columns) => logEntry(columns, this.keyring));
  }

  logBounds(): { first: number; last: number } {
    const [bounds] = Array.from(this.statements.bounds().raw<[number | null, number | null]>());
    return { first: bounds?.[0] ?? 0, last: bounds?.[1] ?? 0 };
  }

  compact(before: number, keep: number): void {
    const { last } = this.logBounds();
    this.written(this.statements.compact({ before, upTo: last - Math.max(keep, 1) + 1 }));
  }

  private written({ rowsWritten }: { rowsWritten: number }): void {
    this.rowsWritten += rowsWritten;
  }
}

function prepare(storage: SqlStorage, db: DrizzleSqliteDODatabase) {
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
  const rows = () => db.select().from(objects);
  const edge = (order: typeof asc) =>
    db.select({ at: log.resourceVersion }).from(log).orderBy(order(log.resourceVersion)).limit(1);
  const queries = {
    get: rows().where(eq(objects.key, placeholder('key'))),
    range: rows().where(inRange).orderBy(asc(objects.key)).limit(placeholder('limit')),
    labelled: rows()
      .where(and(inRange, sql`instr(${objects.labels}, ${placeholder('label')}) > 0`))
      .orderBy(asc(objects.key))
      .limit(placeholder('limit')),
    count: db.select({ value: count() }).from(objects).where(inRange),
    put: db
      .insert(objects)
      .values(object)
      .onConflictDoUpdate({ target: objects.key, set: excluded(Object.keys(changed)) }),
    remove: db.delete(objects).where(eq(objects.key, placeholder('key'))),
    append: db.insert(log).values(entry),
    logAfter: db
      .select()
      .from(log)
      .where(gt(log.resourceVersion, placeholder('resourceVersion')))
      .orderBy(asc(log.resourceVersion))
      .limit(placeholder('limit')),
    bounds: db.select({ first: sql`${edge(asc)}`, last: sql`${edge(desc)}` }).from(sql`(SELECT 1)`),
    compact: db.delete(log).where(and(lt(log.at, placeholder('before')), lt(log.resourceVersion, placeholder('upTo')))),
  };
  type Name = keyof typeof queries;
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, compile(storage, query)])) as Record<
    Name,
    ReturnType<typeof compile>
  >;
}

/** `SET a = excluded.a, …`: what an insert that meets its key writes instead. */
function excluded(names: string[]): Record<string, ReturnType<typeof sql>> {
  const columns = objects as unknown as Record<string, { name: string }>;
  return Object.fromEntries(names.map((name) => [name, sql.raw(`excluded.${columns[name]?.name}`)]));
}

const json = (value: object | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

/** A label as it stands in the column's JSON. Quotes within keys and values are escaped there, so it matches nothing else. */
const member = ({ key, value }: LabelPair): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`;
