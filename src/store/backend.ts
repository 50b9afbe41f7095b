/** What the store needs of a database. Everything is synchronous; a transaction that throws leaves no trace. */
import type { LogEntry, Row } from './types.ts';

/** A label that every row of interest has. */
export interface LabelPair {
  key: string;
  value: string;
}

export interface Backend {
  transaction<T>(run: () => T): T;
  get(key: string): Row | undefined;
  /** Rows with `from <= key < to`, by key, no more than `limit`. With `label`, rows without that pair may be left out. */
  range(from: string, to: string, limit: number, label?: LabelPair): Row[];
  count(from: string, to: string): number;
  put(row: Row): void;
  remove(key: string): void;
  appendLog(entry: LogEntry, at: number): void;
  /** Entries above a resourceVersion, oldest first. */
  logAfter(resourceVersion: number, limit: number): LogEntry[];
  /** The newest entry's resourceVersion, and the oldest's; 0 while there is none. */
  logBounds(): { first: number; last: number };
  /** Drops entries that are both older than `before` (ms) and not among the newest `keep`; the last entry always stays. */
  compact(before: number, keep: number): void;
}
