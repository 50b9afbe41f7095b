/** Counts by topology: `zone` -> `z1` -> 3. */
import type { NodeInfo } from './node-info.ts';

export class TopologyCounts {
  private readonly byKey = new Map<string, Map<string, number>>();

  /** Adds to the count of the node's own value of the key; a node without the key has no part in it. */
  add(node: NodeInfo, key: string, by: number): void {
    const { labels } = node.facts;
    if (!Object.hasOwn(labels, key)) return;
    const value = labels[key] as string;
    let values = this.byKey.get(key);
    if (values === undefined) {
      values = new Map();
      this.byKey.set(key, values);
    }
    const sum = (values.get(value) ?? 0) + by;
    if (sum === 0) values.delete(value);
    else values.set(value, sum);
    if (values.size === 0) this.byKey.delete(key);
  }

  /** The count of the node's own value of the key; undefined when the node has none. */
  at(node: NodeInfo, key: string): number | undefined {
    const { labels } = node.facts;
    if (!Object.hasOwn(labels, key)) return undefined;
    return this.byKey.get(key)?.get(labels[key] as string) ?? 0;
  }

  /** All keys with their counts. */
  entries(): Iterable<[string, ReadonlyMap<string, number>]> {
    return this.byKey;
  }

  get empty(): boolean {
    return this.byKey.size === 0;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    for (const [key, values] of this.byKey) copy.byKey.set(key, new Map(values));
    return copy;
  }
}
