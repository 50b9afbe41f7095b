/**
 * An issuer's public keys: where its discovery document says, kept while they are good. Each issuer is asked by itself and waited for by
 * those alone who show its tokens; one that does not answer is left in peace for a while, and what was known of it goes on being good.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** After so long they are asked for again, in ms. */
const FRESH_MS = 600_000;
/** A key that nobody knows may be new: so often it is looked for. */
const LOOK_AGAIN_MS = 30_000;
const FIRST_BACK_OFF_MS = 1000;
const LAST_BACK_OFF_MS = 60_000;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 1 << 20;

/** Where an issuer's keys are found. */
export interface KeySource {
  /** As tokens name it. */
  issuer: string;
  /** Of its discovery document. */
  discoveryURL: string;
  /** Of its keys, where that is known without asking. */
  jwksURL?: string;
}

/** An issuer that has never told its keys. */
class NotInitialized extends Error {
  constructor() {
    super('oidc: authenticator not initialized');
  }
}

interface Known {
  find: JWTVerifyGetKey;
  at: number;
}

export class IssuerKeys {
  private readonly source: KeySource;
  private readonly fetch: typeof fetch;
  private known: Known | undefined;
  /** Until when somebody's asking may take. */
  private askingUntil = 0;
  private failures = 0;
  private retryAt = 0;

  /** `fetching`: how documents are fetched. */
  constructor(source: KeySource, fetching: typeof fetch = (...request) => fetch(...request)) {
    this.source = source;
    this.fetch = fetching;
  }

  /** The key that a token names. Throws NotInitialized, or an error of jose's for a key that the issuer does not have. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.keys(FRESH_MS);
    try {
      return await known.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const newer = await this.keys(LOOK_AGAIN_MS);
      if (newer === known) throw error;
      return newer.find(header, token);
    }
  };

  /** Keys that are not older than `maxAge`, if they can be had. Promises are not shared: they belong to the request that asks. */
  private async keys(maxAge: number): Promise<Known> {
    const { known } = this;
    const now = Date.now();
    if (known !== undefined && (now - known.at < maxAge || now < this.askingUntil)) return known;
    if (now >= this.retryAt) await this.ask(now);
    if (this.known === undefined) throw new NotInitialized();
    return this.known;
  }

  private async ask(now: number): Promise<void> {
    this.askingUntil = now + TIMEOUT_MS;
    try {
      const find = createLocalJWKSet((await this.json(await this.jwksURL())) as unknown as JSONWebKeySet);
      this.known = { find, at: now };
      this.failures = 0;
    } catch (error) {
      const wait = Math.min(FIRST_BACK_OFF_MS * 2 ** this.failures, LAST_BACK_OFF_MS);
      this.failures++;
      this.retryAt = Date.now() + wait;
      console.error(`oidc authenticator: initializing plugin: ${this.source.issuer}: ${(error as Error).message}`);
    } finally {
      this.askingUntil = 0;
    }
  }

  private async jwksURL(): Promise<string> {
    const { issuer, discoveryURL, jwksURL } = this.source;
    if (jwksURL !== undefined) return jwksURL;
    const { issuer: told, jwks_uri: url } = await this.json(discoveryURL);
    if (told !== issuer) {
      const [expected, got] = [issuer, told].map((text) => JSON.stringify(text));
      throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${expected} got ${got}`);
    }
    if (typeof url !== 'string' || !url.startsWith('https://')) throw new Error('its jwks_uri is no https URL');
    return url;
  }

  private async json(url: string): Promise<Record<string, unknown>> {
    const { fetch } = this;
    const headers = { accept: 'application/json' };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${url} answers ${response.status}`);
    }
    const value: unknown = JSON.parse(await limited(response));
    if (typeof value !== 'object' || value === null) throw new Error(`${url} answers with no object`);
    return value as Record<string, unknown>;
  }
}

/** A body's text. Throws for one that is larger than such documents are. */
async function limited(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`${response.url} answers with more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
