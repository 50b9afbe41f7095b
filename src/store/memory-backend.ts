/** The store's database in memory: for tests, and as the plainest statement of what a backend does. */
import type { Backend, LabelPair } from './backend.ts';
import type { LogEntry, Row } from './types.ts';

export class MemoryBackend implements Backend {
  private rows = new Map<string, Row>();
  private log: { entry: LogEntry; at: number }[] = [];

  transaction<T>(run: () => T): T {
    const rows = new Map(this.rows);
    const log = [...this.log];
    try {
      return run();
    } catch (error) {
      this.rows = rows;
      this.log = log;
      throw error;
    }
  }

  get(key: string): Row | undefined {
    return this.rows.get(key);
  }

  range(from: string, to: string, limit: number, label?: LabelPair): Row[] {
    const rows = this.sorted(from, to);
    const found = label === undefined ? rows : rows.filter(({ labels }) => labels?.[label.key] === label.value);
    return found.slice(0, limit);
  }

  count(from: string, to: string): number {
    return this.sorted(from, to).length;
  }

  put(row: Row): void {
    this.rows.set(row.key, row);
  }

  remove(key: string): void {
    this.rows.delete(key);
  }

  appendLog(entry: LogEntry, at: number): void {
    this.log.push({ entry, at });
  }

  logAfter(resourceVersion: number, limit: number): LogEntry[] {
    return this.log
      .map(({ entry }) => entry)
      .filter((entry) => entry.resourceVersion > resourceVersion)
      .slice(0, limit);
  }

  logBounds(): { first: number; last: number } {
    return {
      first: this.log[0]?.entry.resourceVersion ?? 0,
      last: this.log.at(-1)?.entry.resourceVersion ?? 0,
    };
  }

  compact(before: number, keep: number): void {
    const newest = this.log.length - Math.max(keep, 1);
    this.log = this.log.filter(({ at }, i) => i >= newest || at >= before);
  }

  private sorted(from: string, to: string): Row[] {
    return [...this.rows.values()]
      .filter(({ key }) => key >= from && key < to)
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}
