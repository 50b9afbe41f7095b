/** Where the manager keeps what must outlive its eviction. Synchronous: SQLite in a Durable Object is. */
import type { ResourceId } from '../../apimachinery/client.ts';

/** A key that is owed work. `notBefore` in ms since the epoch; `attempts` that failed in a row. */
export interface QueueRow {
  controller: string;
  key: string;
  notBefore: number;
  attempts: number;
}

/** What one checkpoint changes. */
export interface Checkpoint {
  put: QueueRow[];
  remove: Pick<QueueRow, 'controller' | 'key'>[];
  /** resourceVersion up to which each store's changes are in the queue. */
  cursors: Map<ResourceId, number>;
}

export interface QueueBackend {
  rows(): QueueRow[];
  cursors(): Map<ResourceId, number>;
  /** All of it or nothing. */
  commit(checkpoint: Checkpoint): void;
  /** `<group>/<kind>` of owners, and the resource of a dependent. */
  owned(): [kind: string, resource: ResourceId][];
  learn(kind: string, resource: ResourceId): void;
}

/** The twin of the SQLite backend, for tests. `commits` counts checkpoints, `writes` rows. */
export class MemoryBackend implements QueueBackend {
  readonly #rows = new Map<string, QueueRow>();
  readonly #cursors = new Map<ResourceId, number>();
  readonly #owned: [string, ResourceId][] = [];
  commits = 0;
  writes = 0;

  rows(): QueueRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }

  cursors(): Map<ResourceId, number> {
    return new Map(this.#cursors);
  }

  commit({ put, remove, cursors }: Checkpoint): void {
    this.commits++;
    this.writes += put.length + remove.length + cursors.size;
    for (const row of put) this.#rows.set(`${row.controller}\n${row.key}`, { ...row });
    for (const { controller, key } of remove) this.#rows.delete(`${controller}\n${key}`);
    for (const [store, resourceVersion] of cursors) this.#cursors.set(store, resourceVersion);
  }

  owned(): [string, ResourceId][] {
    return [...this.#owned];
  }

  learn(kind: string, resource: ResourceId): void {
    this.#owned.push([kind, resource]);
  }
}
