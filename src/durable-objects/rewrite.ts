/**
 * Brings what a database holds into the form that its keyring wants: sealed under the newest key, or not at all. In small steps, so that
 * nobody waits long; what a row looks like says whether its turn has come, so that a step that was lost costs nothing.
 */
import type { Keyring } from '../store/encryption/keyring.ts';
import type { StoredText } from './stored-row.ts';

/** What one step takes on: so many rows, and of texts no more than this and one beyond it. */
const STEP_ROWS = 64;
const STEP_BYTES = 1 << 20;

interface Table {
  name: 'objects' | 'log';
  id: 'key' | 'resource_version';
  /** Below every id. */
  first: string | number;
}

/** The log after the objects: what is written meanwhile is in the new form in both. */
const TABLES: readonly Table[] = [
  { name: 'objects', id: 'key', first: '' },
  { name: 'log', id: 'resource_version', first: 0 },
];

export class Rewriter {
  readonly keyring: Keyring;
  private readonly storage: DurableObjectStorage;
  private table = 0;
  private after: string | number | undefined;

  constructor(storage: DurableObjectStorage, keyring: Keyring) {
    this.storage = storage;
    this.keyring = keyring;
  }

  /** Makes a new key; all rows are of another form then. */
  rotate(): void {
    this.keyring.rotate();
    this.table = 0;
    this.after = undefined;
  }

  /** Rewrites some rows. Whether there may be more; when there are none, the keys that nothing is sealed under any more are dropped. */
  step(): boolean {
    if (this.keyring.isSettled) return false;
    return this.storage.transactionSync(() => {
      for (let table = TABLES[this.table]; table !== undefined; table = TABLES[++this.table]) {
        if (this.rewrite(table) > 0) return true;
        this.after = undefined;
      }
      this.keyring.settle();
      return false;
    });
  }

  private rewrite(table: Table): number {
    const rows = this.pending(table);
    let bytes = 0;
    let done = 0;
    for (const [id, key] of rows) {
      const text = this.textOf(table, id);
      const plain = typeof text === 'string' ? text : this.keyring.open(key, new Uint8Array(text));
      const form = this.keyring.seal(key, plain);
      this.storage.sql.exec(`UPDATE ${table.name} SET text = ? WHERE ${table.id} = ?`, form, id);
      this.after = id;
      done++;
      bytes += plain.length;
      if (bytes >= STEP_BYTES) break;
    }
    return done;
  }

  /** Ids and keys of rows of another form. */
  private pending({ name, id, first }: Table): [string | number, string][] {
    const { head } = this.keyring;
    // A text is never equal to a head, which is bytes.
    const isOther = head === undefined ? "typeof(text) = 'blob'" : `substr(text, 1, ${head.length}) <> ?`;
    const sql = `SELECT ${id} AS id, key AS name FROM ${name} WHERE ${id} > ? AND text IS NOT NULL AND ${isOther} ORDER BY ${id} LIMIT ${STEP_ROWS}`;
    const bindings = [this.after ?? first, ...(head === undefined ? [] : [head])];
    return [...this.storage.sql.exec(sql, ...bindings).raw<[string | number, string]>()];
  }

  private textOf({ name, id }: Table, at: string | number): StoredText {
    const sql = `SELECT text FROM ${name} WHERE ${id} = ?`;
    return [...this.storage.sql.exec(sql, at).raw<[StoredText]>()][0]?.[0] as StoredText;
  }
}
