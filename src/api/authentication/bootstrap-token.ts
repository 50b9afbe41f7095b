/** Who the bearer of a bootstrap token is. */
import { BOOTSTRAP_GROUP, tokenField, usableToken } from '../../apimachinery/bootstrap-token.ts';
import type { Secret } from '../../generated/types/core.v1.ts';
import { AUTHENTICATED, type User } from './user.ts';

const BOOTSTRAPPERS = 'system:bootstrappers';

/** `system:bootstrap:<id>`, in the groups that its Secret names; undefined for a token that is no good. */
export function bootstrapUser(secret: Secret, token: string, at: number): User | undefined {
  const known = usableToken(secret, 'authentication', at);
  if (known === undefined || !sameText(`${known.id}.${known.secret}`, token)) return undefined;
  const extra = tokenField(secret, 'auth-extra-groups');
  const groups = extra === '' ? [] : extra.split(',');
  if (!groups.every((group) => BOOTSTRAP_GROUP.test(group))) return undefined;
  return {
    name: `system:bootstrap:${known.id}`,
    uid: '',
    groups: [...new Set([BOOTSTRAPPERS, ...groups, AUTHENTICATED])],
    extra: {},
  };
}

/** Takes as long for a text that is nearly right as for one that is all wrong. */
function sameText(a: string, b: string): boolean {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) differs |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(b.length, 1));
  return differs === 0;
}
