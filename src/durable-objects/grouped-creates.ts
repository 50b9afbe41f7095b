/** Objects that a component makes at the same time go to their store in one call, and are committed together. */
import type { Store } from '../api/context.ts';
import type { CommitResult } from '../store/types.ts';
import type { Creation } from './rpc.ts';

/** Characters of objects in one call, and a last one; a call may take 32 MiB. */
const BUDGET = 4 << 20;

interface Waiting extends Creation {
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** One call under way; what comes meanwhile goes with the next. What comes alone does not wait. */
export class GroupedCreates implements Pick<Store, 'create'> {
  private waiting: Waiting[] = [];
  private sending = false;
  private readonly store: () => Pick<Store, 'createMany'>;

  /** `store` is asked for each call: a stub whose object has failed once is of no use any more. */
  constructor(store: () => Pick<Store, 'createMany'>) {
    this.store = store;
  }

  create(key: string, object: Waiting['object'], dryRun: boolean): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, object, dryRun, resolve, reject });
      if (!this.sending) void this.send();
    });
  }

  /** Never rejects. */
  private async send(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0) {
      const group = this.next();
      try {
        const results = await this.store().createMany(
          group.map(({ key, object, dryRun }) => ({ key, object, dryRun })),
        );
        for (const [i, { resolve }] of group.entries()) resolve(results[i] as CommitResult);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.sending = false;
  }

  private next(): Waiting[] {
    let size = 0;
    const after = this.waiting.findIndex(({ object }) => {
      const full = size >= BUDGET;
      size += object.text.length;
      return full;
    });
    return this.waiting.splice(0, after < 0 ? this.waiting.length : after);
  }
}
