/** Acting as somebody else: whom one may be, and who one then is. */
import { describe, expect, it } from 'vitest';
import type { User } from '../../src/api/authentication/user.ts';
import { Authorizer } from '../../src/api/authorization/authorizer.ts';
import { impersonated } from '../../src/api/authorization/impersonate.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';

const named = (name: string, ...groups: string[]): User => ({ name, uid: 'own', groups, extra: {} });
const rule = (resources: string[], resourceNames: string[], apiGroups = ['']) => ({
  verbs: ['impersonate'],
  apiGroups,
  resources,
  resourceNames,
});

/** Helpdesk may be Bob, of the group `sales`, with one uid and one scope; and any account of the namespace `ns`. */
const authorizer = new Authorizer(
  [
    {
      namespace: '',
      name: 'helpdesk',
      rules: [
        rule(['users'], ['bob', 'system:anonymous']),
        rule(['groups'], ['sales']),
        rule(['uids'], ['42'], ['authentication.k8s.io']),
        rule(['userextras/scopes'], ['view'], ['authentication.k8s.io']),
      ],
    },
    { namespace: 'ns', name: 'accounts', rules: [rule(['serviceaccounts'], [])] },
  ],
  [
    {
      namespace: '',
      name: 'b',
      roleRef: { kind: 'ClusterRole', name: 'helpdesk' },
      subjects: [{ kind: 'User', name: 'helpdesk', namespace: '' }],
    },
    {
      namespace: 'ns',
      name: 'b',
      roleRef: { kind: 'Role', name: 'accounts' },
      subjects: [{ kind: 'User', name: 'helpdesk', namespace: '' }],
    },
  ],
);

async function become(headers: Record<string, string>, user = named('helpdesk')): Promise<User | string> {
  try {
    return await impersonated(new Headers(headers), user, authorizer);
  } catch (error) {
    if (error instanceof StatusError) return `${error.status.code} ${error.status.message}`;
    throw error;
  }
}

describe('impersonation', () => {
  const bob = { 'impersonate-user': 'bob' };
  const AUTHENTICATED = 'system:authenticated';
  const allowed: [headers: Record<string, string>, user: User][] = [
    [{}, named('helpdesk')],
    [bob, { ...named('bob', AUTHENTICATED), uid: '' }],
    [
      { ...bob, 'impersonate-group': 'sales' },
      { ...named('bob', 'sales', AUTHENTICATED), uid: '' },
    ],
    [
      { ...bob, 'impersonate-uid': '42', 'impersonate-extra-scopes': 'view' },
      { ...named('bob', AUTHENTICATED), uid: '42', extra: { scopes: ['view'] } },
    ],
    [{ 'impersonate-user': 'system:anonymous' }, { ...named('system:anonymous', 'system:unauthenticated'), uid: '' }],
    [
      { 'impersonate-user': 'system:serviceaccount:ns:sa' },
      {
        ...named('system:serviceaccount:ns:sa', 'system:serviceaccounts', 'system:serviceaccounts:ns', AUTHENTICATED),
        uid: '',
      },
    ],
  ];
  it.each(allowed)('%j', async (headers, user) => {
    expect(await become(headers)).toEqual(user);
  });

  const refused: [headers: Record<string, string>, message: RegExp][] = [
    [
      { 'impersonate-user': 'alice' },
      /^403 users "alice" is forbidden: User "helpdesk" cannot impersonate resource "users"/,
    ],
    [{ ...bob, 'impersonate-group': 'system:masters' }, /^403 groups "system:masters" is forbidden/],
    [{ ...bob, 'impersonate-group': 'sales, system:masters' }, /^403 groups "system:masters" is forbidden/],
    [{ ...bob, 'impersonate-uid': '1' }, /^403 uids.authentication.k8s.io "1" is forbidden/],
    [{ ...bob, 'impersonate-extra-scopes': 'view, edit' }, /^403 userextras.authentication.k8s.io "edit" is forbidden/],
    [{ ...bob, 'impersonate-extra-other': 'view' }, /^403 userextras.authentication.k8s.io "view" is forbidden/],
    [
      { 'impersonate-user': 'system:serviceaccount:other:sa' },
      /^403 serviceaccounts "sa" .* in the namespace "other"$/,
    ],
    [{ 'impersonate-group': 'sales' }, /^500 /],
  ];
  it.each(refused)('refuses %j', async (headers, message) => {
    expect(await become(headers)).toMatch(message);
  });

  it('lets administrators be anybody', async () => {
    expect(await become({ 'impersonate-user': 'alice' }, named('root', 'system:masters'))).toMatchObject({
      name: 'alice',
    });
  });
});
