/** The rows that were read or written last, so that a get, and the read before a write, need no statement. */
import type { Row } from '../store/types.ts';

/** What a row weighs beside its text, roughly. */
const OVERHEAD = 300;

export class RowCache {
  private readonly rows = new Map<string, Row>();
  private readonly budget: number;
  private size = 0;

  /** `budget`: in characters. */
  constructor(budget: number) {
    this.budget = budget;
  }

  get(key: string): Row | undefined {
    return this.rows.get(key);
  }

  /** Remembers a row; the oldest make room. */
  set(row: Row): void {
    this.delete(row.key);
    this.rows.set(row.key, row);
    this.size += weight(row);
    for (const key of this.rows.keys()) {
      if (this.size <= this.budget) return;
      this.delete(key);
    }
  }

  delete(key: string): void {
    const row = this.rows.get(key);
    if (row === undefined) return;
    this.rows.delete(key);
    this.size -= weight(row);
  }

  clear(): void {
    this.rows.clear();
    this.size = 0;
  }
}

const weight = ({ text }: Row): number => text.length + OVERHEAD;
