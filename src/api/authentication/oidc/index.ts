/** Identities of others: who is let in by a token that the cluster has not made, and who without any. */
import { decodeJwt } from 'jose';
import { toMessage } from '../../../apimachinery/field.ts';
import type { User } from '../user.ts';
import { isAccess, JwtAuthenticator } from './authenticator.ts';
import { readConfiguration } from './configuration.ts';
import { validate } from './validate.ts';

const ACCESS_HEADER = 'cf-access-jwt-assertion';

/** What a deployment is configured with, or what is wrong with that. */
export type External = ExternalIdentities | { problem: string };

/** Reads what a deployment is configured with; undefined where it is with nothing. */
export function externalIdentities(text = ''): External | undefined {
  if (text.trim() === '') return undefined;
  try {
    return ExternalIdentities.read(text);
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

export class ExternalIdentities {
  private readonly byIssuer: ReadonlyMap<string, JwtAuthenticator>;
  /** Whether Cloudflare Access stands before the API. */
  private readonly hasAccess: boolean;
  /** Paths that nobody may ask for without a name; undefined: all of them. */
  private readonly anonymousPaths: ReadonlySet<string> | undefined;

  private constructor(authenticators: readonly JwtAuthenticator[], anonymousPaths: ReadonlySet<string> | undefined) {
    this.byIssuer = new Map(authenticators.flatMap((one) => one.names.map((name) => [name, one])));
    this.hasAccess = authenticators.some(({ issuer }) => isAccess(issuer));
    this.anonymousPaths = anonymousPaths;
  }

  /** What an AuthenticationConfiguration says. Throws an Error with everything that is wrong with it. */
  static read(text: string, fetching?: typeof fetch): ExternalIdentities {
    const configuration = readConfiguration(text);
    const { errors, mappings } = validate(configuration);
    if (errors.length > 0) throw new Error(errors.map(toMessage).join(', '));
    const { jwt = [], anonymous } = configuration;
    const authenticators = mappings.map((mapping, i) => new JwtAuthenticator(jwt[i]?.issuer ?? {}, mapping, fetching));
    const { enabled = false, conditions = [] } = anonymous ?? { enabled: true };
    const isOpen = enabled && conditions.length === 0;
    return new ExternalIdentities(
      authenticators,
      isOpen ? undefined : new Set(conditions.map(({ path = '' }) => path)),
    );
  }

  /** Who shows a token of this issuer; undefined where the issuer is none of these. Throws an Error for one that is not to be believed. */
  authenticate(issuer: string, token: string): Promise<{ user: User; expiresAt: number }> | undefined {
    return this.byIssuer.get(issuer)?.authenticate(token);
  }

  /** Whether who shows nothing may ask for a path. */
  allowsAnonymous(path: string): boolean {
    return this.anonymousPaths === undefined || this.anonymousPaths.has(path);
  }

  /**
   * The token that Cloudflare Access has put beside a request. A browser sends it for whatever page asks: a request of another site's is
   * not the person's own, and has none.
   */
  assertion(request: Request): string | undefined {
    if (!this.hasAccess) return undefined;
    const token = request.headers.get(ACCESS_HEADER) ?? '';
    if (token === '' || !isOfAccess(token)) return undefined;
    const origin = request.headers.get('origin');
    return origin === null || origin === new URL(request.url).origin ? token : undefined;
  }
}

function isOfAccess(token: string): boolean {
  try {
    return isAccess(decodeJwt(token).iss ?? '');
  } catch {
    return false;
  }
}
