/** Tokens of other issuers: who is let in, and every way of pretending. */
import { createSecretKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Authenticator, type Place } from '../../src/api/authentication/authenticate.ts';
import { ExternalIdentities } from '../../src/api/authentication/oidc/index.ts';
import { createSigningKey, publicKey, sign } from '../../src/api/authentication/signing.ts';
import { API_AUDIENCE } from '../../src/api/authentication/tokens.ts';
import { compile } from '../../src/api/snapshot.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { NO_FACTS } from '../support/no-facts.ts';
import { type Claims, Documents, type IssuerKey, issuerKey, signed } from '../support/oidc-issuer.ts';

const ISSUER = 'https://issuer.example';
const ACCESS = 'https://team.cloudflareaccess.com';
const keys = await Promise.all(
  ['RS256', 'RS512', 'PS256', 'ES256', 'ES384'].map((alg) => issuerKey(`key-${alg}`, alg)),
);
const [rsa, , , ec] = keys as [IssuerKey, IssuerKey, IssuerKey, IssuerKey];
const stranger = await issuerKey(ec.kid);
const access = await issuerKey('access', 'RS256');
const own = await createSigningKey();
const OWN_ISSUER = 'https://cluster.example/1';

const CONFIG = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: '${ISSUER}', audiences: [cluster, other], audienceMatchPolicy: MatchAny}
  claimMappings:
    username: {claim: sub, prefix: 'oidc:'}
    groups: {claim: groups, prefix: 'oidc:'}
- issuer: {url: '${ACCESS}', audiences: [tag]}
  claimMappings:
    username: {claim: email, prefix: ''}
- issuer: {url: 'https://broken.example', audiences: [cluster]}
  claimMappings:
    username: {claim: sub, prefix: ''}
`;
const CLAIMS = { iss: ISSUER, aud: 'cluster', sub: 'alice', groups: ['ops'] };

let documents: Documents;
let authenticator: Authenticator;
let place: Place;

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  documents = new Documents({
    [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` },
    [`${ISSUER}/keys`]: { keys: keys.map(({ jwk }) => jwk) },
    [`${ACCESS}/cdn-cgi/access/certs`]: { keys: [access.jwk], public_cert: {} },
  });
  authenticator = new Authenticator();
  place = placeWith(CONFIG);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function placeWith(config: string): Place {
  return {
    cluster: 'c',
    path: '/api',
    snapshot: compile({ version: 1, issuer: OWN_ISSUER, keys: [publicKey(own)], ...NO_FACTS }),
    external: ExternalIdentities.read(config, documents.fetch),
    lookup: async () => null,
  };
}

const REFUSED = '401 Unauthorized';

async function user(headers: Record<string, string>, at = place, url = 'https://api/api'): Promise<string> {
  try {
    const { name, groups } = await authenticator.authenticate(new Request(url, { headers }), at);
    return [name, ...groups].join(' ');
  } catch (error) {
    if (error instanceof StatusError) return `${error.status.code} ${error.status.message}`;
    throw error;
  }
}
const bearer = (token: string): Promise<string> => user({ authorization: `Bearer ${token}` });
const why = (token: string): Promise<string> =>
  authenticator.review(token, [API_AUDIENCE], place).then(
    ({ user: { name } }) => name,
    (error: Error) => error.message,
  );

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

describe('a token of an issuer', () => {
  it.each(keys)('is believed when it is signed with $alg', async (key) => {
    expect(await bearer(await signed(key, CLAIMS))).toBe('oidc:alice oidc:ops system:authenticated');
  });

  it('is believed under any audience that is named', async () => {
    expect(await bearer(await signed(ec, { ...CLAIMS, aud: ['x', 'other'] }))).toMatch(/^oidc:alice /);
  });

  it('that names no key is tried with all of its algorithm', async () => {
    const second = await issuerKey('second');
    documents.put(`${ISSUER}/keys`, { keys: [ec.jwk, second.jwk] });
    expect(await bearer(await signed(second, CLAIMS, { kid: undefined }))).toMatch(/^oidc:alice /);
    expect(await bearer(await signed(stranger, CLAIMS, { kid: undefined }))).toBe(REFUSED);
  });

  const hmac = (secret: string): Promise<string> =>
    new SignJWT({ ...CLAIMS, exp: now() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: rsa.kid })
      .sign(createSecretKey(Buffer.from(secret)));
  const understood = (): Promise<string> =>
    new SignJWT({ ...CLAIMS, exp: now() + 60 })
      .setProtectedHeader({ alg: ec.alg, kid: ec.kid, crit: ['x'], x: 1 })
      .sign(ec.privateKey, { crit: { x: true } });
  const forged: [name: string, token: () => Promise<string> | string, why: string | RegExp][] = [
    ['unsigned', () => new UnsecuredJWT({ ...CLAIMS, exp: now() + 60 }).encode(), 'unexpected signature algorithm'],
    [
      'unsigned under a key’s name',
      () => `${segment({ alg: 'none', kid: ec.kid })}.${segment({ ...CLAIMS, exp: now() + 60 })}.`,
      'unexpected signature algorithm',
    ],
    ['signed with the public key as a secret', () => hmac(JSON.stringify(rsa.jwk)), 'unexpected signature algorithm'],
    ['signed with the modulus as a secret', () => hmac(rsa.jwk.n ?? ''), 'unexpected signature algorithm'],
    ['of a stranger’s key under a known name', () => signed(stranger, CLAIMS), 'failed to verify id token signature'],
    ['of a key that nobody has', () => signed(stranger, CLAIMS, { kid: 'x' }), 'failed to verify id token signature'],
    [
      'that brings its own key',
      () => signed(stranger, CLAIMS, { kid: 'x', jwk: stranger.jwk, jku: `${ISSUER}/keys` }),
      'failed to verify id token signature',
    ],
    ['whose name of a key is a path', () => signed(stranger, CLAIMS, { kid: '../../keys' }), 'failed to verify'],
    ['of another algorithm than its key', () => signed(ec, CLAIMS, { kid: rsa.kid }), 'failed to verify'],
    ['with what must be understood', understood, 'malformed jwt'],
    [
      'for another audience',
      () => signed(ec, { ...CLAIMS, aud: 'x' }),
      'expected audience in ["cluster" "other"] got ["x"]',
    ],
    ['for nobody', () => signed(ec, { ...CLAIMS, aud: undefined }), 'expected audience in ["cluster" "other"] got []'],
    [
      'that is over',
      () => signed(ec, { ...CLAIMS, exp: 1 }),
      'token is expired (Token Expiry: 1970-01-01 00:00:01 +0000 UTC)',
    ],
    ['without an end', () => signed(ec, { ...CLAIMS, exp: undefined }), 'token is expired'],
    ['that is still to come', () => signed(ec, { ...CLAIMS, nbf: now() + 3600 }), /before the nbf \(not before\) time/],
    [
      'of nobody',
      () => signed(ec, { ...CLAIMS, sub: undefined }),
      'oidc: parse username claims "sub": claim not present',
    ],
    ['of no name', () => signed(ec, { ...CLAIMS, sub: 7 }), 'oidc: parse username claims "sub": '],
    ['of odd groups', () => signed(ec, { ...CLAIMS, groups: [1] }), 'oidc: parse groups claim "groups"'],
    ['of an issuer that is not named', () => signed(ec, { ...CLAIMS, iss: `${ISSUER}/` }), 'invalid bearer token'],
    ['of one issuer with another’s key', () => signed(access, CLAIMS), 'failed to verify id token signature'],
    [
      'of the cluster with an issuer’s key',
      () => signed(ec, { ...CLAIMS, iss: OWN_ISSUER, aud: API_AUDIENCE }),
      'invalid bearer token',
    ],
  ];

  it.each(forged)('%s is refused', async (_, token, said) => {
    const text = await token();
    expect(await why(text)).toMatch(
      said instanceof RegExp ? said : new RegExp(said.replace(/[[\]().^$|?*+\\]/g, '\\$&')),
    );
    expect(await bearer(text)).toBe(REFUSED);
  });

  it('whose payload was changed is refused', async () => {
    const [head, , signature] = (await signed(ec, CLAIMS)).split('.');
    expect(await bearer(`${head}.${segment({ ...CLAIMS, sub: 'root', exp: now() + 60 })}.${signature}`)).toBe(REFUSED);
  });

  it('takes nothing from the cluster’s own', async () => {
    const { token } = await sign(own, OWN_ISSUER, { user: 'bob', groups: [], ttlSeconds: 60 });
    expect(await bearer(token)).toBe('bob system:authenticated');
    expect(documents.asked).toEqual([]);
  });
});

describe('an issuer', () => {
  it('is asked once for many tokens', async () => {
    for (const sub of ['a', 'b', 'c']) await bearer(await signed(ec, { ...CLAIMS, sub }));
    expect(documents.asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
  });

  it('is not asked for tokens that are wrong on their face', async () => {
    await bearer(await signed(ec, { ...CLAIMS, aud: 'x' }));
    await bearer(await signed(ec, { ...CLAIMS, exp: 1 }));
    expect(documents.asked).toEqual([]);
  });

  it('that has a new key is asked again, but not for each that nobody has', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await bearer(await signed(ec, CLAIMS));
    const fresh = await issuerKey('fresh');
    documents.put(`${ISSUER}/keys`, { keys: [ec.jwk, fresh.jwk] });
    const token = await signed(fresh, CLAIMS);
    expect(await bearer(token)).toBe(REFUSED);
    vi.setSystemTime(Date.now() + 31_000);
    expect(await bearer(token)).toMatch(/^oidc:alice /);
    const asked = documents.asked.length;
    for (const kid of ['x', 'y', 'z']) expect(await bearer(await signed(stranger, CLAIMS, { kid }))).toBe(REFUSED);
    expect(documents.asked).toHaveLength(asked);
  });

  it.each<[string, () => Promise<Response>]>([
    ['fails', async () => new Response('', { status: 503 })],
    ['does not answer', () => Promise.reject(new Error('timed out'))],
    ['says nonsense', async () => new Response('<html>')],
    ['says too much', async () => new Response('x'.repeat(2 << 20))],
    ['is another', async () => Response.json({ issuer: 'https://another.example', jwks_uri: `${ISSUER}/keys` })],
    ['has its keys in the open', async () => Response.json({ issuer: ISSUER, jwks_uri: 'http://issuer.example/keys' })],
  ])('that %s is left in peace for a while, and then asked again', async (_, failing) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    documents.failing = failing;
    const token = await signed(ec, CLAIMS);
    expect(await why(token)).toBe('[invalid bearer token, oidc: authenticator not initialized]');
    expect(await why(token)).toBe('[invalid bearer token, oidc: authenticator not initialized]');
    expect(documents.asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1001);
    expect(await bearer(token)).toBe(REFUSED);
    vi.setSystemTime(Date.now() + 1500);
    expect(await bearer(token)).toBe(REFUSED);
    expect(documents.asked).toHaveLength(2);
    documents.failing = undefined;
    vi.setSystemTime(Date.now() + 501);
    expect(await bearer(token)).toMatch(/^oidc:alice /);
  });

  it('that fails later is believed by what is known of it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await bearer(await signed(ec, CLAIMS));
    documents.failing = async () => new Response('', { status: 503 });
    vi.setSystemTime(Date.now() + 3600_000);
    expect(await bearer(await signed(ec, CLAIMS))).toMatch(/^oidc:alice /);
  });

  it('that hangs holds up nobody else’s tokens', async () => {
    let release = (): void => {};
    documents.failing = () =>
      new Promise((resolve) => {
        release = () => resolve(new Response('', { status: 503 }));
      });
    const stuck = bearer(await signed(ec, { ...CLAIMS, iss: 'https://broken.example' }));
    await expect.poll(() => documents.asked.length).toBe(1);
    documents.failing = undefined;
    expect(await bearer(await signed(ec, CLAIMS))).toMatch(/^oidc:alice /);
    release();
    expect(await stuck).toBe(REFUSED);
  });
});

describe('Cloudflare Access', () => {
  const claims: Claims = { iss: ACCESS, aud: ['tag'], email: 'alice@example.com' };
  const asserted = (token: string, headers = {}, at = place): Promise<string> =>
    user({ 'cf-access-jwt-assertion': token, ...headers }, at);
  const ALICE = 'alice@example.com system:authenticated';
  const ANYBODY = 'system:anonymous system:unauthenticated';

  it('says who somebody is', async () => {
    expect(await asserted(await signed(access, claims))).toBe(ALICE);
    expect(documents.asked).toEqual([`${ACCESS}/cdn-cgi/access/certs`]);
  });

  it.each<[string, () => Promise<string>, Record<string, string>, string]>([
    ['of another application', () => signed(access, { ...claims, aud: ['other'] }), {}, REFUSED],
    ['of another team’s key', () => signed(stranger, claims), {}, REFUSED],
    ['of another team', () => signed(access, { ...claims, iss: 'https://x.cloudflareaccess.com' }), {}, REFUSED],
    ['that is over', () => signed(access, { ...claims, exp: 1 }), {}, REFUSED],
    ['that is no token', async () => 'nonsense', {}, ANYBODY],
    ['of an issuer that is none', () => signed(ec, CLAIMS), {}, ANYBODY],
    ['asked for by the same page', () => signed(access, claims), { origin: 'https://api' }, ALICE],
    ['asked for by another’s page', () => signed(access, claims), { origin: 'https://evil.example' }, ANYBODY],
    ['asked for by a page of nowhere', () => signed(access, claims), { origin: 'null' }, ANYBODY],
    ['beside a bad token', () => signed(access, claims), { authorization: 'Bearer x' }, REFUSED],
  ])('an assertion %s', async (_, token, headers, expected) => {
    expect(await asserted(await token(), headers)).toBe(expected);
  });

  it('is not believed where it is not configured', async () => {
    const plain = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
    expect(await asserted(await signed(access, claims), {}, placeWith(plain))).toBe(ANYBODY);
  });
});

describe('who shows nothing', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
  it.each<[string, string, string, string]>([
    ['is let in by default', '', '/api', 'system:anonymous system:unauthenticated'],
    ['is let in', 'anonymous: {enabled: true}', '/api', 'system:anonymous system:unauthenticated'],
    ['is not let in', 'anonymous: {enabled: false}', '/livez', REFUSED],
    [
      'is let in by this path',
      'anonymous: {enabled: true, conditions: [{path: /livez}]}',
      '/livez',
      'system:anonymous system:unauthenticated',
    ],
    ['not by another path', 'anonymous: {enabled: true, conditions: [{path: /livez}]}', '/livez/x', REFUSED],
  ])('%s', async (_, anonymous, path, expected) => {
    expect(await user({}, { ...placeWith(head + anonymous), path })).toBe(expected);
  });
});
