/** Where audit events go. */
import type { Execution } from '../context.ts';

export interface Sink {
  /** Takes an event, as a line of JSON. What it still has to do with it, it does within the request's `execution`. */
  write(line: string, execution: Execution): void;
}

/** For where nothing has to be kept alive. */
export const DETACHED: Execution = {
  waitUntil(pending) {
    pending.catch((error: unknown) => console.error(error));
  },
};

/** The runtime's own log: Workers Logs on Cloudflare. */
export const stdout: Sink = {
  write(line) {
    console.log(line);
  },
};
