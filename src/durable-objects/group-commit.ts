/**
 * Writes that come close upon each other are committed together: to a disk, ten commits at once cost little more than one.
 * A write that comes alone does not wait.
 */
export class GroupCommit {
  private waiting: (() => void)[] = [];
  private busy = false;

  /** Resolves when the caller may write, in the order of the calls. What it writes must be written before it next waits. */
  async turn(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else void this.admit();
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
