/** Tokens: who is let in under which name, and when no longer. */
import { describe, expect, it, vi } from 'vitest';
import { API_AUDIENCE, Authenticator } from '../../src/api/authentication/authenticate.ts';
import { createSigningKey, publicKey, type SigningKey, sign } from '../../src/api/authentication/signing.ts';
import { compile, type Snapshot } from '../../src/api/snapshot.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { MintRequest } from '../../src/durable-objects/cluster-rpc.ts';

const ISSUER = 'https://cluster.example/1';
const ALICE: MintRequest = { user: 'alice', groups: ['ops'], ttlSeconds: 60 };
const own = await createSigningKey();
const other = await createSigningKey();

const snapshotOf = (key: SigningKey, issuer = ISSUER, version = 1): Snapshot =>
  compile({
    version,
    issuer,
    keys: [publicKey(key)],
    namespaces: [],
    roles: [],
    bindings: [],
    quotas: [],
    definitions: [],
  });

const request = (token: string): Request =>
  new Request('https://api/', { headers: { authorization: `Bearer ${token}` } });

async function userOf(authenticator: Authenticator, token: string, snapshot = snapshotOf(own)): Promise<string> {
  try {
    return (await authenticator.authenticate(request(token), snapshot)).name;
  } catch (error) {
    if (error instanceof StatusError) return `${error.status.code} ${error.status.message}`;
    throw error;
  }
}

const REFUSED = '401 Unauthorized';

describe('tokens', () => {
  const tokens: [name: string, key: SigningKey, issuer: string, mint: MintRequest, user: string][] = [
    ['ours', own, ISSUER, ALICE, 'alice'],
    ['ours, expired', own, ISSUER, { ...ALICE, ttlSeconds: -60 }, REFUSED],
    ['ours, just expired', own, ISSUER, { ...ALICE, ttlSeconds: 0 }, REFUSED],
    ['for somebody else to read', own, ISSUER, { ...ALICE, audiences: ['https://elsewhere'] }, REFUSED],
    ['for us among others', own, ISSUER, { ...ALICE, audiences: ['https://elsewhere', API_AUDIENCE] }, 'alice'],
    ['of another cluster with our key', own, 'https://cluster.example/2', ALICE, REFUSED],
    ['of another key', other, ISSUER, ALICE, REFUSED],
    ['of another key under our key’s name', { ...other, kid: own.kid }, ISSUER, ALICE, REFUSED],
  ];

  it.each(tokens)('%s', async (_, key, issuer, mint, user) => {
    const { token } = await sign(key, issuer, mint);
    const authenticator = new Authenticator();
    expect(await userOf(authenticator, token)).toBe(user);
    // Nor is it another answer when the token is known.
    expect(await userOf(authenticator, token)).toBe(user);
  });

  it('is no longer believed when its time is over, though it was', async () => {
    const authenticator = new Authenticator();
    const { token } = await sign(own, ISSUER, ALICE);
    expect(await userOf(authenticator, token)).toBe('alice');
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
    try {
      expect(await userOf(authenticator, token)).toBe(REFUSED);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is no longer believed when the keys have changed', async () => {
    const authenticator = new Authenticator();
    const { token } = await sign(own, ISSUER, ALICE);
    expect(await userOf(authenticator, token)).toBe('alice');
    expect(await userOf(authenticator, token, snapshotOf(other, ISSUER, 2))).toBe(REFUSED);
  });

  it('of a service account carries its groups, and what it is bound to', async () => {
    const serviceAccount = { namespace: 'ns', name: 'sa', uid: 'u', pod: { name: 'p', uid: 'pu' } };
    const { token } = await sign(own, ISSUER, {
      ...ALICE,
      user: 'system:serviceaccount:ns:sa',
      groups: [],
      serviceAccount,
    });
    expect(await new Authenticator().authenticate(request(token), snapshotOf(own))).toEqual({
      name: 'system:serviceaccount:ns:sa',
      uid: 'u',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['pu'],
      },
    });
  });

  it('that is none at all is anonymous', async () => {
    const user = await new Authenticator().authenticate(new Request('https://api/'), snapshotOf(own));
    expect(user).toMatchObject({ name: 'system:anonymous', groups: ['system:unauthenticated'] });
  });
});
