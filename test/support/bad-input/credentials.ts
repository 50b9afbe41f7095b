/** Credentials that are not the cluster's. The answer never says what is wrong with them. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Sent } from '../https.ts';
import { type BadInput, CONFIG_MAPS, configMap, HERE, type Scene } from './types.ts';

const UNAUTHORIZED = { status: 401, reason: 'Unauthorized', message: 'Unauthorized' };
const FORBIDDEN = { status: 403, reason: 'Forbidden' };

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const parse = (part: string): object => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;

/** Signed as ours are, with a key that is nobody's. */
function strange(header: string, claims: string, changed: object = {}): string {
  const signed = `${header}.${base64({ ...parse(claims), ...changed })}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function hashed(header: string, claims: string): string {
  const signed = `${base64({ ...parse(header), alg: 'HS256' })}.${claims}`;
  return `${signed}.${createHmac('sha256', '').update(signed).digest('base64url')}`;
}

/** A token made of a good one's parts. */
type Forge = (header: string, claims: string, signature: string) => string;

const FORGERIES: [name: string, forge: Forge][] = [
  ['garbage', () => 'garbage'],
  ['dots alone', () => '..'],
  ['a token without a signature', (h, c) => `${h}.${c}.`],
  ['another signature', (h, c, s) => `${h}.${c}.${s.slice(0, -8)}AAAAAAAA`],
  ['alg none', (_, c) => `${base64({ alg: 'none', typ: 'JWT' })}.${c}.`],
  ['alg none with the key’s name', (h, c) => `${base64({ ...parse(h), alg: 'none' })}.${c}.`],
  ['alg HS256', (h, c, s) => `${base64({ ...parse(h), alg: 'HS256' })}.${c}.${s}`],
  ['HS256 under an empty key', (h, c) => hashed(h, c)],
  ['a stranger’s signature', (h, c) => strange(h, c)],
  ['a stranger’s signature under an end that is past', (h, c) => strange(h, c, { exp: 1 })],
  ['another key’s name', (h, c, s) => `${base64({ ...parse(h), kid: 'other' })}.${c}.${s}`],
  ['other claims', (h, c, s) => `${h}.${base64({ ...parse(c), sub: 'other' })}.${s}`],
  ['a later end', (h, c, s) => `${h}.${base64({ ...parse(c), exp: 9_999_999_999 })}.${s}`],
  ['a very long token', () => 'x'.repeat(20_000)],
];

const write = (request: Omit<Sent, 'method' | 'path' | 'body'>): Sent => ({
  method: 'POST',
  path: CONFIG_MAPS,
  body: configMap({ name: 'forged' }),
  ...request,
});

const forged = FORGERIES.map(
  ([name, forge]): BadInput => ({
    name,
    send: ({ token }: Scene) => {
      const [header = '', claims = '', signature = ''] = token.split('.');
      return write({ token: forge(header, claims, signature) });
    },
    ...UNAUTHORIZED,
  }),
);

const ANONYMOUS = 'User "system:anonymous" cannot';
const NOT_BY_NOBODY = {
  ...FORBIDDEN,
  message: `configmaps is forbidden: ${ANONYMOUS} create resource "configmaps" in API group "" in the namespace "bad"`,
};

/** Without a token in it, a header names nobody. */
const headers = ['Bearer', 'Bearer a b', 'Basic YTpi', 'Nonsense x'].map(
  (authorization): BadInput => ({
    name: `Authorization: ${authorization}`,
    send: write({ token: '', headers: { authorization } }),
    ...(authorization === 'Bearer a b' ? UNAUTHORIZED : NOT_BY_NOBODY),
  }),
);

const as = (headers: Record<string, string>, request: Partial<Sent> = {}): Sent => ({
  path: HERE,
  headers,
  ...request,
});

const impersonations: BadInput[] = [
  {
    name: 'a read as somebody who may not read',
    send: as({ 'impersonate-user': 'bob' }),
    ...FORBIDDEN,
    message:
      'configmaps "here" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "bad"',
  },
  {
    name: 'a deletion as a service account that may not delete',
    send: as({ 'impersonate-user': 'system:serviceaccount:bad:default' }, { method: 'DELETE' }),
    ...FORBIDDEN,
    message: /^configmaps "here" is forbidden: User "system:serviceaccount:bad:default" cannot delete /,
  },
  {
    name: 'a read as a group of nobody',
    send: as({ 'impersonate-group': 'system:masters' }),
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'a read by nobody as an administrator',
    send: as({ 'impersonate-user': 'admin', 'impersonate-group': 'system:masters' }, { token: '' }),
    ...FORBIDDEN,
    message: `configmaps "here" is forbidden: ${ANONYMOUS} impersonate-on:user-info:get resource "configmaps" in API group "" in the namespace "bad"`,
  },
];

const strangers: BadInput[] = [
  {
    name: 'nobody, of a cluster that is not there',
    send: { path: '/clusters/none/version', token: '' },
    ...UNAUTHORIZED,
  },
  {
    name: 'a node, of a cluster that is not there',
    send: {
      method: 'POST',
      path: '/clusters/none/zeroplane/v1/join',
      body: { nodeName: 'x' },
      token: 'abcdef.0123456789abcdef',
    },
    ...UNAUTHORIZED,
  },
  {
    name: 'this cluster’s token for another cluster',
    send: ({ token }) => ({ path: `/clusters/other${HERE}`, token }),
    ...UNAUTHORIZED,
  },
  {
    name: 'a write by nobody',
    send: write({ token: '' }),
    ...NOT_BY_NOBODY,
  },
  {
    name: 'a read by nobody',
    send: { path: HERE, token: '' },
    ...FORBIDDEN,
    message: `configmaps "here" is forbidden: ${ANONYMOUS} get resource "configmaps" in API group "" in the namespace "bad"`,
  },
  {
    name: 'a path by nobody',
    send: { path: '/apis', token: '' },
    ...FORBIDDEN,
    message: `forbidden: ${ANONYMOUS} get path "/apis"`,
  },
  { name: 'what is not there by nobody', send: { path: '/api/v1/nothings', token: '' }, ...FORBIDDEN },
  {
    name: 'credentials without the secret',
    send: ({ token }) => ({ method: 'POST', path: '/zeroplane/v1/credentials', body: { user: 'x' }, token }),
    ...UNAUTHORIZED,
  },
  {
    name: 'a node with a token that nobody made',
    send: { method: 'POST', path: '/zeroplane/v1/join', body: { nodeName: 'x' }, token: 'abcdef.0123456789abcdef' },
    ...UNAUTHORIZED,
  },
];

export const badCredentials: BadInput[] = [...forged, ...headers, ...impersonations, ...strangers];
