/** Acting as somebody else (`kubectl --as`), after upstream's `WithImpersonation`: allowed piece by piece, then the request is the other's. */
import { failure, StatusError } from '../../apimachinery/errors.ts';
import { ANONYMOUS, AUTHENTICATED, type User } from '../authentication/user.ts';
import type { Attributes } from './attributes.ts';
import { permit } from './authorize.ts';
import type { Authorizer } from './authorizer.ts';

const USER = 'impersonate-user';
const UID = 'impersonate-uid';
const GROUP = 'impersonate-group';
const EXTRA = 'impersonate-extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const AUTHENTICATION = 'authentication.k8s.io';

/**
 * Who the request acts as: the user, or whom its headers name. Throws Forbidden for what the user may not impersonate, and upstream's
 * InternalError for headers that name no user.
 */
export function impersonated(headers: Headers, user: User, authorizer: Authorizer): User | Promise<User> {
  const name = headers.get(USER) ?? '';
  // Headers of one name arrive as one.
  const groups = (headers.get(GROUP) ?? '').split(',').flatMap((group) => group.trim() || []);
  const uid = headers.get(UID) ?? '';
  if (name === '') {
    if (groups.length === 0 && uid === '') return user;
    throw new StatusError(
      failure(500, 'InternalError', 'Internal error occurred: requested groups or uid without impersonating a user'),
    );
  }
  const wanted = { name, groups, uid, extra: extraOf(headers) };
  return become(wanted, user, authorizer);
}

async function become({ name, groups, uid, extra }: User, user: User, authorizer: Authorizer): Promise<User> {
  const may = async (attributes: Partial<Attributes>): Promise<void> =>
    permit(authorizer, user, { ...IMPERSONATE, ...attributes });
  const account = SERVICE_ACCOUNT.exec(name);
  if (account === null) await may({ resource: 'users', name });
  else await may({ resource: 'serviceaccounts', namespace: account[1] as string, name: account[2] as string });
  for (const group of groups) await may({ resource: 'groups', name: group });
  if (uid !== '') await may({ group: AUTHENTICATION, resource: 'uids', name: uid });
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      await may({ group: AUTHENTICATION, resource: 'userextras', subresource: key, name: value });
    }
  }
  return { name, uid, groups: groupsOf(name, groups, account?.[1]), extra };
}

const IMPERSONATE: Attributes = {
  verb: 'impersonate',
  isResource: true,
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
};

/** A service account has its groups where none are named; everybody is authenticated or not. */
function groupsOf(name: string, named: readonly string[], namespace: string | undefined): string[] {
  const all =
    named.length === 0 && namespace !== undefined
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      : [...named];
  const [unauthenticated = ''] = ANONYMOUS.groups;
  const own = name === ANONYMOUS.name ? unauthenticated : AUTHENTICATED;
  return all.includes(own) || all.includes(unauthenticated) ? all : [...all, own];
}

function extraOf(headers: Headers): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [header, value] of headers) {
    if (!header.startsWith(EXTRA)) continue;
    const key = unescaped(header.slice(EXTRA.length));
    extra[key] = value.split(',').map((part) => part.trim());
  }
  return extra;
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
