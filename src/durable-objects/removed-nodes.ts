/** Nodes that were removed from a cluster, for as long as a token that they were given would be good. */
import type { RemovedNode } from './cluster-rpc.ts';

const PREFIX = 'removed/';

export class RemovedNodes {
  private readonly kv: DurableObjectStorage['kv'];
  private readonly keepSeconds: number;

  constructor(kv: DurableObjectStorage['kv'], keepSeconds: number) {
    this.kv = kv;
    this.keepSeconds = keepSeconds;
  }

  /** From now on nothing counts that the node was given before. */
  add(name: string): void {
    this.kv.put(PREFIX + name, Math.floor(Date.now() / 1000));
  }

  /** When the node was removed, in seconds since the epoch; 0: never. */
  at(name: string): number {
    return this.kv.get<number>(PREFIX + name) ?? 0;
  }

  /** All that matter; the others are forgotten. */
  list(): RemovedNode[] {
    const all = [...this.kv.list<number>({ prefix: PREFIX })].map(([key, at]) => ({
      name: key.slice(PREFIX.length),
      at,
    }));
    const over = Date.now() / 1000 - this.keepSeconds;
    for (const { name, at } of all) if (at < over) this.kv.delete(PREFIX + name);
    return all.filter(({ at }) => at >= over);
  }

  /** Until a token for the node can be told from those that its removal has ended: they count in seconds. */
  async past(name: string): Promise<void> {
    const wait = (this.at(name) + 1) * 1000 - Date.now();
    if (wait > 0) await scheduler.wait(wait);
  }
}
