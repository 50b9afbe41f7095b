/** Rows as SQLite has them: what stands in a column is parsed, or decrypted, when it is asked for. */
import type { Keyring } from '../store/encryption/keyring.ts';
import type { EventType, LogEntry, Row } from '../store/types.ts';

/** JSON as it is, or sealed. */
export type StoredText = string | ArrayBuffer;

/** In the order of the table's columns. */
export type ObjectColumns = [
  key: string,
  resourceVersion: number,
  uid: string,
  labels: string | null,
  fields: string | null,
  owners: string | null,
  text: StoredText,
];
export type LogColumns = [
  resourceVersion: number,
  at: number,
  type: string,
  key: string,
  previousVersion: number | null,
  uid: string | null,
  labels: string | null,
  fields: string | null,
  owners: string | null,
  text: StoredText | null,
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
    return this.columns[6] as string;
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

/** A row that is decrypted when its text is asked for: what a selector passes over never is. */
class SealedRow extends StoredRow {
  private readonly sealed: ArrayBuffer;
  private readonly keyring: Keyring;
  private opened: string | undefined;

  constructor(columns: ObjectColumns, sealed: ArrayBuffer, keyring: Keyring) {
    super(columns);
    this.sealed = sealed;
    this.keyring = keyring;
  }

  override get text(): string {
    this.opened ??= this.keyring.open(this.key, new Uint8Array(this.sealed));
    return this.opened;
  }
}

const parse = <T>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T));

/** A row of the objects. */
export function storedRow(columns: ObjectColumns, keyring: Keyring | undefined): Row {
  const text = columns[6];
  if (typeof text === 'string') return new StoredRow(columns);
  if (keyring === undefined) throw new Error(`what is kept of ${columns[0]} is sealed, and there are no keys`);
  return new SealedRow(columns, text, keyring);
}

/** A row of the log. */
export function logEntry(
  [resourceVersion, , type, key, previousVersion, uid, labels, fields, owners, text]: LogColumns,
  keyring: Keyring | undefined,
): LogEntry {
  const previous =
    previousVersion === null || text === null
      ? undefined
      : storedRow([key, previousVersion, uid ?? '', labels, fields, owners, text], keyring);
  return { resourceVersion, type: type as EventType, key, previous };
}
