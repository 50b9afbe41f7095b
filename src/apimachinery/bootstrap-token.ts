/** Bootstrap tokens: Secrets in kube-system by which a machine finds the cluster and asks to join it (`cluster-bootstrap/token`). */
import { fromBase64, toBase64 } from './codec/base64.ts';
import type { KubeObject } from './meta.ts';
import { randomText } from './random.ts';

export const BOOTSTRAP_TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
/** What a bootstrap token looks like: an id that may be seen, and a secret. */
export const BOOTSTRAP_TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;
/** Names of their Secrets start so; the id follows. */
export const TOKEN_SECRET_PREFIX = 'bootstrap-token-';
/** Groups that a token may name (`BootstrapGroupPattern`). */
export const BOOTSTRAP_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
/** The group of machines that join. */
export const NODE_GROUP = 'system:bootstrappers:zeroplane:node';
/** What a token may be good for: asking as somebody, and signing the cluster's description. */
export const USAGES = ['authentication', 'signing'] as const;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A token as its Secret keeps it. */
export interface TokenSecret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** What may be said of a token beside the token itself. */
export interface TokenOptions {
  /** RFC 3339; without one it does not end. */
  expiration?: string;
  description?: string;
  usages?: readonly string[];
  groups?: readonly string[];
}

/** A new token, `abcdef.0123456789abcdef`. */
export function newBootstrapToken(): string {
  return `${randomText(6, ALPHABET)}.${randomText(16, ALPHABET)}`;
}

/** The Secret that stands for a token. */
export function bootstrapTokenSecret(token: string, options: TokenOptions = {}): TokenSecret {
  const { expiration, description, usages = USAGES, groups = [NODE_GROUP] } = options;
  const [id = '', secret = ''] = token.split('.');
  const data: Record<string, string | undefined> = {
    'token-id': id,
    'token-secret': secret,
    expiration,
    description,
    ...Object.fromEntries(usages.map((usage) => [`usage-bootstrap-${usage}`, 'true'])),
    'auth-extra-groups': groups.length === 0 ? undefined : groups.join(','),
  };
  const given = Object.entries(data).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    metadata: { name: TOKEN_SECRET_PREFIX + id, namespace: 'kube-system' },
    type: BOOTSTRAP_TOKEN_TYPE,
    data: Object.fromEntries(given.map(([key, value]) => [key, toBase64(new TextEncoder().encode(value))])),
  };
}

/** A field of a token's Secret; empty where there is none. */
export function tokenField({ data }: TokenSecret, key: string): string {
  try {
    return new TextDecoder().decode(fromBase64(data?.[key] ?? ''));
  } catch {
    return '';
  }
}

/** When the token ends, in ms since the epoch: one that says so in words that nobody understands has ended (`GetExpiration`). */
export function tokenExpiry(secret: TokenSecret): number {
  const expiration = tokenField(secret, 'expiration');
  if (expiration === '') return Number.POSITIVE_INFINITY;
  const at = Date.parse(expiration);
  return Number.isNaN(at) ? 0 : at;
}

/** The token's id and secret, if the Secret is one of a token that may be used so now; undefined for any other. */
export function usableToken(
  secret: TokenSecret,
  usage: (typeof USAGES)[number],
  at: number,
): { id: string; secret: string } | undefined {
  const { metadata, type } = secret;
  const id = tokenField(secret, 'token-id');
  const text = tokenField(secret, 'token-secret');
  const isToken = type === BOOTSTRAP_TOKEN_TYPE && metadata.name === TOKEN_SECRET_PREFIX + id;
  if (!isToken || metadata.deletionTimestamp !== undefined || !BOOTSTRAP_TOKEN.test(`${id}.${text}`)) return undefined;
  if (tokenField(secret, `usage-bootstrap-${usage}`) !== 'true' || tokenExpiry(secret) <= at) return undefined;
  return { id, secret: text };
}
