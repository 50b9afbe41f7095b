/** Acting as somebody else: whom one may be, and who one then is. */
import { describe, expect, it } from 'vitest';
import type { User } from '../../src/api/authentication/user.ts';
import type { Attributes } from '../../src/api/authorization/attributes.ts';
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

const LISTS_PODS: Attributes = {
  verb: 'list',
  isResource: true,
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: 'ns',
  name: '',
  path: '',
};

async function become(headers: Record<string, string>, user = named('helpdesk')): Promise<User | string> {
  try {
    return await impersonated(new Headers(headers), user, authorizer, () => LISTS_PODS);
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

  // Whoever was allowed nothing yet is told of the first mode that there is for whom they name.
  const refused: [headers: Record<string, string>, message: RegExp][] = [
    [
      { 'impersonate-user': 'alice' },
      /^403 pods is forbidden: User "helpdesk" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "ns"$/,
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:other:sa' },
      /^403 pods is forbidden: User "helpdesk" cannot impersonate-on:serviceaccount:list /,
    ],
    [
      { 'impersonate-user': 'system:node:n' },
      /^403 pods is forbidden: User "helpdesk" cannot impersonate-on:arbitrary-node:list /,
    ],
    [
      { 'impersonate-group': 'sales' },
      /^400 requested &user.DefaultInfo{Name:"", UID:"", Groups:\[\]string{"sales"}, Extra:map.*\(nil\)} without impersonating a user name$/,
    ],
    [{ 'impersonate-uid': '42' }, /^400 requested &user.DefaultInfo{Name:"", UID:"42", /],
    [{ 'impersonate-extra-a': 'b' }, /^400 .*Extra:map\[string\]\[\]string{"a":\[\]string{"b"}}} without/],
  ];
  it.each(refused)('refuses %j', async (headers, message) => {
    expect(await become(headers)).toMatch(message);
  });

  // Who was somebody else before is told of the way that worked.
  const refusedAfterwards: [headers: Record<string, string>, message: RegExp][] = [
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
  ];
  it.each(refusedAfterwards)('refuses %j by the way that worked', async (headers, message) => {
    const user = named('helpdesk');
    await become(bob, user);
    expect(await become(headers, user)).toMatch(message);
  });

  it('lets administrators be anybody', async () => {
    expect(await become({ 'impersonate-user': 'alice' }, named('root', 'system:masters'))).toMatchObject({
      name: 'alice',
    });
  });
});

describe('constrained impersonation', () => {
  const grant = (verbs: string[], apiGroups: string[], resources: string[], resourceNames: string[] = []) => ({
    verbs,
    apiGroups,
    resources,
    resourceNames,
  });
  const AUTHENTICATION = ['authentication.k8s.io'];
  const constrained = new Authorizer(
    [
      {
        namespace: '',
        name: 'agent',
        rules: [
          grant(['impersonate:user-info'], AUTHENTICATION, ['users'], ['bob']),
          grant(['impersonate:user-info'], AUTHENTICATION, ['groups']),
          grant(['impersonate:user-info'], AUTHENTICATION, ['userextras/acme.io/team']),
          grant(['impersonate-on:user-info:list', 'impersonate-on:arbitrary-node:list'], [''], ['pods']),
          grant(['impersonate:arbitrary-node'], AUTHENTICATION, ['nodes'], ['n']),
        ],
      },
    ],
    [
      {
        namespace: '',
        name: 'b',
        roleRef: { kind: 'ClusterRole', name: 'agent' },
        subjects: [{ kind: 'User', name: 'agent', namespace: '' }],
      },
    ],
  );
  const asked = async (headers: Record<string, string>, attributes: Partial<Attributes> = {}): Promise<string> => {
    try {
      const wants = { ...LISTS_PODS, ...attributes };
      const { groups } = await impersonated(new Headers(headers), named('agent'), constrained, () => wants);
      return groups.join(' ');
    } catch (error) {
      if (error instanceof StatusError) return error.message;
      throw error;
    }
  };
  const bob = { 'impersonate-user': 'bob' };
  const cases: [headers: Record<string, string>, answer: RegExp, attributes?: Partial<Attributes>][] = [
    [bob, /^system:authenticated$/],
    [bob, /cannot impersonate-on:user-info:delete resource "pods"/, { verb: 'delete' }],
    [
      { 'impersonate-user': 'eve' },
      /^users.authentication.k8s.io "eve" is forbidden: .* cannot impersonate:user-info /,
    ],
    [{ ...bob, 'impersonate-group': 'sales' }, /^sales system:authenticated$/],
    [
      { ...bob, 'impersonate-group': 'system:masters' },
      /at the cluster scope: impersonating the system:masters group is not allowed$/,
    ],
    [{ ...bob, 'impersonate-group': '' }, /: impersonating the empty string group is not allowed$/],
    [{ ...bob, 'impersonate-extra-acme.io%2fteam': 'a' }, /^system:authenticated$/],
    [{ ...bob, 'impersonate-extra-team': 'a' }, /impersonating an invalid key in extra is not allowed: extra.key: /],
    [{ ...bob, 'impersonate-extra-acme.io%2fteam': '' }, /impersonating the empty string value in extra/],
    [{ 'impersonate-user': 'system:node:n' }, /^system:nodes system:authenticated$/],
    [{ 'impersonate-user': 'system:node:m' }, /^nodes.authentication.k8s.io "m" is forbidden/],
  ];
  it.each(cases)('%j', async (headers, answer, attributes) => {
    expect(await asked(headers, attributes)).toMatch(answer);
  });
});
