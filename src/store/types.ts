/** The store's vocabulary. Everything here is plain data that crosses an RPC. */
import type { Status } from '../apimachinery/meta.ts';

/**
 * An object as it is kept: its JSON text, and beside it what is selected by without parsing the text.
 * `text` starts `{"kind":…,"apiVersion":…,"metadata":{"resourceVersion":"…"`; the store writes the resourceVersion (see `text.ts`).
 */
export interface Encoded {
  text: string;
  labels: Record<string, string> | undefined;
  /** The resource's selectable fields, `metadata.name` and `metadata.namespace` left out (they are the key). */
  fields: Record<string, string> | undefined;
  uid: string;
  /** Uids of all owners. */
  owners: string[] | undefined;
}

/** A stored row: {@link Encoded} with its key and version. */
export interface Row extends Encoded {
  /** `namespace/name`, or `name` of a cluster-scoped object. */
  key: string;
  resourceVersion: number;
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One entry of the log. `previous` is what the key held before; undefined for ADDED. */
export interface LogEntry {
  resourceVersion: number;
  type: EventType;
  key: string;
  previous: Row | undefined;
}

/** One change as subscribers and watchers see it. For DELETED, `row` is the last state with the deletion's resourceVersion. */
export interface Change {
  type: EventType;
  row: Row;
  previous: Row | undefined;
}

/** What a decision makes of the current row. The only way anything is written. */
export type Outcome =
  | { do: 'write'; object: Encoded; warnings?: string[] }
  /** `final`: the last state of the object, for the answer, where it differs from the stored one. */
  | { do: 'delete'; final?: Encoded }
  /** Nothing to write: answer with this text (a no-op update, a dry run; `deleted` when it would have gone). */
  | { do: 'answer'; text: string; deleted?: boolean; warnings?: string[] }
  | { do: 'fail'; status: Status };

/** Pure and synchronous; runs inside the transaction. `resourceVersion` is the one that a write would get. */
export type Decide = (current: Row | undefined, resourceVersion: number) => Outcome;

/**
 * `text` of the object after the commit; `deleted` when it is gone, and the text then its last state; `resourceVersion` of the write, 0 when
 * nothing was written.
 */
export type CommitResult =
  | { text: string; deleted: boolean; resourceVersion: number; warnings?: string[] }
  | { status: Status };

export interface ListQuery {
  /** `''`, or `namespace/`. */
  prefix: string;
  /** As in the query string. */
  labelSelector?: string;
  fieldSelector?: string;
  ownerUid?: string;
  limit?: number;
  continue?: string;
  /** As in the query string; absent: newest. */
  resourceVersion?: string;
  resourceVersionMatch?: string;
}

export interface ListPage {
  /** The objects' texts, joined by commas. */
  items: string;
  count: number;
  resourceVersion: number;
  continue?: string;
  remainingItemCount?: number;
}

/** What a list's body says it is. */
export interface ListKind {
  kind: string;
  apiVersion: string;
  /** The items say their own kind too: those of custom resources do. */
  typed?: boolean;
}

export type ListResult = ListPage | { status: Status };

/** A watch; kept in the socket's attachment, so that it survives hibernation. */
export interface WatchQuery {
  prefix: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** `''` or `'0'`: start with the state as ADDED events. */
  resourceVersion: string;
  sendInitialEvents?: boolean;
  allowWatchBookmarks?: boolean;
  /** For the bookmark objects. */
  apiVersion: string;
  kind: string;
}
