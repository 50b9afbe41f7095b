/** The store's database on a Durable Object's SQLite: drizzle writes the statements, each is prepared once. */
import { and, asc, count, desc, eq, gt, gte, lt, sql } from 'drizzle-orm';
import type { DrizzleSqliteDODatabase } from 'drizzle-orm/durable-sqlite';
import type { Backend, LabelPair } from '../store/backend.ts';
import type { EventType, LogEntry, Row } from '../store/types.ts';
import { RowCache } from './row-cache.ts';
import { log, objects } from './schema/resource-store.ts';
import { compile } from './statement.ts';

const { placeholder } = sql;

/** Characters of rows kept at hand. All stores of a busy cluster may share one isolate's 128 MB. */
const CACHE_BUDGET = 4 << 20;

export class SqliteBackend implements Backend {
  private readonly storage: DurableObjectStorage;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly cache = new RowCache(CACHE_BUDGET);
  /** Since the store woke, as they are billed. */
  rowsWritten = 0;

  constructor(storage: DurableObjectStorage, db: DrizzleSqliteDODatabase) {
    this.storage = storage;
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
      const row = new StoredRow(columns);
      this.cache.set(row);
      return row;
    }
    return undefined;
  }

  range(from: string, to: string, limit: number, label?: LabelPair): Row[] {
    const { range, labelled } = this.statements;
    const found =
      label === undefined ? range({ from, to, limit }) : labelled({ from, to, limit, label: member(label) });
    return Array.from(found.raw<ObjectColumns>(), (columns) => new StoredRow(columns));
  }

  count(from: string, to: string): number {
    return this.statements.count({ from, to }).raw<[number]>().next().value?.[0] ?? 0;
  }

  put(row: Row): void {
    const { key, resourceVersion, uid, text } = row;
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
      text: previous?.text ?? null,
    });
    this.written(cursor);
  }

  logAfter(resourceVersion: number, limit: number): LogEntry[] {
    return Array.from(this.statements.logAfter({ resourceVersion, limit }).raw<LogColumns>(), logEntry);
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

/** In the order of the table's columns. */
type ObjectColumns = [
  key: string,
  resourceVersion: number,
  uid: string,
  labels: string | null,
  fields: string | null,
  owners: string | null,
  text: string,
];
type LogColumns = [
  resourceVersion: number,
  at: number,
  type: string,
  key: string,
  previousVersion: number | null,
  uid: string | null,
  labels: string | null,
  fields: string | null,
  owners: string | null,
  text: string | null,
];

/** A row whose small columns are parsed when they are asked for: a get never asks. */
class StoredRow implements Row {
  private readonly columns: ObjectColumns;
  private parsedLabels: Record<string, string> | undefined;

  constructor(columns: ObjectColumns) {
    this.columns = columns;
  }

  get key(): string {
    return this.columns[0];
  }

  get resourceVersion(): number {
    return this.columns[1];
  }

  get uid(): string {
    return this.columns[2];
  }

  get text(): string {
    return this.columns[6];
  }

  get labels(): Record<string, string> | undefined {
    this.parsedLabels ??= parse(this.columns[3]);
    return this.parsedLabels;
  }

  get fields(): Record<string, string> | undefined {
    return parse(this.columns[4]);
  }

  get owners(): string[] | undefined {
    return parse(this.columns[5]);
  }
}

const parse = <T>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T));

function logEntry([
  resourceVersion,
  ,
  type,
  key,
  previousVersion,
  uid,
  labels,
  fields,
  owners,
  text,
]: LogColumns): LogEntry {
  const previous =
    previousVersion === null || text === null
      ? undefined
      : new StoredRow([key, previousVersion, uid ?? '', labels, fields, owners, text]);
  return { resourceVersion, type: type as EventType, key, previous };
}
