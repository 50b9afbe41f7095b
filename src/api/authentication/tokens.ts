/** From a bearer token to an identity: our signed tokens, those kept in Secrets, bootstrap tokens, and those of other issuers. */
import { decodeJwt, errors, jwtVerify } from 'jose';
import { BOOTSTRAP_TOKEN } from '../../apimachinery/bootstrap-token.ts';
import type { Secret } from '../../generated/types/core.v1.ts';
import { decodeText } from '../registry/encode.ts';
import type { Snapshot } from '../snapshot.ts';
import { bootstrapUser } from './bootstrap-token.ts';
import type { BoundObject, Lookup } from './bound-objects.ts';
import { accountUser, type Claims, userOf } from './claims.ts';
import type { ExternalIdentities } from './oidc/index.ts';
import type { User } from './user.ts';

export const API_AUDIENCE = 'https://kubernetes.default.svc';
export const SIGNING_ALGORITHM = 'ES256';
/** Who has signed the tokens that Secrets hold. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

const INVALIDATED = 'service account token has been invalidated';

/** A token is not believed. The message is for TokenReviews; who shows the token is told nothing. */
export class InvalidToken extends Error {}

/** What a good token says. */
export interface Identified {
  user: User;
  /** Those of the token that were asked for. */
  audiences: string[];
  /** In ms since the epoch. */
  expiresAt: number;
  bound: readonly BoundObject[];
}

/** By what a token is judged. */
interface Where {
  snapshot: Snapshot;
  lookup: Lookup;
  external?: ExternalIdentities | undefined;
}

/** Verifies a token; whether what it is bound to is there still is for the caller to ask. Throws InvalidToken. */
export async function identify(
  token: string,
  { snapshot, lookup, external }: Where,
  audiences: readonly string[],
): Promise<Identified> {
  if (BOOTSTRAP_TOKEN.test(token)) return fromBootstrap(token, audiences, lookup);
  const issuer = issuerOf(token);
  if (issuer === LEGACY_ISSUER) return fromSecret(token, snapshot, audiences, lookup);
  if (external !== undefined && issuer !== undefined && issuer !== snapshot.issuer) {
    const found = external.authenticate(issuer, token);
    if (found !== undefined) return fromIssuer(found, audiences);
  }
  const claims = await verified(token, snapshot, snapshot.issuer, ['exp', 'sub']);
  const removedAt = snapshot.removed.get(claims.sub ?? '');
  if (removedAt !== undefined && !((claims.iat ?? 0) > removedAt)) throw new InvalidToken('the node was removed');
  const own = [claims.aud ?? []].flat();
  return { user: userOf(claims), audiences: common(own, audiences), expiresAt: expiry(claims), bound: boundTo(claims) };
}

const expiry = ({ exp }: Claims): number => (exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000);

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new InvalidToken('invalid bearer token');
    throw error;
  }
}

async function verified(token: string, snapshot: Snapshot, issuer: string, requiredClaims: string[]): Promise<Claims> {
  try {
    const options = { issuer, algorithms: [SIGNING_ALGORITHM], requiredClaims };
    return (await jwtVerify(token, snapshot.keySet, options)).payload as Claims;
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new InvalidToken('[invalid bearer token, service account token has expired]');
    }
    if (error instanceof errors.JOSEError) throw new InvalidToken('invalid bearer token');
    throw error;
  }
}

/** The audiences that both sides name. Throws where there is none. */
function common(own: readonly string[], wanted: readonly string[]): string[] {
  const both = wanted.filter((audience) => own.includes(audience));
  if (both.length > 0) return both;
  const list = (audiences: readonly string[]): string => `[${audiences.map((a) => JSON.stringify(a)).join(' ')}]`;
  const why = `token audiences ${list(own)} is invalid for the target audiences ${list(wanted)}`;
  throw new InvalidToken(`[invalid bearer token, ${why}]`);
}

/** What a token of a ServiceAccount dies with: the account, and the Pod or else the Secret or Node that it was made for. */
function boundTo({ 'kubernetes.io': bound }: Claims): BoundObject[] {
  const { namespace, serviceaccount, pod, secret, node } = bound ?? {};
  if (namespace === undefined || serviceaccount?.name === undefined) return [];
  const invalid = `[invalid bearer token, ${INVALIDATED}]`;
  const missing = `[invalid bearer token, serviceaccounts ${JSON.stringify(serviceaccount.name)} not found]`;
  const object = (id: string, key: string, uid = '', gone = invalid): BoundObject => ({ id, key, uid, gone });
  const objects = [object('core/serviceaccounts', `${namespace}/${serviceaccount.name}`, serviceaccount.uid, missing)];
  if (pod?.name !== undefined) objects.push(object('core/pods', `${namespace}/${pod.name}`, pod.uid));
  else if (node?.name !== undefined) objects.push(object('core/nodes', node.name, node.uid));
  if (secret?.name !== undefined) objects.push(object('core/secrets', `${namespace}/${secret.name}`, secret.uid));
  return objects;
}

/** A token that a Secret holds is good as long as the Secret holds it. */
async function fromSecret(
  token: string,
  snapshot: Snapshot,
  audiences: readonly string[],
  lookup: Lookup,
): Promise<Identified> {
  const claims = await verified(token, snapshot, LEGACY_ISSUER, ['sub']);
  const prefix = 'kubernetes.io/serviceaccount/';
  const namespace = claims[`${prefix}namespace`] ?? '';
  const account = claims[`${prefix}service-account.name`] ?? '';
  const uid = claims[`${prefix}service-account.uid`] ?? '';
  const key = `${namespace}/${claims[`${prefix}secret.name`] ?? ''}`;
  const gone = `[invalid bearer token, ${INVALIDATED}]`;
  const text = await lookup('core/secrets', key);
  const secret = text === null ? undefined : decodeText<Secret>(text);
  if (secret?.data?.['token'] !== btoa(token) || secret.metadata.deletionTimestamp !== undefined) {
    throw new InvalidToken(gone);
  }
  const bound: BoundObject[] = [
    { id: 'core/serviceaccounts', key: `${namespace}/${account}`, uid, gone },
    { id: 'core/secrets', key, uid: secret.metadata.uid ?? '', gone },
  ];
  const user = accountUser(namespace, account, uid);
  return { user, audiences: common([API_AUDIENCE], audiences), expiresAt: Date.now() + LOOK_AGAIN, bound };
}

/** What stands in a Secret may be changed without its uid being so: looked at again after so long, in ms. */
const LOOK_AGAIN = 1000;

/** What others' tokens say is looked at again after so long, in ms, as upstream's cache of tokens has it: their keys may change. */
const BELIEVED_MS = 10_000;

async function fromIssuer(
  pending: Promise<{ user: User; expiresAt: number }>,
  audiences: readonly string[],
): Promise<Identified> {
  const { user, expiresAt } = await pending.catch((error: Error) => {
    throw new InvalidToken(`[invalid bearer token, ${error.message}]`);
  });
  const until = Math.min(expiresAt, Date.now() + BELIEVED_MS);
  return { user, audiences: common([API_AUDIENCE], audiences), expiresAt: until, bound: [] };
}

async function fromBootstrap(token: string, audiences: readonly string[], lookup: Lookup): Promise<Identified> {
  const id = token.slice(0, token.indexOf('.'));
  const text = await lookup('core/secrets', `kube-system/bootstrap-token-${id}`);
  const user = text === null ? undefined : bootstrapUser(decodeText<Secret>(text), token, Date.now());
  if (user === undefined) throw new InvalidToken('invalid bearer token');
  return { user, audiences: common([API_AUDIENCE], audiences), expiresAt: Date.now() + LOOK_AGAIN, bound: [] };
}
