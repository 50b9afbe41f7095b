/** From a request to an identity: a signed token, or nobody (`system:anonymous`). */
import { errors, jwtVerify } from 'jose';
import { unauthorized } from '../../apimachinery/errors.ts';
import type { Snapshot } from '../snapshot.ts';
import { ANONYMOUS, AUTHENTICATED, type User } from './user.ts';

export const API_AUDIENCE = 'https://kubernetes.default.svc';
export const SIGNING_ALGORITHM = 'ES256';

/** Claims of our own tokens beside the registered ones. */
interface Claims {
  sub?: string;
  exp?: number;
  groups?: unknown;
  uid?: unknown;
  extra?: unknown;
  'kubernetes.io'?: {
    namespace?: string;
    serviceaccount?: { name?: string; uid?: string };
    pod?: { name?: string; uid?: string };
    node?: { name?: string; uid?: string };
  };
}

interface Known {
  user: User;
  expiresAt: number;
  version: number;
}

const MAX_KNOWN = 5000;

/** Authenticates bearer tokens; a verified one is remembered until it expires or the keys change. */
export class Authenticator {
  private readonly known = new Map<string, Known>();

  /** The user of a request. Throws Unauthorized for a token that is expired, forged or another cluster's. */
  authenticate(request: Request, snapshot: Snapshot): User | Promise<User> {
    const token = bearerToken(request);
    if (token === undefined) return ANONYMOUS;
    const key = `${snapshot.issuer} ${token}`;
    const known = this.known.get(key);
    if (known !== undefined && known.version === snapshot.version && known.expiresAt > Date.now()) return known.user;
    return this.verify(key, token, snapshot);
  }

  private async verify(key: string, token: string, snapshot: Snapshot): Promise<User> {
    const claims = await verifyToken(token, snapshot, [API_AUDIENCE]);
    const user = userOf(claims);
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(key, { user, expiresAt: (claims.exp ?? 0) * 1000, version: snapshot.version });
    return user;
  }
}

/** The token of an Authorization header, or of the WebSocket subprotocol that browsers use for it. */
export function bearerToken(request: Request): string | undefined {
  const header = request.headers.get('authorization');
  if (header !== null) {
    const match = /^bearer +(\S+)$/i.exec(header.trim());
    if (match === null) throw unauthorized();
    return match[1];
  }
  const protocols = request.headers.get('sec-websocket-protocol');
  const encoded = protocols === null ? null : /base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(protocols);
  return encoded === null ? undefined : atob((encoded[1] as string).replaceAll('-', '+').replaceAll('_', '/'));
}

/** Verifies signature, issuer, audience and expiry. Throws Unauthorized, never saying why. */
export async function verifyToken(token: string, snapshot: Snapshot, audience: string[]): Promise<Claims> {
  try {
    const options = {
      issuer: snapshot.issuer,
      audience,
      algorithms: [SIGNING_ALGORITHM],
      requiredClaims: ['exp', 'sub'],
    };
    return (await jwtVerify(token, snapshot.keySet, options)).payload as Claims;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw unauthorized();
    throw error;
  }
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : [];

/** The identity that verified claims stand for. */
export function userOf(claims: Claims): User {
  const bound = claims['kubernetes.io'];
  if (bound?.serviceaccount?.name !== undefined && bound.namespace !== undefined) {
    return {
      name: `system:serviceaccount:${bound.namespace}:${bound.serviceaccount.name}`,
      uid: bound.serviceaccount.uid ?? '',
      groups: ['system:serviceaccounts', `system:serviceaccounts:${bound.namespace}`, AUTHENTICATED],
      extra: boundExtra(bound),
    };
  }
  return {
    name: claims.sub ?? '',
    uid: typeof claims.uid === 'string' ? claims.uid : '',
    groups: [...strings(claims.groups), AUTHENTICATED],
    extra: {},
  };
}

function boundExtra(bound: NonNullable<Claims['kubernetes.io']>): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) extra[`authentication.kubernetes.io/${name}`] = [value];
  };
  add('pod-name', bound.pod?.name);
  add('pod-uid', bound.pod?.uid);
  add('node-name', bound.node?.name);
  add('node-uid', bound.node?.uid);
  return extra;
}
