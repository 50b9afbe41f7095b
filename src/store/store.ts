/** A store of one resource's objects: the runtime-free core of the ResourceStore Durable Object. */
import { alreadyExists, BEING_DELETED, type GroupResource, StatusError, tooLarge } from '../apimachinery/errors.ts';
import { FIRST_VERSION, type KubeObject, type Status } from '../apimachinery/meta.ts';
import type { Backend } from './backend.ts';
import { decodeContinue, periodOf } from './continue-token.ts';
import { changesAfter, deletedRow, NO_KEY } from './history.ts';
import { endOf, list, listBody, type Versions } from './list.ts';
import { ListCache } from './list-cache.ts';
import { selection } from './selection.ts';
import { withoutResourceVersion, withoutType, withResourceVersion } from './text.ts';
import type {
  Change,
  CommitResult,
  Decide,
  Encoded,
  ListKind,
  ListQuery,
  ListResult,
  Row,
  WatchQuery,
} from './types.ts';
import { type Pace, type Sink, WatchHub } from './watch-hub.ts';

/** As etcd's limit for a request; larger values would not fit the production database either. */
const MAX_OBJECT_BYTES = 1_572_864;

/** Bytes of list bodies kept at hand. */
const LISTS_BUDGET = 4 << 20;

export interface StoreOptions {
  resource: GroupResource;
  /** Called after each commit, once the watchers have been told. */
  onCommit?(changes: readonly Change[]): void;
  /** When watchers are told; without it, at once. */
  pace?: Pace;
  now?(): number;
}

interface Committed {
  result: CommitResult;
  change?: Change;
}

export class ResourceStore<S extends Sink> {
  readonly hub: WatchHub<S>;
  private readonly backend: Backend;
  private readonly options: StoreOptions;
  private readonly lists = new ListCache(LISTS_BUDGET);
  private version: number;
  /** The oldest entry of the log, as `logBounds` has it; 0: not known. */
  private first = 0;

  constructor(backend: Backend, options: StoreOptions) {
    this.backend = backend;
    this.options = options;
    this.hub = new WatchHub(options.pace);
    this.version = Math.max(backend.logBounds().last, FIRST_VERSION);
  }

  get resourceVersion(): number {
    return this.version;
  }

  get(key: string): string | null {
    return this.backend.get(key)?.text ?? null;
  }

  /** Every row there is, in chunks; for those who build something of their own beside the store. */
  *rows(): Generator<Row> {
    for (let from = ''; ; ) {
      const chunk = this.backend.range(from, endOf(''), 500);
      yield* chunk;
      if (chunk.length < 500) return;
      from = `${(chunk.at(-1) as Row).key}\u0000`;
    }
  }

  /** Adds a new object; fails with AlreadyExists. */
  create(key: string, object: Encoded, dryRun: boolean): CommitResult {
    return this.commit(key, createDecision(this.options.resource, key, object, dryRun));
  }

  /** Writes, deletes or leaves one object as `decide` says, in one transaction. */
  commit(key: string, decide: Decide): CommitResult {
    return this.commitMany([{ key, decide }])[0] as CommitResult;
  }

  /** Many decisions in one transaction, in order; each succeeds or fails by itself. */
  commitMany(decisions: readonly { key: string; decide: Decide }[]): CommitResult[] {
    const before = this.version;
    let committed: Committed[];
    try {
      committed = this.backend.transaction(() => decisions.map(({ key, decide }) => this.apply(key, decide)));
    } catch (error) {
      this.version = before;
      throw error;
    }
    const changes = committed.flatMap(({ change }) => (change === undefined ? [] : [change]));
    if (changes.length > 0) {
      this.hub.publish(changes);
      this.options.onCommit?.(changes);
    }
    return committed.map(({ result }) => result);
  }

  list(query: ListQuery): ListResult {
    return this.listed(query, (versions) => list(this.backend, query, versions));
  }

  /** A list as the bytes of a JSON body; failures as in {@link list}. */
  listBody(query: ListQuery, kind: ListKind): Uint8Array | { status: Status } {
    return this.listed(query, (versions) => {
      const make = (): Uint8Array =>
        listBody(list(this.backend, query, versions, kind.typed ? undefined : withoutType), kind);
      return this.lists.get(JSON.stringify([query, kind, versions.period]), versions.current, make);
    });
  }

  private listed<T>(query: ListQuery, run: (versions: Versions) => T): T | { status: Status } {
    const versions = this.versions();
    try {
      return run(versions);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.status.reason === 'Expired' && isOfVersion(query, versions.current)) this.skipVersion();
      return { status: error.status };
    }
  }

  /** As upstream's compaction does: what goes on from a token that is too old is never at the token's version. */
  private skipVersion(): void {
    const resourceVersion = this.version + 1;
    this.backend.appendLog({ resourceVersion, type: 'MODIFIED', key: NO_KEY, previous: undefined }, this.now());
    this.version = resourceVersion;
  }

  /** Decides on all that a query selects, in one transaction; lists what was changed, as it was before. Throws a StatusError for a bad query. */
  changeSelected(query: ListQuery, decide: (key: string) => Decide): ListResult {
    const rows = [...this.rows()].filter(selection(query));
    const page = { resourceVersion: this.version };
    const results = this.commitMany(rows.map(({ key }) => ({ key, decide: decide(key) })));
    const texts = rows.filter((_, i) => !('status' in (results[i] as CommitResult))).map(({ text }) => text);
    return { ...page, items: texts.join(','), count: texts.length };
  }

  watch(sink: S, query: WatchQuery): void {
    this.hub.start(sink, query, this.backend, this.versions());
  }

  /** Changes after a version, oldest first; undefined when they are not all known any more. */
  changesSince(resourceVersion: number): Change[] | undefined {
    const { floor, current } = this.versions();
    if (resourceVersion < floor || resourceVersion > current) return undefined;
    return changesAfter(this.backend, resourceVersion);
  }

  /** Forgets history that is older than `maxAgeMs` and not among the newest `keep` changes. */
  compact(maxAgeMs: number, keep: number): void {
    this.backend.compact(this.now() - maxAgeMs, keep);
    this.first = 0;
  }

  private versions(): Versions {
    // An empty log has no first entry yet.
    if (!this.first) this.first = this.backend.logBounds().first;
    const floor = Math.max(this.first - 1, FIRST_VERSION);
    return { current: this.version, floor, period: periodOf(this.now()) };
  }

  private now(): number {
    return this.options.now?.() ?? Date.now();
  }

  private apply(key: string, decide: Decide): Committed {
    const current = this.backend.get(key);
    const resourceVersion = this.version + 1;
    const outcome = decide(current, resourceVersion);
    if (outcome.do === 'fail') return { result: { status: outcome.status } };
    const said = 'warnings' in outcome && outcome.warnings !== undefined ? { warnings: outcome.warnings } : {};
    if (outcome.do === 'answer') {
      return { result: { text: outcome.text, deleted: outcome.deleted ?? false, resourceVersion: 0, ...said } };
    }
    if (outcome.do === 'delete') return this.applyDelete(key, current as Row, outcome.final, resourceVersion);
    if (byteLength(outcome.object.text) > MAX_OBJECT_BYTES) {
      const limit = `Request entity too large: limit is ${MAX_OBJECT_BYTES}`;
      return { result: { status: tooLarge(limit).status } };
    }
    const { labels, fields, uid, owners, text } = outcome.object;
    const row = { key, labels, fields, uid, owners, resourceVersion, text: withResourceVersion(text, resourceVersion) };
    const type = current === undefined ? 'ADDED' : 'MODIFIED';
    this.backend.put(row);
    this.backend.appendLog({ resourceVersion, type, key, previous: current }, this.now());
    this.version = resourceVersion;
    const result = { text: row.text, deleted: false, resourceVersion, ...said };
    return { result, change: { type, row, previous: current } };
  }

  private applyDelete(key: string, current: Row, final: Encoded | undefined, resourceVersion: number): Committed {
    this.backend.remove(key);
    this.backend.appendLog({ resourceVersion, type: 'DELETED', key, previous: current }, this.now());
    this.version = resourceVersion;
    // Watchers are told what was kept, as those who resume later read it out of the log; the caller gets the last
    // state, with the resourceVersion that it had, as upstream.
    const row = deletedRow(current, resourceVersion);
    const text = withResourceVersion(final?.text ?? current.text, current.resourceVersion);
    return { result: { text, deleted: true, resourceVersion }, change: { type: 'DELETED', row, previous: current } };
  }
}

const isOfVersion = ({ continue: token }: ListQuery, version: number): boolean =>
  token !== undefined && decodeContinue(token).resourceVersion === version;

/** The decision behind a create. */
export function createDecision(resource: GroupResource, key: string, object: Encoded, dryRun: boolean): Decide {
  return (current) => {
    if (current !== undefined) {
      const { status } = alreadyExists(resource, key.slice(key.indexOf('/') + 1));
      const isGoing = (JSON.parse(current.text) as KubeObject).metadata.deletionTimestamp !== undefined;
      return { do: 'fail', status: isGoing ? { ...status, message: BEING_DELETED + status.message } : status };
    }
    if (!dryRun) return { do: 'write', object };
    return { do: 'answer', text: withoutResourceVersion(object.text) };
  };
}

/** Of UTF-8. A text shorter than a third of the limit cannot exceed it, whatever it is made of. */
function byteLength(text: string): number {
  return text.length * 3 <= MAX_OBJECT_BYTES ? text.length : new TextEncoder().encode(text).length;
}
