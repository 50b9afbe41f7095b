/**
 * Runs controllers: takes the stores' notifications, turns changes into keys, and works the keys off.
 *
 * Nothing is forgotten when the object is evicted: a store's cursor is written together with a row for every key that it brought and that
 * is not done by then. Keys that are done by the time of the checkpoint never cost a row. After a lost object the old cursor brings
 * the changes again; keys are level-based, so working on them twice does no harm.
 */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import { isReason, StatusError } from '../apimachinery/errors.ts';
import { FIRST_VERSION, type KubeObject } from '../apimachinery/meta.ts';
import { type ChangeNotice, merge, readOnce, type StoreChanges } from './changes.ts';
import {
  type Controller,
  type ControllerContext,
  type ExtensionReader,
  keyOf,
  type ObjectChange,
  parseKey,
} from './controller.ts';
import { EventMemory, EventRecorder } from './events.ts';
import { KeptReads } from './kept-reads.ts';
import { forEachLimited } from './objects.ts';
import type { QueueBackend, QueueRow } from './queue/backend.ts';
import { WorkQueue } from './queue/work-queue.ts';
import { CUSTOM_RESOURCES, isCustomStore } from './stores.ts';

const CONCURRENCY = 16;
const MAPPED_AT_ONCE = 64;
/** A checkpoint is due after so many keys even when work never ends. */
const KEYS_PER_CHECKPOINT = 500;
/** Cursors alone are not written more often: what is lost with them is only looked at again. */
const CURSORS_EVERY_MS = 1000;

export interface ManagerOptions {
  controllers: readonly Controller[];
  client: Client;
  /** The same as another field manager; default: the same altogether. */
  clientAs?(fieldManager: string): Client;
  backend: QueueBackend;
  /** What a store has changed since a resourceVersion. */
  changesSince(store: ResourceId, resourceVersion: number): Promise<StoreChanges>;
  /** Objects of a store in the order of their keys; without it they are read one by one. */
  getMany?(store: ResourceId, keys: string[]): Promise<(KubeObject | undefined)[]>;
  rootCa: ControllerContext['rootCa'];
  secretToken: ControllerContext['secretToken'];
  certificates: ControllerContext['certificates'];
  clusterCidr: string;
  /** Without it every extension API server answers. */
  probeDiscovery?: ControllerContext['probeDiscovery'];
  /** For the controller of a name; without it nobody is there. */
  readExtension?(controller: string, ...question: Parameters<ExtensionReader>): ReturnType<ExtensionReader>;
  /** Whether the node's agent holds its session; without it none does. */
  nodeConnected?(node: string): Promise<boolean>;
  now?: () => number;
}

interface Watcher {
  controller: Controller;
  keys: Controller['watches'][number]['keys'];
}

export class ControllerManager {
  readonly #options: ManagerOptions;
  readonly #now: () => number;
  readonly #queue: WorkQueue;
  readonly #cursors: Map<ResourceId, number>;
  /** Cursors that differ from the disk's. */
  readonly #moved = new Set<ResourceId>();
  readonly #controllers = new Map<string, Controller>();
  readonly #watchers = new Map<ResourceId, Watcher[]>();
  readonly #contexts = new Map<string, ControllerContext>();
  readonly #memory = new EventMemory();
  readonly #owned = new Map<string, Set<ResourceId>>();
  readonly #reads = new KeptReads();
  /** One intake at a time for each store, so that its changes are taken in order. */
  readonly #intakes = new Map<ResourceId, Promise<void>>();
  readonly #inboxes = new Map<ResourceId, { from: number; notices: readonly ChangeNotice[] }[]>();
  #draining = false;
  #active = 0;
  #sinceCheckpoint = 0;
  #savedAt = Number.NEGATIVE_INFINITY;
  #idle: () => void = () => {};

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#queue = new WorkQueue(options.backend.rows(), this.#now);
    this.#cursors = options.backend.cursors();
    for (const [kind, resource] of options.backend.owned()) this.#remember(kind, resource);
    for (const controller of options.controllers) {
      this.#controllers.set(controller.name, controller);
      this.#contexts.set(controller.name, this.#contextOf(controller));
      for (const { resource, keys } of controller.watches) {
        const watchers = this.#watchers.get(resource) ?? [];
        watchers.push({ controller, keys });
        this.#watchers.set(resource, watchers);
      }
    }
  }

  /** Takes a store's notification in and works until nothing is due. While another call works, it only takes in. */
  async notify(store: ResourceId, from: number, notices: readonly ChangeNotice[]): Promise<void> {
    if (this.#watchersOf(store).length === 0) return;
    const inbox = this.#inboxes.get(store) ?? [];
    inbox.push({ from, notices });
    this.#inboxes.set(store, inbox);
    // What arrives during a turn waits for the next, and is one batch then.
    await this.#inTurn(store, () => this.#takeInbox(store));
    await this.drain();
  }

  /** Once a minute: asks stores for changes whose notification was lost, and controllers for keys that time alone makes due. */
  async tick(): Promise<void> {
    const wanted = (watcher: Watcher): boolean => watcher.controller.everywhere !== true;
    const stores = [...new Set([...this.#watchers.keys(), ...this.#cursors.keys()])].filter(
      (store) => this.#cursors.has(store) || this.#watchersOf(store).some(wanted),
    );
    await forEachLimited(stores, CONCURRENCY, async (store) => {
      await this.#inTurn(store, () => this.#catchUp(store)).catch((error) => console.error('resync', store, error));
    });
    for (const controller of this.#controllers.values()) {
      if (controller.tick === undefined) continue;
      try {
        const keys = await controller.tick(this.#options.client, this.#context(controller.name));
        for (const key of keys) this.#queue.add(controller.name, key);
      } catch (error) {
        console.error('tick', controller.name, error);
      }
    }
    await this.drain();
  }

  /** Queues a key, on disk too, without working on it. */
  enqueue(controller: string, key: string): void {
    this.#queue.add(controller, key);
    this.checkpoint();
  }

  /** Works on all that is due, and writes the checkpoint. Returns at once when another call does so already. */
  async drain(): Promise<void> {
    this.#pump();
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#active > 0) {
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      }
    } finally {
      this.#draining = false;
      this.checkpoint();
    }
  }

  /** Whether a call works right now, and will write a checkpoint when it has. */
  get busy(): boolean {
    return this.#draining;
  }

  /** When the next key is due, in ms since the epoch. */
  nextDue(): number | undefined {
    return this.#queue.nextDue();
  }

  /** Writes what memory knows and the disk does not: in one transaction, in one turn. */
  checkpoint(): void {
    this.#sinceCheckpoint = 0;
    const { put, remove } = this.#queue.pending();
    if (put.length === 0 && remove.length === 0 && (this.#moved.size === 0 || this.#isSavedLately())) return;
    this.#savedAt = this.#now();
    const cursors = new Map([...this.#moved].map((store) => [store, this.#cursors.get(store) ?? 0]));
    this.#options.backend.commit({ put, remove, cursors });
    this.#queue.saved();
    this.#moved.clear();
  }

  #isSavedLately(): boolean {
    const age = this.#now() - this.#savedAt;
    return age >= 0 && age < CURSORS_EVERY_MS;
  }

  #watchersOf(store: ResourceId): readonly Watcher[] {
    return this.#watchers.get(isCustomStore(store) ? CUSTOM_RESOURCES : store) ?? [];
  }

  async #inTurn(store: ResourceId, work: () => Promise<void>): Promise<void> {
    const turn = (this.#intakes.get(store) ?? Promise.resolve()).catch(() => {}).then(work);
    this.#intakes.set(store, turn);
    try {
      await turn;
    } finally {
      if (this.#intakes.get(store) === turn) this.#intakes.delete(store);
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
    const { items, resourceVersion } = await this.#options.client.list(store);
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
    const { client, getMany } = this.#options;
    const objects = new Map<string, KubeObject>();
    if (getMany !== undefined) {
      const found = await getMany(store, [...keys]);
      for (const [i, key] of keys.entries()) if (found[i] !== undefined) objects.set(key, found[i]);
      return objects;
    }
    await forEachLimited(keys, CONCURRENCY, async (key) => {
      const { namespace, name } = parseKey(key);
      const object = await client.get(store, namespace, name);
      if (object !== undefined) objects.set(key, object);
    });
    return objects;
  }

  async #map(store: ResourceId, changes: Pick<ObjectChange, 'key' | 'type' | 'object' | 'previous'>[]): Promise<void> {
    this.#reads.forget(store);
    const client = readOnce(this.#options.client);
    const watchers = this.#watchersOf(store).map(({ controller, keys }) => {
      return { controller, keys, client: this.#reads.reader(client, controller.watches) };
    });
    await forEachLimited(changes, MAPPED_AT_ONCE, async (change) => {
      const whole: ObjectChange = { ...change, ...parseKey(change.key), resource: store };
      await Promise.all(
        watchers.map(async ({ controller, keys, client }) => {
          try {
            for (const key of await keys(whole, client)) this.#queue.add(controller.name, key);
          } catch (error) {
            // A TypeError is an object of a shape that nobody foresaw: it must not hold up all others.
            if (!(error instanceof TypeError)) throw error;
            console.error('watch', controller.name, store, change.key, error);
          }
        }),
      );
    });
  }

  #pump(): void {
    while (this.#active < CONCURRENCY) {
      const row = this.#queue.take();
      if (row === undefined) break;
      this.#active++;
      void this.#work(row).finally(() => {
        this.#active--;
        if (++this.#sinceCheckpoint >= KEYS_PER_CHECKPOINT) this.checkpoint();
        this.#pump();
        if (this.#active === 0) this.#idle();
      });
    }
  }

  /** Never rejects. */
  async #work(row: QueueRow): Promise<void> {
    const controller = this.#controllers.get(row.controller);
    // A row of a controller that this version does not have any more.
    if (controller === undefined) return this.#queue.succeed(row);
    const context = this.#context(controller.name);
    try {
      const result = await controller.reconcile(this.#clientOf(controller), parseKey(row.key), context);
      this.#queue.succeed(row, result?.requeueAfterMs);
    } catch (error) {
      // A refusal says all in its message; anything else is a fault of ours, whose place is wanted.
      const told = error instanceof StatusError ? error.message : error;
      if (!isReason(error, 'Conflict')) console.warn(`${controller.name} ${row.key}:`, told);
      this.#queue.fail(row);
    }
    await context.events.flush();
  }

  #context(name: string): ControllerContext {
    return this.#contexts.get(name) as ControllerContext;
  }

  #clientOf({ fieldManager }: Controller): Client {
    const { client, clientAs } = this.#options;
    return fieldManager === undefined ? client : (clientAs?.(fieldManager) ?? client);
  }

  #contextOf({ name, eventSource = name }: Controller): ControllerContext {
    const { client, rootCa, secretToken, certificates, clusterCidr } = this.#options;
    return {
      now: this.#now,
      events: new EventRecorder(client, eventSource, this.#memory, this.#now),
      schedule: {
        after: (key, delayMs) => this.#queue.add(name, key, delayMs),
        cancel: (key) => this.#queue.cancel(name, key),
      },
      owned: {
        resourcesOwnedBy: (kind) => [...(this.#owned.get(kind) ?? [])],
        learn: (kind, resource) => {
          if (this.#owned.get(kind)?.has(resource)) return;
          this.#remember(kind, resource);
          this.#options.backend.learn(kind, resource);
        },
      },
      rootCa,
      secretToken,
      certificates,
      clusterCidr,
      probeDiscovery: this.#options.probeDiscovery ?? (() => Promise.resolve({ status: 200 })),
      readExtension: (service, path) =>
        this.#options.readExtension?.(name, service, path) ?? Promise.resolve({ status: 503, body: '' }),
      nodeConnected: (node) => this.#options.nodeConnected?.(node) ?? Promise.resolve(false),
    };
  }

  #remember(kind: string, resource: ResourceId): void {
    const resources = this.#owned.get(kind) ?? new Set();
    this.#owned.set(kind, resources.add(resource));
  }
}
