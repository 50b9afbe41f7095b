/** Watches: every watcher sees the same changes in the same order, each as its own selection has it. */
import { joinBytes } from '../apimachinery/bytes.ts';
import { expired, StatusError } from '../apimachinery/errors.ts';
import type { Status } from '../apimachinery/meta.ts';
import type { Backend } from './backend.ts';
import { changesAfter, deletedRow } from './history.ts';
import { endOf, parseVersion, tooLarge, type Versions } from './list.ts';
import { labelOf, type Selects, selection } from './selection.ts';
import type { Change, EventType, Row, WatchQuery } from './types.ts';

/** One watcher: where its events go. */
export interface Sink {
  send(event: Uint8Array): void;
  close(): void;
}

/** When events are sent. Whoever reads takes one message in its turn: where many write, a message for each event would be ever later. */
export interface Pace {
  /** Whether so much is written at once that events had better go out together. */
  isCrowded(): boolean;
  /** Runs it soon, but not at once. */
  later(run: () => void): void;
}

/** Bytes of events in one message, and a last one. */
const MESSAGE_BYTES = 1 << 20;
const INITIAL_END = 'k8s.io/initial-events-end';
const CHUNK = 500;
const utf8 = new TextEncoder();

const eventBytes = (type: string, object: string): Uint8Array => utf8.encode(`{"type":"${type}","object":${object}}\n`);

/** Watchers who select the same: what concerns one concerns all. */
interface Group<S> {
  id: string;
  selects: Selects;
  sinks: Set<S>;
  /** Events that are still to be sent. */
  waiting: Uint8Array[];
}

export class WatchHub<S extends Sink> {
  private readonly watchers = new Map<S, Group<S>>();
  private readonly groups = new Map<string, Group<S>>();
  private readonly pace: Pace | undefined;
  private flushesLater = false;

  /** Without a pace all that a commit has changed is sent at once. */
  constructor(pace?: Pace) {
    this.pace = pace;
  }

  get size(): number {
    return this.watchers.size;
  }

  /** Takes up a watcher that was there before the store slept. */
  restore(sink: S, query: WatchQuery): void {
    const id = JSON.stringify([query.prefix, query.labelSelector, query.fieldSelector]);
    let group = this.groups.get(id);
    if (group === undefined) {
      group = { id, selects: selection(query), sinks: new Set(), waiting: [] };
      this.groups.set(id, group);
    }
    // What waits came before this watcher, who knows of it.
    this.send(group);
    group.sinks.add(sink);
    this.watchers.set(sink, group);
  }

  remove(sink: S): void {
    const group = this.watchers.get(sink);
    if (group === undefined) return;
    this.watchers.delete(sink);
    group.sinks.delete(sink);
    if (group.sinks.size === 0) this.groups.delete(group.id);
  }

  /** Ends every watch, once its events are sent. */
  end(): void {
    this.flush();
    for (const sink of [...this.watchers.keys()]) {
      this.remove(sink);
      sink.close();
    }
  }

  /** Starts a watch: sends what it has missed or the state it asked for, then keeps it. A watch that cannot start gets an ERROR event. */
  start(sink: S, query: WatchQuery, backend: Backend, versions: Versions): void {
    try {
      this.begin(sink, query, selection(query), backend, versions);
      this.restore(sink, query);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      sink.send(eventBytes('ERROR', JSON.stringify(error.status satisfies Status)));
      sink.close();
    }
  }

  /** Tells every watcher of the changes that concern it, in their order. */
  publish(changes: readonly Change[]): void {
    if (this.groups.size === 0) return;
    for (const change of changes) {
      const encoded = new Encoder(change);
      for (const { selects, waiting } of this.groups.values()) {
        const event = encoded.for(selects);
        if (event !== undefined) waiting.push(event);
      }
    }
    if (this.pace === undefined || !this.pace.isCrowded()) this.flush();
    else if (!this.flushesLater) {
      this.flushesLater = true;
      this.pace.later(() => {
        this.flushesLater = false;
        this.flush();
      });
    }
  }

  private flush(): void {
    for (const group of this.groups.values()) this.send(group);
  }

  /** A watcher that cannot be reached is dropped. */
  private send({ waiting, sinks }: Group<S>): void {
    if (waiting.length === 0) return;
    for (const message of messagesOf(waiting.splice(0))) {
      for (const sink of sinks) {
        try {
          sink.send(message);
        } catch {
          this.remove(sink);
          sink.close();
        }
      }
    }
  }

  private begin(sink: S, query: WatchQuery, selects: Selects, backend: Backend, versions: Versions): void {
    const version = parseVersion(query.resourceVersion);
    const { current, floor } = versions;
    if (version > current) throw tooLarge(version, current);
    const state = query.sendInitialEvents ?? version === 0;
    if (state) {
      this.sendState(sink, query, selects, backend);
      if (query.sendInitialEvents && query.allowWatchBookmarks) sink.send(initialEnd(query, current));
      return;
    }
    // Without a version, and without the state: from now on.
    if (version === 0) return;
    if (version < floor) throw expired(`too old resource version: ${version} (${floor})`);
    for (const change of changesAfter(backend, version)) {
      const event = new Encoder(change).for(selects);
      if (event !== undefined) sink.send(event);
    }
  }

  private sendState(sink: S, query: WatchQuery, selects: Selects, backend: Backend): void {
    const label = labelOf(query);
    const to = endOf(query.prefix);
    let from = query.prefix;
    for (;;) {
      const chunk = backend.range(from, to, CHUNK, label);
      for (const row of chunk) if (selects(row)) sink.send(eventBytes('ADDED', row.text));
      if (chunk.length < CHUNK) return;
      from = `${(chunk.at(-1) as Row).key}\u0000`;
    }
  }
}

/** Events as they are sent: together, as far as they are not too large for that. */
function* messagesOf(events: readonly Uint8Array[]): Generator<Uint8Array> {
  let from = 0;
  let size = 0;
  for (let i = 0; i < events.length; i++) {
    size += (events[i] as Uint8Array).byteLength;
    if (size < MESSAGE_BYTES && i < events.length - 1) continue;
    yield joinBytes(events.slice(from, i + 1));
    from = i + 1;
    size = 0;
  }
}

/** The bookmark after which a client knows the whole state. */
function initialEnd({ kind, apiVersion }: WatchQuery, resourceVersion: number): Uint8Array {
  const metadata = { resourceVersion: String(resourceVersion), annotations: { [INITIAL_END]: 'true' } };
  return eventBytes('BOOKMARK', JSON.stringify({ kind, apiVersion, metadata }));
}

/** A change as bytes, made once for all watchers who see it the same way. */
class Encoder {
  private readonly change: Change;
  private readonly made = new Map<EventType, Uint8Array>();

  constructor(change: Change) {
    this.change = change;
  }

  /** The event for a selection; undefined where the change does not concern it. */
  for(selects: Selects): Uint8Array | undefined {
    const { type, row, previous } = this.change;
    const before = previous !== undefined && selects(previous);
    const now = type !== 'DELETED' && selects(row);
    if (now) return this.event(before ? 'MODIFIED' : 'ADDED');
    return before ? this.event('DELETED') : undefined;
  }

  private event(type: EventType): Uint8Array {
    let bytes = this.made.get(type);
    if (bytes === undefined) {
      bytes = eventBytes(type, this.textFor(type));
      this.made.set(type, bytes);
    }
    return bytes;
  }

  private textFor(type: EventType): string {
    const { row, previous } = this.change;
    // Who loses sight of an object sees it as it was, at the version at which it went.
    if (type === 'DELETED' && this.change.type !== 'DELETED') {
      return deletedRow(previous as Row, row.resourceVersion).text;
    }
    return row.text;
  }
}
