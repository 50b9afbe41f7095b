/** Signing of the cluster's own tokens. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { now } from '../../apimachinery/meta.ts';
import type { Credential, LegacyRequest, MintRequest, PublicKey } from '../../durable-objects/cluster-rpc.ts';
import { API_AUDIENCE, LEGACY_ISSUER, SIGNING_ALGORITHM } from './tokens.ts';

/** A private key as JWK, with the id that tokens name it by. */
export interface SigningKey {
  kid: string;
  jwk: JWK;
}

/** A new key. Its id is the thumbprint of its public half. */
export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(jwk), jwk };
}

/** The half of a key that may be shown. */
export function publicKey({ kid, jwk }: SigningKey): PublicKey {
  const { kty = '', crv, x, y } = jwk;
  return { kid, kty, crv, x, y, alg: SIGNING_ALGORITHM, use: 'sig' };
}

/** A signed token for an identity. */
export async function sign(key: SigningKey, issuer: string, request: MintRequest): Promise<Credential> {
  const issuedAt = Math.floor(Date.now() / 1000);
  const token = await new SignJWT(claimsOf(request, issuedAt))
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid })
    .setIssuer(issuer)
    .setSubject(request.user)
    .setAudience(request.audiences ?? [API_AUDIENCE])
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + tokenSeconds(request))
    .setJti(crypto.randomUUID())
    .sign(await importJWK(key.jwk, SIGNING_ALGORITHM));
  // Who has asked for the hour is told of the hour.
  const expirationTimestamp = now((issuedAt + request.ttlSeconds) * 1000);
  return { token, expirationTimestamp };
}

/** How long the token of a request lives, in seconds. */
export const tokenSeconds = (request: MintRequest): number =>
  extended(request) ? EXTENDED_SECONDS : request.ttlSeconds;

/** What admission asks for on behalf of every pod. */
const POD_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

/**
 * Clients that read their token once and for all still work after the hour (upstream's `--service-account-extend-token-expiration`):
 * the token of a pod lasts a year, and dies with the pod before.
 */
function extended({ ttlSeconds, audiences, serviceAccount }: MintRequest): boolean {
  const forUs = audiences === undefined || audiences.every((audience) => audience === API_AUDIENCE);
  return ttlSeconds === POD_SECONDS && forUs && serviceAccount?.pod !== undefined;
}

/** A token for a Secret to hold: without an end, and good only while the Secret holds it. */
export async function signLegacy(key: SigningKey, { namespace, account, uid, secret }: LegacyRequest): Promise<string> {
  const claims = {
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secret,
    'kubernetes.io/serviceaccount/service-account.name': account,
    'kubernetes.io/serviceaccount/service-account.uid': uid,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid })
    .setIssuer(LEGACY_ISSUER)
    .setSubject(`system:serviceaccount:${namespace}:${account}`)
    .sign(await importJWK(key.jwk, SIGNING_ALGORITHM));
}

function claimsOf(request: MintRequest, issuedAt: number): Record<string, unknown> {
  const { groups, uid, serviceAccount, ttlSeconds } = request;
  if (serviceAccount === undefined) return { groups, ...(uid === undefined ? {} : { uid }) };
  const { namespace, name, uid: accountUid, pod, node, secret } = serviceAccount;
  return {
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid: accountUid },
      ...(pod === undefined ? {} : { pod }),
      ...(node === undefined ? {} : { node }),
      ...(secret === undefined ? {} : { secret }),
      ...(extended(request) ? { warnafter: issuedAt + ttlSeconds } : {}),
    },
  };
}
