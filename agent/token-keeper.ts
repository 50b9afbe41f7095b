/** Keeps the node's credential good: renews it long before it ends, and joins anew where it has ended while the machine slept. */
import { isReason } from '../src/apimachinery/errors.ts';
import { delay } from './informer.ts';
import { type Credential, lifetime, requestCredential, saveCredential } from './join.ts';
import type { Credentials, Log, Running } from './types.ts';

/** A server that is away may come back at any time; one that refuses waits for a person. */
const RETRY_MS = 5000;
const REFUSED_MS = 30_000;
const MAX_WAIT_MS = 12 * 3600 * 1000;
const UNAUTHORIZED = 401;

export interface TokenKeeperOptions {
  server: string;
  ca: string | undefined;
  nodeName: string;
  /** The one to begin with. */
  credential: Credential;
  /** Where it is kept. */
  file: string;
  /** A bootstrap token to join anew with; asked each time, for somebody may have given another. */
  bootstrapToken(): string | undefined;
  log: Log;
  /** In ms; for tests. */
  retryMs?: { away: number; refused: number };
}

/** Somebody has to do something about it. */
class Refused extends Error {}

export class TokenKeeper implements Credentials, Running {
  readonly #options: TokenKeeperOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #subscribers = new Set<(credential: Credential) => void>();
  #credential: Credential;
  /** The server has believed it. What is refused later was taken from us, and is not got back with an old bootstrap token. */
  #believed = false;
  #hurry = new AbortController();
  /** Another is wanted though this one is good. */
  #wanted = false;

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
    this.#credential = options.credential;
    this.#done = this.#keep();
  }

  /** The token in use. */
  readonly current = (): string => this.#credential.token;

  credential(): Credential {
    return this.#credential;
  }

  renew(): void {
    this.#wanted = true;
    this.#hurry.abort();
  }

  subscribe(subscriber: (credential: Credential) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** The status of an answer to who has shown the credential: one that is refused is looked after now, not when it is due. */
  readonly answered = (status: number): void => {
    if (status === UNAUTHORIZED) this.#hurry.abort();
    else this.#believed = true;
  };

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #keep(): Promise<void> {
    const { log, retryMs = { away: RETRY_MS, refused: REFUSED_MS } } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#hurry = new AbortController();
      if (!this.#wanted) await this.#wait(AbortSignal.any([signal, this.#hurry.signal]));
      if (signal.aborted) return;
      const wanted = this.#wanted;
      this.#wanted = false;
      try {
        await this.#renew();
        await delay(retryMs.away, signal);
      } catch (error) {
        this.#wanted ||= wanted;
        if (error instanceof Refused) log.error(error.message);
        else log.warn('the node credential could not be renewed, trying again', { error });
        await delay(error instanceof Refused ? retryMs.refused : retryMs.away, signal);
      }
    }
  }

  /** Until two thirds of the credential's life are over. */
  async #wait(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const life = lifetime(this.current());
      const due =
        life === undefined ? Number.POSITIVE_INFINITY : life.issuedAt + ((life.expiresAt - life.issuedAt) * 2) / 3;
      const left = due - Date.now();
      if (left <= 0) return;
      await delay(Math.min(left, MAX_WAIT_MS), signal);
    }
  }

  async #renew(): Promise<void> {
    const { bootstrapToken } = this.#options;
    const { expiresAt = Number.POSITIVE_INFINITY } = lifetime(this.current()) ?? {};
    const hasEnded = expiresAt <= Date.now();
    if (!hasEnded && (await this.#trade(this.current()))) return;
    if (!hasEnded && this.#believed) {
      throw new Refused(
        'the cluster takes this node’s credential no more: it was removed. To join again, start the agent with a new bootstrap token',
      );
    }
    const bootstrap = bootstrapToken();
    if (bootstrap !== undefined && (await this.#trade(bootstrap))) return;
    const why = hasEnded
      ? `ended on ${new Date(expiresAt).toISOString()}, while it did not run`
      : 'is not, or no more, of this cluster';
    const what = bootstrap === undefined ? 'there is no bootstrap token' : 'the bootstrap token is no good any more';
    throw new Refused(
      `this node’s credential ${why}, and ${what}: make one with 'zeroplane token create', and give it with --bootstrap-token or in the file bootstrap-token of the data folder`,
    );
  }

  /** Whether the server gave a credential for the bearer's. Throws where it gave no answer. */
  async #trade(bearer: string): Promise<boolean> {
    const { server, ca, nodeName, file, log } = this.#options;
    try {
      const credential = await requestCredential(server, ca, bearer, nodeName);
      this.#credential = credential;
      this.#believed = true;
      saveCredential(file, credential);
      for (const subscriber of this.#subscribers) subscriber(credential);
      log.info('renewed the node credential');
      return true;
    } catch (error) {
      if (isReason(error, 'Unauthorized')) return false;
      throw error;
    }
  }
}
