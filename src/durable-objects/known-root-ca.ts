/** The cluster's CAs as its controllers know them: asked for once, and again when they may be others. */
import type { RootCa } from '../controllers/controller.ts';

export class KnownRootCa {
  private readonly ask: () => Promise<RootCa>;
  private asked: Promise<RootCa> | undefined;

  /** `ask` answers what is true now. */
  constructor(ask: () => Promise<RootCa>) {
    this.ask = ask;
  }

  async get(): Promise<RootCa> {
    const known = await (this.asked ?? this.fresh());
    // Once: clocks differ, and what is asked for may not know yet that its time is over.
    return Date.now() < (known.until ?? Number.POSITIVE_INFINITY) ? known : this.fresh();
  }

  /** What is known may be wrong from now on. */
  forget(): void {
    this.asked = undefined;
  }

  private fresh(): Promise<RootCa> {
    const asked = this.ask();
    this.asked = asked;
    asked.catch(() => {
      if (this.asked === asked) this.forget();
    });
    return asked;
  }
}
