/** Takes the stores' changes in, each store's in order, and turns them into keys of the controllers that watch it. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import { FIRST_VERSION, type KubeObject } from '../apimachinery/meta.ts';
import { type ChangeNotice, merge, readOnce } from './changes.ts';
import { type Controller, keyOf, type ObjectChange, parseKey } from './controller.ts';
import { KeptReads } from './kept-reads.ts';
import { forEachLimited } from './objects.ts';
import type { ManagerOptions } from './options.ts';
import { CUSTOM_RESOURCES, isCustomStore } from './stores.ts';

const NODES = 'core/nodes';
const STORES_AT_ONCE = 16;
const READ_AT_ONCE = 16;
const MAPPED_AT_ONCE = 64;

interface Watcher {
  controller: Controller;
  keys: Controller['watches'][number]['keys'];
}

type IntakeOptions = Pick<ManagerOptions, 'controllers' | 'client' | 'changesSince' | 'getMany'>;

export class Intake {
  readonly #options: IntakeOptions;
  readonly #client: Client;
  readonly #add: (controller: string, key: string) => void;
  readonly #cursors: Map<ResourceId, number>;
  /** Cursors that differ from the disk's. */
  readonly #moved = new Set<ResourceId>();
  readonly #watchers = new Map<ResourceId, Watcher[]>();
  readonly #reads = new KeptReads();
  /** One intake at a time for each store, so that its changes are taken in order. */
  readonly #turns = new Map<ResourceId, Promise<void>>();
  readonly #inboxes = new Map<ResourceId, { from: number; notices: readonly ChangeNotice[] }[]>();

  /** `cursors`: up to which resourceVersion each store's changes are in the queue; `add` puts a key there. */
  constructor(
    options: IntakeOptions,
    cursors: Map<ResourceId, number>,
    add: (controller: string, key: string) => void,
  ) {
    this.#options = options;
    this.#client = options.client;
    this.#cursors = cursors;
    this.#add = add;
    for (const controller of options.controllers) {
      for (const { resource, keys } of controller.watches) {
        const watchers = this.#watchers.get(resource) ?? [];
        watchers.push({ controller, keys });
        this.#watchers.set(resource, watchers);
      }
    }
  }

  /** Whether anybody watches the store. */
  isWatched(store: ResourceId): boolean {
    return this.#watchersOf(store).length > 0;
  }

  /** Takes a notification in; `from`: the resourceVersion before its first change. What was missed before it is asked for. */
  async take(store: ResourceId, from: number, notices: readonly ChangeNotice[]): Promise<void> {
    const inbox = this.#inboxes.get(store) ?? [];
    inbox.push({ from, notices });
    this.#inboxes.set(store, inbox);
    // What arrives during a turn waits for the next, and is one batch then.
    await this.#inTurn(store, () => this.#takeInbox(store));
  }

  /** Asks all stores for changes whose notification was lost. Never rejects. */
  async resync(): Promise<void> {
    const wanted = (watcher: Watcher): boolean => watcher.controller.everywhere !== true;
    const stores = [...new Set([...this.#watchers.keys(), ...this.#cursors.keys()])].filter(
      (store) => this.#cursors.has(store) || this.#watchersOf(store).some(wanted),
    );
    await forEachLimited(stores, STORES_AT_ONCE, async (store) => {
      await this.#inTurn(store, () => this.#catchUp(store)).catch((error) => console.error('resync', store, error));
    });
  }

  /** Up to where each store was heard of, but that of nodes, who speak without anything having happened. */
  heard(): string {
    return JSON.stringify([...this.#cursors].filter(([store]) => store !== NODES).sort());
  }

  /** Cursors that differ from the disk's, until {@link Intake.saved}. */
  moved(): Map<ResourceId, number> {
    return new Map([...this.#moved].map((store) => [store, this.#cursors.get(store) ?? 0]));
  }

  /** What {@link Intake.moved} said is on disk now; to be called in the same turn. */
  saved(): void {
    this.#moved.clear();
  }

  #watchersOf(store: ResourceId): readonly Watcher[] {
    return this.#watchers.get(isCustomStore(store) ? CUSTOM_RESOURCES : store) ?? [];
  }

  async #inTurn(store: ResourceId, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(store) ?? Promise.resolve()).catch(() => {}).then(work);
    this.#turns.set(store, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(store) === turn) this.#turns.delete(store);
    }
  }

  async #takeInbox(store: ResourceId): Promise<void> {
    const inbox = this.#inboxes.get(store) ?? [];
    this.#inboxes.delete(store);
    let cursor = this.#cursors.get(store);
    const fresh: ChangeNotice[] = [];
    for (const { from, notices } of inbox.sort((a, b) => a.from - b.from)) {
      cursor ??= from === FIRST_VERSION ? from : undefined;
      if (cursor === undefined || from > cursor) return this.#catchUp(store);
      for (const notice of notices) if (notice.resourceVersion > cursor) fresh.push(notice);
      cursor = Math.max(cursor, fresh.at(-1)?.resourceVersion ?? 0);
    }
    if (cursor === undefined || fresh.length === 0) return;
    await this.#enqueue(store, fresh);
    this.#advance(store, cursor);
  }

  async #catchUp(store: ResourceId): Promise<void> {
    const cursor = this.#cursors.get(store);
    if (cursor !== undefined) {
      const { notices, resourceVersion, expired } = await this.#options.changesSince(store, cursor);
      if (!expired) {
        if (resourceVersion === cursor) return;
        await this.#enqueue(store, notices);
        return this.#advance(store, resourceVersion);
      }
    }
    // Too far behind, or never seen: everything that is there counts as new.
    const { items, resourceVersion } = await this.#client.list(store);
    await this.#map(
      store,
      items.map((object) => ({ key: keyOf(object), type: 'ADDED', object: () => Promise.resolve(object) })),
    );
    this.#advance(store, Number(resourceVersion));
  }

  #advance(store: ResourceId, resourceVersion: number): void {
    this.#cursors.set(store, resourceVersion);
    this.#moved.add(store);
  }

  async #enqueue(store: ResourceId, notices: readonly ChangeNotice[]): Promise<void> {
    const merged = merge(notices);
    const present = [...new Set(merged.filter(({ type }) => type !== 'DELETED').map(({ key }) => key))];
    let reading: Promise<Map<string, KubeObject>> | undefined;
    const changes = merged.map(({ key, type, previous: text }) => {
      const previous = text === undefined ? undefined : (JSON.parse(text) as KubeObject);
      const object = async (): Promise<KubeObject | undefined> => {
        if (type === 'DELETED') return previous;
        reading ??= this.#read(store, present);
        return (await reading).get(key);
      };
      return { key, type, previous, object };
    });
    await this.#map(store, changes);
  }

  /** The objects of a batch, in as few calls as can be. */
  async #read(store: ResourceId, keys: readonly string[]): Promise<Map<string, KubeObject>> {
    const { getMany } = this.#options;
    const objects = new Map<string, KubeObject>();
    if (getMany !== undefined) {
      const found = await getMany(store, [...keys]);
      for (const [i, key] of keys.entries()) if (found[i] !== undefined) objects.set(key, found[i]);
      return objects;
    }
    await forEachLimited(keys, READ_AT_ONCE, async (key) => {
      const { namespace, name } = parseKey(key);
      const object = await this.#client.get(store, namespace, name);
      if (object !== undefined) objects.set(key, object);
    });
    return objects;
  }

  async #map(store: ResourceId, changes: Pick<ObjectChange, 'key' | 'type' | 'object' | 'previous'>[]): Promise<void> {
    this.#reads.forget(store);
    const client = readOnce(this.#client);
    const watchers = this.#watchersOf(store).map(({ controller, keys }) => {
      return { controller, keys, client: this.#reads.reader(client, controller.watches) };
    });
    await forEachLimited(changes, MAPPED_AT_ONCE, async (change) => {
      const whole: ObjectChange = { ...change, ...parseKey(change.key), resource: store };
      await Promise.all(
        watchers.map(async ({ controller, keys, client }) => {
          try {
            for (const key of await keys(whole, client)) this.#add(controller.name, key);
          } catch (error) {
            // A TypeError is an object of a shape that nobody foresaw: it must not hold up all others.
            if (!(error instanceof TypeError)) throw error;
            console.error('watch', controller.name, store, change.key, error);
          }
        }),
      );
    });
  }
}
