/**
 * Writes that come while others are being made durable wait for them, and are then made durable together: to a disk, ten
 * commits at once cost little more than one. A write that comes alone does not wait.
 */

/** In production a commit travels to other machines, and many may be under way: nobody waits longer than this for one. */
const LONGEST_WAIT_MS = 1;

export class GroupCommit {
  private readonly storage: Pick<DurableObjectStorage, 'sync'>;
  private waiting: (() => void)[] = [];
  private busy = false;

  constructor(storage: Pick<DurableObjectStorage, 'sync'>) {
    this.storage = storage;
  }

  /** Resolves when the caller may write, in the order of the calls. What it writes must be written before it next waits. */
  turn(): Promise<void> {
    if (this.busy) return new Promise((resolve) => this.waiting.push(resolve));
    void this.admit();
    return Promise.resolve();
  }

  private async admit(): Promise<void> {
    this.busy = true;
    for (;;) {
      // A commit that fails resets the object; those who wait fail with it.
      await Promise.race([this.storage.sync(), scheduler.wait(LONGEST_WAIT_MS)]).catch(() => {});
      if (this.waiting.length === 0) break;
      const next = this.waiting;
      this.waiting = [];
      for (const go of next) go();
      // Their writes happen in the microtasks before this one goes on.
      await Promise.resolve();
    }
    this.busy = false;
  }
}
