/** What our own tokens say, and whom they stand for. */
import { AUTHENTICATED, type User } from './user.ts';

/** A name and the uid that it had when the token was made. */
export interface Named {
  name?: string;
  uid?: string;
}

/** Claims beside the registered ones. */
export interface Claims {
  iss?: string;
  sub?: string;
  aud?: string | string[];
  exp?: number;
  iat?: number;
  jti?: string;
  groups?: unknown;
  uid?: unknown;
  'kubernetes.io'?: {
    namespace?: string;
    serviceaccount?: Named;
    pod?: Named;
    node?: Named;
    secret?: Named;
  };
  /** Of tokens that are kept in Secrets. */
  'kubernetes.io/serviceaccount/namespace'?: string;
  'kubernetes.io/serviceaccount/secret.name'?: string;
  'kubernetes.io/serviceaccount/service-account.name'?: string;
  'kubernetes.io/serviceaccount/service-account.uid'?: string;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : [];

/** The user of a ServiceAccount (`serviceaccount.UserInfo`). */
export function accountUser(namespace: string, name: string, uid: string, extra: User['extra'] = {}): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
    extra,
  };
}

/** The identity that verified claims stand for. */
export function userOf(claims: Claims): User {
  const bound = claims['kubernetes.io'];
  if (bound?.serviceaccount?.name !== undefined && bound.namespace !== undefined) {
    const { name, uid = '' } = bound.serviceaccount;
    return accountUser(bound.namespace, name, uid, boundExtra(claims.jti, bound));
  }
  return {
    name: claims.sub ?? '',
    uid: typeof claims.uid === 'string' ? claims.uid : '',
    groups: [...strings(claims.groups), AUTHENTICATED],
    extra: {},
  };
}

function boundExtra(jti: string | undefined, bound: NonNullable<Claims['kubernetes.io']>): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') extra[`authentication.kubernetes.io/${name}`] = [value];
  };
  add('credential-id', jti === undefined ? undefined : `JTI=${jti}`);
  add('node-name', bound.node?.name);
  add('node-uid', bound.node?.uid);
  add('pod-name', bound.pod?.name);
  add('pod-uid', bound.pod?.uid);
  return extra;
}
