/** When a component asks the stores whether it has missed something: nobody wakes a cluster in which nothing happens to hear so. */
import type { Kv } from './kv.ts';

/** After everything was asked once since the last change; twice as long each time. */
const FIRST_WAIT_MS = 15 * 60_000;
const LONGEST_WAIT_MS = 60 * 60_000;
const KEY = 'resynced';

interface Resynced {
  /** Which start of the control plane it was. */
  started: string;
  heard: string;
  at: number;
  waitMs: number;
}

/**
 * Notifications are sent as a change is committed, and again when they fail: one is lost where a store and its subscriber, or the whole
 * machine, die between two lines. So the stores are asked after each start, each minute in which something was heard, and rarely otherwise.
 */
export class Resync {
  private readonly kv: Kv;
  private readonly started: string;

  /** `started`: another one for each start of a control plane whose end may have been sudden. */
  constructor(kv: Kv, started = '') {
    this.kv = kv;
    this.started = started;
  }

  /**
   * Does the work if it is time. `heard` says what the component has heard of so far; the work may change that. `quiet`: nothing was heard
   * since the last time.
   */
  async whenDue(heard: () => string, work: (quiet: boolean) => Promise<void>, now = Date.now()): Promise<void> {
    const last = this.kv.get<Resynced>(KEY);
    const quiet = last?.started === this.started && last.heard === heard();
    if (quiet && now >= last.at && now - last.at < last.waitMs) return;
    await work(quiet);
    const waitMs = quiet ? Math.min(last.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    this.kv.put(KEY, { started: this.started, heard: heard(), at: now, waitMs } satisfies Resynced);
  }
}
