/** Why containers of a pod do not run yet, as their status says it. */
import type { WaitingError } from './images.ts';

/** A crash loop becomes a container's state only then: until then its last end is what it shows, as with upstream. */
const CRASH_LOOP_SHOWS_MS = 12_500;

export class Waiting {
  /** By container. */
  readonly states = new Map<string, { reason: string; message: string }>();
  readonly #backingOff = new Map<string, number>();

  /** The container cannot be started now. */
  put(name: string, { reason, message }: WaitingError): void {
    if (reason === 'CrashLoopBackOff') {
      const visibleAt = this.#backingOff.get(name) ?? Date.now() + CRASH_LOOP_SHOWS_MS;
      this.#backingOff.set(name, visibleAt);
      if (Date.now() < visibleAt) return;
    } else this.#backingOff.delete(name);
    this.states.set(name, { reason, message });
  }

  /** The container has been started. */
  delete(name: string): void {
    this.states.delete(name);
    this.#backingOff.delete(name);
  }
}
