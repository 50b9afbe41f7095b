/** Bootstrap tokens: Secrets in kube-system that let a machine ask to become a node, as upstream keeps them. */
import type { Secret } from '../../generated/types/core.v1.ts';

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

/** Whether the Secret stands for this token now. */
export function isValidBootstrapToken(secret: Secret, token: string, at: number): boolean {
  if (secret.type !== BOOTSTRAP_TOKEN_TYPE || secret.metadata.deletionTimestamp !== undefined) return false;
  const read = (key: string): string => atob(secret.data?.[key] ?? '');
  if (read('usage-bootstrap-authentication') !== 'true') return false;
  const expiration = read('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > at)) return false;
  return `${read('token-id')}.${read('token-secret')}` === token;
}
