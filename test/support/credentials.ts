/** What a node is given, as a test says it. */
import type { Credential } from '../../agent/join.ts';
import type { Credentials } from '../../agent/types.ts';

export class GivenCredentials implements Credentials {
  /** How often another was asked for. */
  renewals = 0;
  #given: Credential;
  #subscribers = new Set<(credential: Credential) => void>();

  constructor(given: Partial<Credential> = {}) {
    this.#given = { token: '', ...given };
  }

  credential(): Credential {
    return this.#given;
  }

  renew(): void {
    this.renewals++;
  }

  subscribe(subscriber: (credential: Credential) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  give(given: Partial<Credential>): void {
    this.#given = { ...this.#given, ...given };
    for (const subscriber of this.#subscribers) subscriber(this.#given);
  }
}
