/** What controllers read to see whom a change concerns, kept from one batch of changes to the next. */
import type { Client, ListOptions, ObjectList, ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import { itself, type Watch } from './controller.ts';

/** Longer lists are read anew each time, and so is what is asked of a store beyond so many answers. */
const LONGEST = 500;
const MOST = 1024;

/**
 * Answers stay until a change of their store is heard of, as an informer's do. They may be older than the store: what has come there
 * since is queued by its own change, whose controller then sees all that came before.
 */
export class KeptReads {
  readonly #answers = new Map<ResourceId, Map<string, Promise<unknown>>>();

  /** To be called before a store's changes are looked at. */
  forget(store: ResourceId): void {
    this.#answers.delete(store);
  }

  /** The client of a controller for one batch: what it reads of stores whose changes queue what they concern may be kept. */
  reader(client: Client, watches: readonly Watch[]): Client {
    const own = new Set(
      watches.filter(({ keys, queues }) => keys === itself || queues).map(({ resource }) => resource),
    );
    if (own.size === 0) return client;
    return {
      ...client,
      get: <T extends KubeObject>(store: ResourceId, namespace: string, name: string) =>
        own.has(store)
          ? this.#once(store, `${namespace}/${name}`, () => client.get<T>(store, namespace, name))
          : client.get<T>(store, namespace, name),
      list: <T extends KubeObject>(store: ResourceId, options: ListOptions = {}) =>
        own.has(store) ? this.#list<T>(client, store, options) : client.list<T>(store, options),
    };
  }

  #list<T>(client: Client, store: ResourceId, options: ListOptions): Promise<ObjectList<T>> {
    const question = JSON.stringify(options);
    return this.#once(store, question, async () => {
      const answer = await client.list<T & KubeObject>(store, options);
      if (answer.items.length > LONGEST) this.#answers.get(store)?.delete(question);
      return answer;
    });
  }

  #once<T>(store: ResourceId, question: string, ask: () => Promise<T>): Promise<T> {
    const answers = this.#answers.get(store) ?? new Map<string, Promise<unknown>>();
    this.#answers.set(store, answers);
    const kept = answers.get(question) as Promise<T> | undefined;
    if (kept !== undefined) return kept;
    if (answers.size >= MOST) answers.clear();
    const answer = ask();
    answers.set(question, answer);
    answer.catch(() => answers.delete(question));
    return answer;
  }
}
