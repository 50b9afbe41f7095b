/** Tokens: who is let in under which name, and when no longer. */
import { describe, expect, it, vi } from 'vitest';
import { Authenticator, bearerToken, type Place } from '../../src/api/authentication/authenticate.ts';
import {
  createSigningKey,
  publicKey,
  type SigningKey,
  sign,
  signLegacy,
} from '../../src/api/authentication/signing.ts';
import { API_AUDIENCE } from '../../src/api/authentication/tokens.ts';
import { compile, type Snapshot } from '../../src/api/snapshot.ts';
import { bootstrapTokenSecret } from '../../src/apimachinery/bootstrap-token.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { MintRequest } from '../../src/durable-objects/cluster-rpc.ts';
import { NO_FACTS } from '../support/no-facts.ts';

const ISSUER = 'https://cluster.example/1';
const ALICE: MintRequest = { user: 'alice', groups: ['ops'], ttlSeconds: 60 };
const own = await createSigningKey();
const other = await createSigningKey();

const snapshotOf = (key: SigningKey, issuer = ISSUER, version = 1): Snapshot =>
  compile({ version, issuer, keys: [publicKey(key)], ...NO_FACTS });

const request = (token: string): Request =>
  new Request('https://api/', { headers: { authorization: `Bearer ${token}` } });

/** What the stores hold, by store and key. */
const held = new Map<string, object>();
const at = (snapshot: Snapshot): Place => ({
  cluster: 'c',
  path: '/',
  snapshot,
  lookup: async (id, key) => {
    const object = held.get(`${id} ${key}`);
    return object === undefined ? null : JSON.stringify(object);
  },
});
const hold = (id: string, key: string, uid: string, more: object = {}, metadata: object = {}): void => {
  const name = key.slice(key.indexOf('/') + 1);
  held.set(`${id} ${key}`, { metadata: { name, uid, ...metadata }, ...more });
};

async function userOf(authenticator: Authenticator, token: string, snapshot = snapshotOf(own)): Promise<string> {
  try {
    return (await authenticator.authenticate(request(token), at(snapshot))).name;
  } catch (error) {
    if (error instanceof StatusError) return `${error.status.code} ${error.status.message}`;
    throw error;
  }
}

const REFUSED = '401 Unauthorized';

describe('the Authorization header', () => {
  it.each([
    ['Bearer t', 't'],
    ['bearer t and more', 't'],
    ['Bearer ', undefined],
    ['Bearer  t', undefined],
    ['Basic dDp0', undefined],
  ])('%s', (authorization, token) => {
    expect(bearerToken(new Request('https://api/', { headers: { authorization } }))).toBe(token);
  });
});

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
    hold('core/serviceaccounts', 'ns/sa', 'u');
    hold('core/pods', 'ns/p', 'pu');
    const { token } = await sign(own, ISSUER, {
      ...ALICE,
      user: 'system:serviceaccount:ns:sa',
      groups: [],
      serviceAccount,
    });
    expect(await new Authenticator().authenticate(request(token), at(snapshotOf(own)))).toEqual({
      name: 'system:serviceaccount:ns:sa',
      uid: 'u',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[0-9a-f-]{36}$/)],
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['pu'],
      },
    });
  });

  it('that is none at all is anonymous', async () => {
    const user = await new Authenticator().authenticate(new Request('https://api/'), at(snapshotOf(own)));
    expect(user).toMatchObject({ name: 'system:anonymous', groups: ['system:unauthenticated'] });
  });
});

describe('a token dies', () => {
  const SA = { namespace: 'ns', name: 'sa', uid: 'u' };
  const mint = (bound: object): Promise<{ token: string }> =>
    sign(own, ISSUER, {
      user: 'system:serviceaccount:ns:sa',
      groups: [],
      ttlSeconds: 3600,
      serviceAccount: { ...SA, ...bound },
    });
  const later = <T>(ms: number, run: () => Promise<T>): Promise<T> => {
    vi.useFakeTimers({ now: Date.now() + ms, toFake: ['Date'] });
    return run().finally(() => vi.useRealTimers());
  };
  const past = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

  it.each<[string, object, () => void, string]>([
    ['with its account', {}, () => held.delete('core/serviceaccounts ns/sa'), REFUSED],
    ['when its account is another', {}, () => hold('core/serviceaccounts', 'ns/sa', 'other'), REFUSED],
    ['with its pod', { pod: { name: 'p', uid: 'pu' } }, () => held.delete('core/pods ns/p'), REFUSED],
    ['when its pod is another', { pod: { name: 'p', uid: 'pu' } }, () => hold('core/pods', 'ns/p', 'x'), REFUSED],
    ['with its secret', { secret: { name: 's', uid: 'su' } }, () => held.delete('core/secrets ns/s'), REFUSED],
    ['with its node', { node: { name: 'n', uid: 'nu' } }, () => held.delete('core/nodes n'), REFUSED],
    [
      'a minute after its pod should have gone',
      { pod: { name: 'p', uid: 'pu' } },
      () => hold('core/pods', 'ns/p', 'pu', {}, { deletionTimestamp: past(90) }),
      REFUSED,
    ],
    [
      'not while its pod finishes',
      { pod: { name: 'p', uid: 'pu' } },
      () => hold('core/pods', 'ns/p', 'pu', {}, { deletionTimestamp: past(5) }),
      'system:serviceaccount:ns:sa',
    ],
    [
      'not with the node of its pod',
      { pod: { name: 'p', uid: 'pu' }, node: { name: 'n', uid: 'nu' } },
      () => held.delete('core/nodes n'),
      'system:serviceaccount:ns:sa',
    ],
  ])('%s', async (_, bound, change, user) => {
    hold('core/serviceaccounts', 'ns/sa', 'u');
    hold('core/pods', 'ns/p', 'pu');
    hold('core/secrets', 'ns/s', 'su');
    hold('core/nodes', 'n', 'nu');
    const authenticator = new Authenticator();
    const { token } = await mint(bound);
    expect(await userOf(authenticator, token)).toBe('system:serviceaccount:ns:sa');
    change();
    // Others may take a second to hear of it; whoever has made the change does not.
    expect(await later(1001, () => userOf(authenticator, token))).toBe(user);
    for (const id of ['serviceaccounts', 'pods', 'secrets', 'nodes'])
      authenticator.bound.forget('c', `core/${id}`, undefined);
    expect(await userOf(authenticator, token)).toBe(user);
  });

  it('when its Secret holds another', async () => {
    hold('core/serviceaccounts', 'ns/sa', 'u');
    const token = await signLegacy(own, { namespace: 'ns', account: 'sa', uid: 'u', secret: 's' });
    hold('core/secrets', 'ns/s', 'su', { data: { token: btoa(token) } });
    const authenticator = new Authenticator();
    expect(await userOf(authenticator, token)).toBe('system:serviceaccount:ns:sa');
    expect(await userOf(new Authenticator(), token, snapshotOf(other))).toBe(REFUSED);
    hold('core/secrets', 'ns/s', 'su', { data: { token: btoa('another') } });
    expect(await later(1001, () => userOf(authenticator, token))).toBe(REFUSED);
  });
});

describe('a bootstrap token', () => {
  const TOKEN = 'abcdef.0123456789abcdef';
  const secret = (change: Record<string, string> = {}, type = 'bootstrap.kubernetes.io/token') => {
    const made = bootstrapTokenSecret(TOKEN, { expiration: new Date(Date.now() + 60_000).toISOString() });
    const more = Object.fromEntries(Object.entries(change).map(([key, value]) => [key, btoa(value)]));
    return { ...made, type, data: { ...made.data, ...more } };
  };
  it.each<[string, object | undefined, string]>([
    ['is one of the bootstrappers', secret(), 'system:bootstrap:abcdef'],
    ['that nobody has made', undefined, REFUSED],
    ['with another secret', secret({ 'token-secret': '0123456789abcdee' }), REFUSED],
    ['that is over', secret({ expiration: '2020-01-01T00:00:00Z' }), REFUSED],
    ['for other uses', secret({ 'usage-bootstrap-authentication': 'false' }), REFUSED],
    ['of groups that it may not name', secret({ 'auth-extra-groups': 'system:masters' }), REFUSED],
    ['in another kind of Secret', secret({}, 'Opaque'), REFUSED],
  ])('%s', async (_, object, user) => {
    const key = 'core/secrets kube-system/bootstrap-token-abcdef';
    if (object === undefined) held.delete(key);
    else held.set(key, object);
    expect(await userOf(new Authenticator(), TOKEN)).toBe(user);
  });
});
