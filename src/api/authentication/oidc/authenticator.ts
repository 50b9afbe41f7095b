/** One issuer's tokens: verified, and made into a user (upstream's `oidc` token authenticator). */
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { JsonObject } from '../../../apimachinery/meta.ts';
import type { User } from '../user.ts';
import type { Issuer } from './configuration.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { mapped } from './mapping.ts';
import type { Mapping } from './validate.ts';

/** Those of keys that have two halves: what is signed with a shared secret could be signed with what everybody knows. */
const ALGORITHMS = ['RS', 'ES', 'PS'].flatMap((family) => ['256', '384', '512'].map((size) => family + size));
/** Clocks differ: so much earlier than it says a token is taken, in seconds. */
const LEEWAY = 60;
const WELL_KNOWN = '/.well-known/openid-configuration';
const ACCESS = /^https:\/\/[a-z0-9-]+\.cloudflareaccess\.com$/;

/** Whether an issuer is a team of Cloudflare Access, which puts its tokens into a header of its own. */
export const isAccess = (issuer: string): boolean => ACCESS.test(issuer);

export class JwtAuthenticator {
  readonly issuer: string;
  /** As its tokens may name it. */
  readonly names: readonly string[];
  private readonly audiences: readonly string[];
  private readonly mapping: Mapping;
  private readonly keys: IssuerKeys;

  /** `issuer` as it was validated. */
  constructor({ url = '', discoveryURL, audiences = [] }: Issuer, mapping: Mapping, fetching?: typeof fetch) {
    this.issuer = url;
    this.names = [url, ...aliases(url)];
    this.audiences = audiences;
    this.mapping = mapping;
    const base = url.replace(/\/$/, '');
    this.keys = new IssuerKeys(
      {
        issuer: url,
        discoveryURL: discoveryURL || base + WELL_KNOWN,
        // Access tells its keys, and nothing else.
        ...(isAccess(url) && !discoveryURL ? { jwksURL: `${base}/cdn-cgi/access/certs` } : {}),
      },
      fetching,
    );
  }

  /** Who shows a token of this issuer, and until when it is good, in ms. Throws an Error in upstream's words. */
  async authenticate(token: string): Promise<{ user: User; expiresAt: number }> {
    const claims = await this.verified(token).catch((error: Error) => {
      throw error instanceof Refused ? new Error(`oidc: verify token: ${error.message}`) : error;
    });
    return { user: mapped(this.mapping, claims as JsonObject), expiresAt: (claims.exp ?? 0) * 1000 };
  }

  private async verified(token: string): Promise<JWTPayload> {
    // What is wrong on its face must not make the issuer be asked for its keys.
    this.examine(decodeJwt(token));
    const options = { issuer: [...this.names], algorithms: ALGORITHMS, clockTolerance: LEEWAY };
    try {
      return (await jwtVerify(token, this.keys.find, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return this.verifiedByOne(token, error, options);
      throw refused(error);
    }
  }

  /** A token that names no key may be signed with any. */
  private async verifiedByOne(
    token: string,
    keys: errors.JWKSMultipleMatchingKeys,
    options: { issuer: string[]; algorithms: string[]; clockTolerance: number },
  ): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refused(error);
      }
    }
    throw new Refused(SIGNATURE);
  }

  private examine({ aud = [], exp = 0, nbf }: JWTPayload): void {
    const own = [aud].flat();
    if (!this.audiences.some((audience) => own.includes(audience))) {
      const [first] = this.audiences;
      const wanted = this.audiences.length === 1 ? JSON.stringify(first) : `in ${listed([...this.audiences].sort())}`;
      throw new Refused(`oidc: expected audience ${wanted} got ${listed(own)}`);
    }
    const now = Date.now() / 1000;
    if (!(exp > now)) throw new Refused(`oidc: token is expired (Token Expiry: ${goTime(exp)})`);
    if (nbf !== undefined && !(nbf <= now + LEEWAY)) {
      throw new Refused(`oidc: current time ${goTime(now)} before the nbf (not before) time: ${goTime(nbf)}`);
    }
  }
}

/** Google leaves the scheme out of some of its tokens. */
const aliases = (issuer: string): string[] => (issuer === 'https://accounts.google.com' ? ['accounts.google.com'] : []);

/** A token that is not good. */
class Refused extends Error {}

const SIGNATURE = 'failed to verify signature: failed to verify id token signature';

/** What jose finds, as upstream says it; anything else is nothing to tell of a token. */
function refused(error: unknown): unknown {
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return new Refused('oidc: malformed jwt: unexpected signature algorithm');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return new Refused(SIGNATURE);
  }
  return error instanceof errors.JOSEError ? new Refused(`oidc: malformed jwt: ${error.message}`) : error;
}

const listed = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;

/** As Go prints a time in UTC. */
function goTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return String(seconds);
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
