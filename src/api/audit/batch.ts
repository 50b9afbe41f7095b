/** A sink that sends many events at once. */
import type { Execution } from '../context.ts';
import type { Sink } from './sink.ts';

/** Upstream's buffer holds as many; what comes when it is full is lost, and counted. */
const MOST_KEPT = 10_000;
const RETRY_MS = [500, 2000];

export interface BatchOptions {
  /** As it is named where events are lost. */
  name: string;
  /** How long an event may wait for others, in ms; a request may stay alive for half a minute after its answer. */
  delayMs: number;
  /** So many events are sent without waiting for more. */
  most: number;
  /** Sends them; throws when they have not arrived. */
  send(lines: readonly string[]): Promise<void>;
}

export class Batch implements Sink {
  private readonly options: BatchOptions;
  private lines: string[] = [];
  private lost = 0;
  /** When the flush is to be over that somebody's request waits for; 0: nobody's does. */
  private dueAt = 0;

  constructor(options: BatchOptions) {
    this.options = options;
  }

  write(line: string, execution: Execution): void {
    if (this.lines.length >= MOST_KEPT) {
      this.lost++;
      return;
    }
    this.lines.push(line);
    const { delayMs, most } = this.options;
    if (this.lines.length % most === 0) execution.waitUntil(this.flush());
    else if (Date.now() > this.dueAt) {
      // A request that was cut off does not keep its promise; another one's takes its place.
      this.dueAt = Date.now() + 2 * delayMs;
      execution.waitUntil(pause(delayMs).then(() => this.flush()));
    }
  }

  private async flush(): Promise<void> {
    const { lines, lost } = this;
    this.lines = [];
    this.lost = 0;
    this.dueAt = 0;
    if (lines.length === 0) return;
    const why = await this.deliver(lines);
    const missing = lost + (why === undefined ? 0 : lines.length);
    if (missing > 0)
      console.error(`${missing} audit events are lost: ${this.options.name}: ${why ?? 'too many at once'}.`);
  }

  /** Why the lines could not be sent, after some attempts. */
  private async deliver(lines: readonly string[]): Promise<string | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.options.send(lines);
        return undefined;
      } catch (error) {
        const wait = RETRY_MS[attempt];
        if (wait === undefined) return error instanceof Error ? error.message : String(error);
        await pause(wait);
      }
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
