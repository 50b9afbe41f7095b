/** Who is asked a second time because others have changed the object after him (`reinvocationContext`). */
export class Reinvocation {
  /** This is the second time. */
  private second = false;
  private changed = false;
  private readonly before = new Set<string>();
  private readonly again = new Set<string>();

  /** Notes that somebody has been asked; `mayAgain`: he wants to know of changes after him. */
  asked(id: string, changed: boolean, mayAgain: boolean): void {
    if (changed) {
      this.changed = true;
      for (const earlier of this.before) this.again.add(earlier);
    }
    if (mayAgain) this.before.add(id);
  }

  /** Whether somebody need not be asked: the second time all but those before a change. */
  skips(id: string): boolean {
    return this.second && !this.again.has(id);
  }

  /** 0, and 1 for the second time. */
  get round(): number {
    return this.second ? 1 : 0;
  }

  /** Begins the second time, if there is cause. */
  begin(): boolean {
    this.second = true;
    return this.changed;
  }
}
