import type { Pace } from '../store/watch-hub.ts';

/** For how long writes are taken to go on coming at the same time. */
const CROWDED_MS = 50;
/** Events of so long go out together then. */
const TOGETHER_MS = 10;

/**
 * Writes that come close upon each other are committed together: to a disk, ten commits at once cost little more than one.
 * A write that comes alone does not wait.
 */
export class GroupCommit implements Pace {
  private waiting: (() => void)[] = [];
  private busy = false;
  /** Of the last write that had to wait; in ms since the epoch. */
  private crowdedAt = 0;

  /** Resolves when the caller may write, in the order of the calls. What it writes must be written before it next waits. */
  async turn(): Promise<void> {
    if (!this.busy) return void this.admit();
    this.crowdedAt = Date.now();
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  isCrowded(): boolean {
    return Date.now() - this.crowdedAt < CROWDED_MS;
  }

  later(run: () => void): void {
    setTimeout(run, TOGETHER_MS);
  }

  private async admit(): Promise<void> {
    this.busy = true;
    for (;;) {
      // Lets the runtime deliver what has already arrived.
      await scheduler.wait(0);
      if (this.waiting.length === 0) break;
      const next = this.waiting;
      this.waiting = [];
      for (const go of next) go();
    }
    this.busy = false;
  }
}
