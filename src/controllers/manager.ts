/**
 * Runs controllers: takes the stores' notifications, turns changes into keys, and works the keys off.
 *
 * Nothing is forgotten when the object is evicted: a store's cursor is written together with a row for every key that it brought and that
 * is not done by then. Keys that are done by the time of the checkpoint never cost a row. After a lost object the old cursor brings
 * the changes again; keys are level-based, so working on them twice does no harm.
 */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import { isReason, StatusError } from '../apimachinery/errors.ts';
import type { ChangeNotice } from './changes.ts';
import { type Controller, type ControllerContext, parseKey } from './controller.ts';
import { EventMemory, EventRecorder } from './events.ts';
import { Intake } from './intake.ts';
import type { ManagerOptions } from './options.ts';
import { RememberedKinds } from './owned-kinds.ts';
import type { QueueRow } from './queue/backend.ts';
import { WorkQueue } from './queue/work-queue.ts';

const CONCURRENCY = 16;
/** A checkpoint is due after so many keys even when work never ends. */
const KEYS_PER_CHECKPOINT = 500;
/** Cursors alone are not written more often: what is lost with them is only looked at again. */
const CURSORS_EVERY_MS = 1000;

export class ControllerManager {
  readonly #options: ManagerOptions;
  readonly #now: () => number;
  readonly #queue: WorkQueue;
  readonly #intake: Intake;
  readonly #controllers = new Map<string, Controller>();
  readonly #contexts = new Map<string, ControllerContext>();
  readonly #memory = new EventMemory();
  readonly #owned: RememberedKinds;
  #draining = false;
  #active = 0;
  #sinceCheckpoint = 0;
  #savedAt = Number.NEGATIVE_INFINITY;
  #idle: () => void = () => {};

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#queue = new WorkQueue(options.backend.rows(), this.#now);
    this.#intake = new Intake(options, options.backend.cursors(), (controller, key) =>
      this.#queue.add(controller, key),
    );
    this.#owned = new RememberedKinds(options.backend);
    for (const controller of options.controllers) {
      this.#controllers.set(controller.name, controller);
      this.#contexts.set(controller.name, this.#contextOf(controller));
    }
  }

  /** Takes a store's notification in and works until nothing is due. While another call works, it only takes in. */
  async notify(store: ResourceId, from: number, notices: readonly ChangeNotice[]): Promise<void> {
    if (!this.#intake.isWatched(store)) return;
    await this.#intake.take(store, from, notices);
    await this.drain();
  }

  /** All of what happened that this manager has heard of, heartbeats left out: two equal answers mean that nothing did in between. */
  get heard(): string {
    return this.#intake.heard();
  }

  /**
   * Once a minute: asks stores for changes whose notification was lost, and controllers for keys that time alone makes due. `whenDue` says
   * when to ask the stores, and whether it is quiet.
   */
  async tick(whenDue: (resync: (quiet: boolean) => Promise<void>) => Promise<void> = (resync) => resync(false)) {
    await whenDue(async (quiet) => {
      await this.#intake.resync();
      await this.#ask((controller, client, context) => controller.resync?.(client, context, quiet));
    });
    await this.#ask((controller, client, context) => controller.tick?.(client, context));
    await this.drain();
  }

  /** Queues what controllers answer. One that fails does not keep the others from being asked. */
  async #ask(
    question: (...about: [Controller, Client, ControllerContext]) => Promise<string[]> | undefined,
  ): Promise<void> {
    for (const controller of this.#controllers.values()) {
      try {
        const keys = (await question(controller, this.#options.client, this.#context(controller.name))) ?? [];
        for (const key of keys) this.#queue.add(controller.name, key);
      } catch (error) {
        console.error('tick', controller.name, error);
      }
    }
  }

  /** Queues a key, on disk too, without working on it. */
  enqueue(controller: string, key: string): void {
    this.#queue.add(controller, key);
    this.checkpoint();
  }

  /** The cluster's CAs are others: queues what holds them, on disk too, without working on it. Throws where that cannot be read. */
  async rootCaChanged(): Promise<void> {
    for (const { name, holdsRootCa } of this.#options.controllers) {
      for (const key of (await holdsRootCa?.(this.#options.client)) ?? []) this.#queue.add(name, key);
    }
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
    const cursors = this.#intake.moved();
    if (put.length === 0 && remove.length === 0 && (cursors.size === 0 || this.#isSavedLately())) return;
    this.#savedAt = this.#now();
    this.#options.backend.commit({ put, remove, cursors });
    this.#queue.saved();
    this.#intake.saved();
  }

  #isSavedLately(): boolean {
    const age = this.#now() - this.#savedAt;
    return age >= 0 && age < CURSORS_EVERY_MS;
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
      owned: this.#owned,
      rootCa,
      secretToken,
      certificates,
      clusterCidr,
      probeDiscovery: this.#options.probeDiscovery ?? (() => Promise.resolve({ status: 200 })),
      askExtension: (...question) =>
        this.#options.askExtension?.(name, ...question) ?? Promise.resolve({ status: 503, body: '' }),
      nodeConnected: (node) => this.#options.nodeConnected?.(node) ?? Promise.resolve(false),
    };
  }
}
