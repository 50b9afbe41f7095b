/** Bootstrap tokens: Secrets in kube-system that let a machine ask to become a node, as upstream keeps them. */
import type { Secret } from '../../generated/types/core.v1.ts';
import { AUTHENTICATED, type User } from './user.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
export const BOOTSTRAP_TOKEN_TYPE = 'bootstrap.kubernetes.io/token';

function random(length: number): string {
  // 252 is the largest multiple of 36 that a byte holds: above it letters would not be equally likely.
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 252 && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}

/** `abcdef.0123456789abcdef`: an id that may be seen, and a secret. */
export function newBootstrapToken(): string {
  return `${random(6)}.${random(16)}`;
}

/** The Secret that stands for a token. */
export function bootstrapTokenSecret(token: string, expiration: string): Secret {
  const [id = '', secret = ''] = token.split('.');
  const data = {
    'token-id': id,
    'token-secret': secret,
    expiration,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': 'system:bootstrappers:zeroplane:node',
  };
  return {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: BOOTSTRAP_TOKEN_TYPE,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)])),
  };
}

/** What a bootstrap token looks like. */
export const BOOTSTRAP_TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;
const BOOTSTRAPPERS = 'system:bootstrappers';
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Whether the Secret stands for this token now. */
export function isValidBootstrapToken(secret: Secret, token: string, at: number): boolean {
  return bootstrapUser(secret, token, at) !== undefined;
}

/** Who the token's bearer is: `system:bootstrap:<id>`, in the groups that its Secret names; undefined for a token that is no good. */
export function bootstrapUser(secret: Secret, token: string, at: number): User | undefined {
  const { metadata, type } = secret;
  const id = read(secret, 'token-id');
  if (type !== BOOTSTRAP_TOKEN_TYPE || metadata.deletionTimestamp !== undefined) return undefined;
  if (metadata.name !== `bootstrap-token-${id}` || !sameText(`${id}.${read(secret, 'token-secret')}`, token))
    return undefined;
  if (read(secret, 'usage-bootstrap-authentication') !== 'true') return undefined;
  const expiration = read(secret, 'expiration');
  if (expiration !== '' && !(Date.parse(expiration) > at)) return undefined;
  const extra = read(secret, 'auth-extra-groups');
  const groups = extra === '' ? [] : extra.split(',');
  if (!groups.every((group) => EXTRA_GROUP.test(group))) return undefined;
  return {
    name: `system:bootstrap:${id}`,
    uid: '',
    groups: [...new Set([BOOTSTRAPPERS, ...groups, AUTHENTICATED])],
    extra: {},
  };
}

const read = ({ data }: Secret, key: string): string => {
  try {
    return atob(data?.[key] ?? '');
  } catch {
    return '';
  }
};

/** Takes as long for a text that is nearly right as for one that is all wrong. */
function sameText(a: string, b: string): boolean {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) differs |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(b.length, 1));
  return differs === 0;
}
