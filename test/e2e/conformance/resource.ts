/** One resource through the client: its verbs, and waiting until it is as it should be. */
import { ApiException, type Watch } from '@kubernetes/client-node';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type { Api, Call } from './cluster.ts';

const WAIT_MS = 60_000;
const AGAIN_MS = 100;
const PATCHES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

type Query = NonNullable<Call['query']>;
type Event<T> = { type: string; object: T };

export interface List<T> {
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

export class Resource<T extends KubeObject> {
  readonly path: string;
  private readonly api: Api;
  private readonly watcher: Watch;

  constructor(api: Api, watcher: Watch, path: string) {
    this.api = api;
    this.watcher = watcher;
    this.path = path;
  }

  create(body: unknown, query: Query = {}): Promise<T> {
    return this.api.json(this.path, { method: 'POST', body, query });
  }

  get(name: string, subresource = ''): Promise<T> {
    return this.api.json(this.at(name, subresource));
  }

  list(query: Query = {}): Promise<List<T>> {
    return this.api.json(this.path, { query });
  }

  /** A merge patch unless `type` says otherwise. */
  patch(
    name: string,
    body: unknown,
    { type = 'merge' as keyof typeof PATCHES, subresource = '', query = {} as Query } = {},
  ): Promise<T> {
    return this.api.json(this.at(name, subresource), { method: 'PATCH', body, query, contentType: PATCHES[type] });
  }

  replace(name: string, body: unknown, subresource = ''): Promise<T> {
    return this.api.json(this.at(name, subresource), { method: 'PUT', body });
  }

  /** Reads, changes and replaces, again where somebody else was faster. */
  async update(name: string, change: (object: T) => void, subresource = ''): Promise<T> {
    for (;;) {
      const object = await this.get(name, subresource);
      change(object);
      try {
        return await this.replace(name, object, subresource);
      } catch (error) {
        if (!(error instanceof ApiException && error.code === 409)) throw error;
      }
    }
  }

  delete(name: string, options: object = {}): Promise<unknown> {
    return this.api.json(this.at(name), { method: 'DELETE', body: options });
  }

  deleteCollection(query: Query = {}, options: object = {}): Promise<unknown> {
    return this.api.json(this.path, { method: 'DELETE', query, body: options });
  }

  /** Anything else of an object: evictions, bindings, tokens. */
  post(name: string, subresource: string, body: unknown): Promise<unknown> {
    return this.api.json(this.at(name, subresource), { method: 'POST', body });
  }

  /** The object once `isSo` holds of it. Throws with what it was last when that takes too long. */
  until(name: string, isSo: (object: T) => boolean, ms = WAIT_MS): Promise<T> {
    return this.poll(ms, async () => {
      const found = await this.find(name);
      return { last: found, result: found !== undefined && isSo(found) ? found : undefined };
    });
  }

  /** What a list has once `isSo` holds of it. */
  untilList(isSo: (items: T[]) => boolean, query: Query = {}, ms = WAIT_MS): Promise<T[]> {
    return this.poll(ms, async () => {
      const { items } = await this.list(query);
      return { last: items, result: isSo(items) ? items : undefined };
    });
  }

  async untilGone(name: string, ms = WAIT_MS): Promise<void> {
    await this.poll(ms, async () => {
      const last = await this.find(name);
      return { last, result: last === undefined ? true : undefined };
    });
  }

  /** Undefined where there is none. */
  async find(name: string): Promise<T | undefined> {
    try {
      return await this.get(name);
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Watches, from now or from the version in the query, until `enough` of all events so far; then answers them. */
  async watch(query: Query, enough: (events: Event<T>[]) => boolean, ms = WAIT_MS): Promise<Event<T>[]> {
    const events: Event<T>[] = [];
    return await new Promise((resolve, reject) => {
      let controller: AbortController | undefined;
      const end = (error?: unknown): void => {
        clearTimeout(deadline);
        controller?.abort();
        if (error === undefined) resolve(events);
        else reject(error);
      };
      const deadline = setTimeout(() => end(new Error(`watched only ${JSON.stringify(events)}`)), ms);
      const take = (type: string, object: T): void => {
        events.push({ type, object });
        if (enough(events)) end();
      };
      this.watcher
        .watch(this.path, query, take, (error) => end(error ?? new Error('the watch has ended')))
        .then((started) => {
          controller = started;
        }, end);
    });
  }

  private async poll<R>(ms: number, attempt: () => Promise<{ last: unknown; result: R | undefined }>): Promise<R> {
    const deadline = Date.now() + ms;
    for (;;) {
      const { last, result } = await attempt();
      if (result !== undefined) return result;
      if (Date.now() > deadline) throw new Error(`${this.path}: after ${ms} ms still ${JSON.stringify(last)}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  private at(name: string, subresource = ''): string {
    return `${this.path}/${name}${subresource === '' ? '' : `/${subresource}`}`;
  }
}
