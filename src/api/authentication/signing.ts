/** Signing of the cluster's own tokens. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { Credential, MintRequest, PublicKey } from '../../durable-objects/cluster-rpc.ts';
import { API_AUDIENCE, SIGNING_ALGORITHM } from './authenticate.ts';

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
  const expiresAt = issuedAt + request.ttlSeconds;
  const token = await new SignJWT(claimsOf(request, issuedAt))
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid })
    .setIssuer(issuer)
    .setSubject(request.user)
    .setAudience(request.audiences ?? [API_AUDIENCE])
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(expiresAt)
    .setJti(crypto.randomUUID())
    .sign(await importJWK(key.jwk, SIGNING_ALGORITHM));
  return { token, expirationTimestamp: `${new Date(expiresAt * 1000).toISOString().slice(0, 19)}Z` };
}

function claimsOf({ groups, uid, serviceAccount }: MintRequest, issuedAt: number): Record<string, unknown> {
  if (serviceAccount === undefined) return { groups, ...(uid === undefined ? {} : { uid }) };
  const { namespace, name, uid: accountUid, pod, node, secret } = serviceAccount;
  return {
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid: accountUid },
      ...(pod === undefined ? {} : { pod }),
      ...(node === undefined ? {} : { node }),
      ...(secret === undefined ? {} : { secret }),
      warnafter: issuedAt + 3607,
    },
  };
}
