/** From a request to an identity: a bearer token's, or nobody's (`system:anonymous`). */
import { unauthorized } from '../../apimachinery/errors.ts';
import type { Snapshot } from '../snapshot.ts';
import { BoundObjects, type Lookup } from './bound-objects.ts';
import type { ExternalIdentities } from './oidc/index.ts';
import { API_AUDIENCE, type Identified, InvalidToken, identify } from './tokens.ts';
import { ANONYMOUS, type User } from './user.ts';

const MAX_KNOWN = 5000;

/** Where the request is to be judged. */
export interface Place {
  cluster: string;
  path: string;
  snapshot: Snapshot;
  /** Where others' tokens are believed. */
  external?: ExternalIdentities | undefined;
  lookup: Lookup;
}

/** Authenticates bearer tokens; a verified one is remembered until it expires or the keys change. */
export class Authenticator {
  /** What tokens are bound to. */
  readonly bound = new BoundObjects();
  private readonly known = new Map<string, Identified>();

  /** The user of a request. Throws Unauthorized for a token that is expired, forged, another cluster's, or bound to what has gone. */
  authenticate(request: Request, place: Place): User | Promise<User> {
    const token = bearerToken(request) ?? place.external?.assertion(request);
    if (token === undefined) {
      if (place.external?.allowsAnonymous(place.path) === false) throw unauthorized();
      return ANONYMOUS;
    }
    const key = `${place.snapshot.trust} ${token}`;
    const known = this.known.get(key);
    if (known === undefined || known.expiresAt <= Date.now()) return this.verify(key, token, place);
    const problem = this.bound.problem(place.cluster, known.bound, place.lookup);
    if (problem instanceof Promise) return problem.then((why) => living(known, why));
    return living(known, problem);
  }

  /** The identity of a token, for reviews: told with its reason when it is not believed. Throws InvalidToken. */
  async review(token: string, audiences: readonly string[], place: Place): Promise<Identified> {
    const identified = await identify(token, place, audiences);
    const problem = await this.bound.problem(place.cluster, identified.bound, place.lookup);
    if (problem !== undefined) throw new InvalidToken(problem);
    return identified;
  }

  private async verify(key: string, token: string, place: Place): Promise<User> {
    try {
      const identified = await this.review(token, [API_AUDIENCE], place);
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      this.known.set(key, identified);
      return identified.user;
    } catch (error) {
      if (error instanceof InvalidToken) throw unauthorized();
      throw error;
    }
  }
}

function living({ user }: Identified, problem: string | undefined): User {
  if (problem !== undefined) throw unauthorized();
  return user;
}

/** The token of an Authorization header, or of the WebSocket subprotocol that browsers use for it. */
export function bearerToken(request: Request): string | undefined {
  const header = request.headers.get('authorization');
  // A header that holds no bearer token is as none.
  const [scheme = '', token = ''] = (header ?? '').trim().split(' ', 2);
  if (scheme.toLowerCase() === 'bearer' && token !== '') return token;
  const protocols = request.headers.get('sec-websocket-protocol');
  const encoded = protocols === null ? null : /base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(protocols);
  return encoded === null ? undefined : fromBase64Url(encoded[1] as string);
}

function fromBase64Url(text: string): string {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    throw unauthorized();
  }
}
