/** Collects bindings, so that many are committed in one transaction. */
import type { Status } from '../apimachinery/meta.ts';

export interface Binding {
  /** `namespace/name`. */
  key: string;
  uid: string;
  node: string;
  /** What the pod learns of where the node is. */
  labels: Record<string, string>;
}

type Answer = (result: Status | undefined) => void;

export class Binder {
  private waiting: { binding: Binding; resolve: Answer; reject: (error: unknown) => void }[] = [];
  private held = 0;
  private readonly send: (bindings: readonly Binding[]) => Promise<(Status | undefined)[]>;

  /** `send`: in one transaction; for each binding undefined, or why it failed. */
  constructor(send: (bindings: readonly Binding[]) => Promise<(Status | undefined)[]>) {
    this.send = send;
  }

  /** Resolves to undefined, or why it failed; rejects when nothing is known of the outcome. */
  bind(binding: Binding): Promise<Status | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ binding, resolve, reject });
      if (this.held === 0 && this.waiting.length === 1) queueMicrotask(() => void this.flush());
    });
  }

  /** Holds bindings back until {@link release}. */
  hold(): void {
    this.held++;
  }

  /** Commits what was held back. */
  release(): void {
    this.held--;
    if (this.held === 0) queueMicrotask(() => void this.flush());
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    if (batch.length === 0 || this.held > 0) return;
    this.waiting = [];
    try {
      const results = await this.send(batch.map(({ binding }) => binding));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
