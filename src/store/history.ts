/** Reads the past back out of the log: each entry keeps what its key held before. */
import type { Backend } from './backend.ts';
import { withResourceVersion } from './text.ts';
import type { Change, LogEntry, Row } from './types.ts';

/** The log from the last change of a key at hand to the first: enough for any window that compaction leaves. */
const ALL = 1_000_000;

/** The key of versions at which nothing was changed. */
export const NO_KEY = '';

/** The changes after a resourceVersion, oldest first, each with what the key held after it. */
export function changesAfter(backend: Backend, resourceVersion: number): Change[] {
  const entries = backend.logAfter(resourceVersion, ALL);
  /** What a key held after the entry at hand: what the next entry of the key says it held before. */
  const after = new Map<string, Row | undefined>();
  const changes: Change[] = [];
  for (const entry of entries.reverse()) {
    const { key } = entry;
    if (key === NO_KEY) continue;
    const next = after.has(key) ? after.get(key) : backend.get(key);
    changes.push({ type: entry.type, previous: entry.previous, row: rowAfter(entry, next) });
    after.set(key, entry.previous);
  }
  return changes.reverse();
}

function rowAfter({ type, previous, resourceVersion }: LogEntry, next: Row | undefined): Row {
  if (type === 'DELETED') return deletedRow(previous as Row, resourceVersion);
  return next as Row;
}

/** The last state of a key, as its deletion is told: with the deletion's resourceVersion. */
export function deletedRow(row: Row, resourceVersion: number): Row {
  const { key, labels, fields, uid, owners, text } = row;
  return { key, labels, fields, uid, owners, resourceVersion, text: withResourceVersion(text, resourceVersion) };
}

/** What keys that have changed since held at a resourceVersion; undefined for those that did not exist. */
export function rewind(backend: Backend, resourceVersion: number, prefix: string): Map<string, Row | undefined> {
  const then = new Map<string, Row | undefined>();
  for (const { key, previous } of backend.logAfter(resourceVersion, ALL)) {
    if (key.startsWith(prefix) && !then.has(key)) then.set(key, previous);
  }
  return then;
}
