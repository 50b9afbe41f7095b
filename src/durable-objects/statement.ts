/** Statements that drizzle writes once and SQLite runs as they are: between the two there is nothing to map. */
import { is, Param, Placeholder, type Query } from 'drizzle-orm';

type Value = string | number | Uint8Array | null;

/** Rows as arrays, columns in the order of the query. */
export type Statement = (values?: Record<string, Value>) => SqlStorageCursor<Record<string, SqlStorageValue>>;

/** Compiles a query with placeholders; the runtime keeps it prepared by its text. Throws for a placeholder that is not given a value. */
export function compile(storage: SqlStorage, query: { toSQL(): Query }): Statement {
  const { sql, params } = query.toSQL();
  const bindings = params.map((param) => {
    const inner = is(param, Param) ? param.value : param;
    return is(inner, Placeholder) ? { name: inner.name } : { value: inner as Value };
  });
  return (values = {}) => {
    const bound = bindings.map((binding) => {
      if ('value' in binding) return binding.value;
      const value = values[binding.name];
      if (value === undefined) throw new TypeError(`no value for ${binding.name}`);
      return value;
    });
    return storage.exec(sql, ...bound);
  };
}
