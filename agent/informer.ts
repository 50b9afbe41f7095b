/** List and watch: a local copy of a resource, kept current across lost connections and restarts of the server. */
import type { ResourceId } from '../src/apimachinery/client.ts';
import { StatusError } from '../src/apimachinery/errors.ts';
import type { KubeObject } from '../src/apimachinery/meta.ts';
import type { HttpClient } from './client.ts';
import type { Log } from './types.ts';

export interface Selection {
  namespace?: string;
  fieldSelector?: string;
  labelSelector?: string;
}

/** What a subscriber is told: `old` is what the cache held before. */
export interface Change<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
  old: T | undefined;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 15_000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

const keyOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

/** A cache of one resource (or a selection of it). Subscribers see every change once, in order. */
export class Informer<T extends KubeObject> {
  /** Resolves when the cache has held the whole selection for the first time. */
  readonly synced: Promise<void>;
  readonly #client: HttpClient;
  readonly #resource: ResourceId;
  readonly #selection: Selection;
  readonly #log: Log;
  readonly #cache = new Map<string, T>();
  readonly #subscribers = new Set<(change: Change<T>) => void>();
  readonly #abort = new AbortController();
  #resourceVersion: string | undefined;
  #streaming = true;
  #hasSynced = false;
  #markSynced: () => void = () => {};

  constructor(client: HttpClient, resource: ResourceId, selection: Selection, log: Log) {
    this.#client = client;
    this.#resource = resource;
    this.#selection = selection;
    this.#log = log;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
  }

  /** Whether the cache has held the whole selection at least once. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  list(): T[] {
    return [...this.#cache.values()];
  }

  get(namespace: string, name: string): T | undefined {
    return this.#cache.get(`${namespace}/${name}`);
  }

  /** Calls `subscriber` for what the cache holds now (as ADDED) and for every change. Answers with how to stop that. */
  subscribe(subscriber: (change: Change<T>) => void): () => void {
    this.#subscribers.add(subscriber);
    for (const object of this.#cache.values()) this.#tell(subscriber, { type: 'ADDED', object, old: undefined });
    return () => this.#subscribers.delete(subscriber);
  }

  /** Ends the watch; the cache stays as it is. */
  stop(): void {
    this.#abort.abort();
  }

  /** Runs until `stop`; never throws. */
  async run(): Promise<void> {
    const signal = this.#abort.signal;
    let retry = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const startedAt = Date.now();
      try {
        if (this.#resourceVersion === undefined && !this.#streaming) await this.#list();
        await this.#watch(signal);
        retry = FIRST_RETRY_MS;
        if (Date.now() - startedAt > 1000) continue;
      } catch (error) {
        if (signal.aborted) return;
        this.#afterFailure(error);
        if (Date.now() - startedAt > 60_000) retry = FIRST_RETRY_MS;
      }
      await delay(retry * (0.75 + Math.random() / 2), signal);
      retry = Math.min(retry * 2, LAST_RETRY_MS);
    }
  }

  #afterFailure(error: unknown): void {
    const code = error instanceof StatusError ? error.status.code : 0;
    if (code === 410) {
      this.#resourceVersion = undefined;
    } else if (this.#streaming && this.#resourceVersion === undefined && (code === 400 || code === 422)) {
      this.#streaming = false;
    } else {
      this.#log.warn('watch failed, trying again', { resource: this.#resource, error });
    }
  }

  async #list(): Promise<void> {
    const list = await this.#client.list<T>(this.#resource, this.#selection);
    this.#replace(list.items);
    this.#resourceVersion = list.resourceVersion;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const initial = this.#resourceVersion === undefined;
    const collected = new Map<string, T>();
    let collecting = initial;
    const resourceVersion = this.#resourceVersion;
    await this.#client.watch<T>(
      this.#resource,
      {
        ...this.#selection,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        sendInitialEvents: initial,
        signal,
      },
      (event) => {
        const version = event.object.metadata.resourceVersion;
        if (collecting) {
          if (event.type === 'DELETED') collected.delete(keyOf(event.object));
          else if (event.type !== 'BOOKMARK') collected.set(keyOf(event.object), event.object);
          else if (event.object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
            collecting = false;
            this.#replace([...collected.values()]);
            this.#resourceVersion = version;
          }
          return;
        }
        if (event.type === 'DELETED') this.#remove(event.object);
        else if (event.type !== 'BOOKMARK') this.#put(event.object);
        if (version !== undefined) this.#resourceVersion = version;
      },
    );
  }

  #replace(items: T[]): void {
    const present = new Set(items.map(keyOf));
    for (const [key, object] of this.#cache) if (!present.has(key)) this.#remove(object);
    for (const item of items) this.#put(item);
    this.#hasSynced = true;
    this.#markSynced();
  }

  #put(object: T): void {
    const key = keyOf(object);
    const old = this.#cache.get(key);
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    // The name was used again while the watch was down: whoever keeps state by uid must see the first one go.
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      this.#remove(old);
      this.#put(object);
      return;
    }
    this.#cache.set(key, object);
    this.#broadcast({ type: old === undefined ? 'ADDED' : 'MODIFIED', object, old });
  }

  #remove(object: T): void {
    const key = keyOf(object);
    const old = this.#cache.get(key);
    if (old === undefined) return;
    this.#cache.delete(key);
    this.#broadcast({ type: 'DELETED', object, old });
  }

  #broadcast(change: Change<T>): void {
    for (const subscriber of this.#subscribers) this.#tell(subscriber, change);
  }

  #tell(subscriber: (change: Change<T>) => void, change: Change<T>): void {
    try {
      subscriber(change);
    } catch (error) {
      this.#log.error('a subscriber failed', { resource: this.#resource, error });
    }
  }
}

/** The agent's informers, one per resource and selection, started when first asked for. */
export class Informers {
  readonly #client: HttpClient;
  readonly #log: Log;
  readonly #informers = new Map<string, { informer: Informer<KubeObject>; done: Promise<void> }>();

  constructor(client: HttpClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  /** The shared informer of `resource`; await its `synced` before trusting what it does not hold. */
  get<T extends KubeObject>(resource: ResourceId, selection: Selection = {}): Informer<T> {
    const key = JSON.stringify([resource, selection.namespace, selection.fieldSelector, selection.labelSelector]);
    let entry = this.#informers.get(key);
    if (entry === undefined) {
      const informer = new Informer<KubeObject>(this.#client, resource, selection, this.#log);
      entry = { informer, done: informer.run() };
      this.#informers.set(key, entry);
    }
    return entry.informer as unknown as Informer<T>;
  }

  /** Ends one informer that nobody needs any more. */
  release(resource: ResourceId, selection: Selection = {}): void {
    const key = JSON.stringify([resource, selection.namespace, selection.fieldSelector, selection.labelSelector]);
    this.#informers.get(key)?.informer.stop();
    this.#informers.delete(key);
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    for (const { informer } of this.#informers.values()) informer.stop();
    await Promise.all([...this.#informers.values()].map(({ done }) => done));
  }
}

/** Waits, or returns early when `signal` aborts. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal?.addEventListener('abort', done, { once: true });
  });
}
