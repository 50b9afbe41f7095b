/** Who may do what: RBAC, the Node authorizer, and that nobody gives away more than they hold. */
import { describe, expect, it } from 'vitest';
import type { Attributes as Admission } from '../../src/api/admission/plugin.ts';
import { rbacEscalation } from '../../src/api/admission/rbac-escalation.ts';
import type { User } from '../../src/api/authentication/user.ts';
import type { Attributes } from '../../src/api/authorization/attributes.ts';
import { Authorizer } from '../../src/api/authorization/authorizer.ts';
import { uncovered } from '../../src/api/authorization/covers.ts';
import type { Related } from '../../src/api/authorization/node-authorizer.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { BindingFact, PolicyRule, RoleFact, Subject } from '../../src/durable-objects/cluster-rpc.ts';
import { resourceById } from '../../src/resources/index.ts';

const user = (name: string, ...groups: string[]): User => ({ name, uid: '', groups, extra: {} });
const role = (name: string, rules: PolicyRule[], namespace = ''): RoleFact => ({ name, namespace, rules });
const binding = (name: string, roleName: string, subjects: Subject[], namespace = '', kind = 'ClusterRole') =>
  ({ name, namespace, roleRef: { kind, name: roleName }, subjects }) satisfies BindingFact;
const asked = (verb: string, resource: string, rest: Partial<Attributes> = {}): Attributes => {
  const [plural = '', subresource = ''] = resource.split('/');
  const base = { verb, isResource: true, group: '', resource: plural, subresource, namespace: '', name: '', path: '' };
  return { ...base, ...rest };
};
const path = (verb: string, at: string): Attributes => asked(verb, '', { isResource: false, path: at });

const PODS: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] };
const ONE: PolicyRule = { verbs: ['*'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'] };
const SCALES: PolicyRule = { verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] };
const PATHS: PolicyRule = { verbs: ['get'], nonResourceURLs: ['/metrics', '/logs/*'] };
const alice: Subject = { kind: 'User', name: 'alice' };
const account: Subject = { kind: 'ServiceAccount', name: 'sa', namespace: '' };

const authorizer = new Authorizer(
  [role('reader', [PODS, ONE, SCALES, PATHS]), role('own', [PODS], 'team')],
  [
    binding('a', 'reader', [{ kind: 'Group', name: 'ops' }, alice]),
    binding('b', 'gone', [alice]),
    binding('c', 'own', [account], 'team', 'Role'),
    binding('d', 'reader', [{ kind: 'User', name: 'bob' }], 'team'),
    binding('e', 'gone', [{ kind: 'User', name: 'carol' }]),
  ],
);

describe('RBAC', () => {
  const sa = user('system:serviceaccount:team:sa');
  it.each<[User, Attributes, boolean]>([
    [user('alice'), asked('get', 'pods', { namespace: 'x' }), true],
    [user('alice'), asked('get', 'pods'), true],
    [user('alice'), asked('get', 'pods/log'), true],
    [user('alice'), asked('get', 'pods/exec'), false],
    [user('alice'), asked('delete', 'pods'), false],
    [user('alice'), asked('get', 'pods', { group: 'metrics.k8s.io' }), false],
    [user('alice'), asked('delete', 'configmaps', { name: 'one' }), true],
    [user('alice'), asked('delete', 'configmaps', { name: 'two' }), false],
    [user('alice'), asked('list', 'configmaps'), false],
    [user('alice'), asked('update', 'deployments/scale', { group: 'apps' }), true],
    [user('alice'), asked('update', 'deployments', { group: 'apps' }), false],
    [user('alice'), path('get', '/metrics'), true],
    [user('alice'), path('get', '/metrics/slis'), false],
    [user('alice'), path('get', '/logs/a/b'), true],
    [user('alice'), path('post', '/metrics'), false],
    [user('x', 'ops'), asked('get', 'pods'), true],
    [user('bob'), asked('get', 'pods', { namespace: 'team' }), true],
    [user('bob'), asked('get', 'pods', { namespace: 'other' }), false],
    [user('bob'), asked('get', 'pods'), false],
    [user('bob'), path('get', '/metrics'), false],
    [sa, asked('get', 'pods', { namespace: 'team' }), true],
    [user('system:serviceaccount:other:sa'), asked('get', 'pods', { namespace: 'team' }), false],
    [user('x', 'system:masters'), asked('anything', 'at/all'), true],
  ])('%j %j: %s', async (who, attributes, allowed) => {
    expect((await authorizer.authorize(who, attributes)).allowed).toBe(allowed);
  });

  it('says why', async () => {
    const why = async (who: User, attributes: Attributes) => (await authorizer.authorize(who, attributes)).reason;
    expect(await why(user('alice', 'ops'), asked('get', 'pods'))).toBe(
      'RBAC: allowed by ClusterRoleBinding "a" of ClusterRole "reader" to Group "ops"',
    );
    expect(await why(sa, asked('get', 'pods', { namespace: 'team' }))).toBe(
      'RBAC: allowed by RoleBinding "c/team" of Role "own" to ServiceAccount "sa/team"',
    );
    expect(await why(user('carol'), asked('get', 'pods'))).toBe(
      'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
    );
  });

  it('knows what rules cover', () => {
    expect(uncovered([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], [PODS, SCALES])).toEqual([]);
    expect(uncovered([PODS], [{ ...PODS, verbs: ['get', 'delete'] }])).toEqual([
      { verbs: ['delete'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['delete'], apiGroups: [''], resources: ['pods/log'] },
    ]);
    // All names are more than one.
    expect(uncovered([ONE], [{ ...ONE, verbs: ['get'], resourceNames: [] }])).toHaveLength(1);
    expect(uncovered([PATHS], [{ verbs: ['get'], nonResourceURLs: ['/logs/x', '/other'] }])).toHaveLength(1);
  });
});

describe('a node', () => {
  const node = user('system:node:a', 'system:nodes');
  const its: Related = (name, relation, namespace, object) => `${name} ${relation} ${namespace}/${object}` in OBJECTS;
  const OBJECTS: Record<string, true> = {
    'a secrets ns/mine': true,
    'a pods ns/p': true,
    'a serviceaccounts ns/sa': true,
  };
  const no = "no relationship found between node 'a' and this object";
  const onNode = [{ field: 'spec.nodeName', op: '=', value: 'a' } as const];
  it.each<[Attributes, string | true]>([
    [asked('get', 'secrets', { namespace: 'ns', name: 'mine' }), true],
    [asked('watch', 'secrets', { namespace: 'ns', name: 'mine' }), true],
    [asked('get', 'secrets', { namespace: 'ns', name: 'other' }), no],
    [asked('list', 'secrets', { namespace: 'ns' }), 'No Object name found'],
    [asked('delete', 'secrets', { namespace: 'ns', name: 'mine' }), 'can only read resources of this type'],
    [asked('get', 'configmaps', { namespace: 'ns', name: 'mine' }), no],
    [asked('create', 'serviceaccounts/token', { namespace: 'ns', name: 'sa' }), true],
    [asked('create', 'serviceaccounts/token', { namespace: 'ns', name: 'admin' }), no],
    [asked('get', 'nodes', { name: 'a' }), true],
    [asked('get', 'nodes', { name: 'b' }), "node 'a' cannot read 'b', only its own Node object"],
    [asked('list', 'nodes'), "node 'a' cannot read all nodes, only its own Node object"],
    [asked('delete', 'nodes', { name: 'a' }), ''],
    [asked('list', 'pods', { fieldSelector: onNode }), true],
    [asked('list', 'pods'), 'can only list/watch pods with spec.nodeName field selector'],
    [asked('get', 'pods', { namespace: 'ns', name: 'p' }), true],
    [asked('create', 'pods/exec', { namespace: 'ns', name: 'p' }), ''],
    [asked('update', 'leases', { group: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'a' }), true],
    [
      asked('update', 'leases', { group: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'b' }),
      'can only access node lease with the same name as the requesting node',
    ],
    [asked('list', 'services'), true],
    [asked('list', 'namespaces'), ''],
  ])('%j: %s', async (attributes, expected) => {
    const { allowed, reason } = await authorizer.authorize(node, attributes, its);
    expect(allowed || reason).toBe(expected);
  });

  it('is nobody without a name, or outside the group', async () => {
    const lists = asked('list', 'services');
    expect((await authorizer.authorize(user('system:node:', 'system:nodes'), lists)).reason).toMatch(/^unknown node/);
    expect((await authorizer.authorize(user('system:node:a'), lists)).allowed).toBe(false);
  });
});

describe('granting', () => {
  const ESCALATE: PolicyRule = { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] };
  const BIND: PolicyRule = { ...ESCALATE, verbs: ['bind'], resources: ['clusterroles'], resourceNames: ['reader'] };
  const all = new Authorizer(
    [role('reader', [PODS]), role('escalator', [ESCALATE]), role('binder', [BIND])],
    [
      binding('a', 'reader', [alice]),
      binding('b', 'escalator', [{ kind: 'User', name: 'eve' }]),
      binding('c', 'binder', [{ kind: 'User', name: 'ben' }]),
    ],
  );
  const stored: Record<string, object> = { reader: { rules: [PODS] }, admin: { rules: [{ ...PODS, verbs: ['*'] }] } };
  const judge = async (who: User, id: string, object: object, old?: object): Promise<string> => {
    const store = () => ({
      get: async (key: string) => (key in stored ? JSON.stringify({ metadata: { name: key }, ...stored[key] }) : null),
    });
    const attributes = {
      context: {
        user: who,
        info: { namespace: 'ns', name: '', cluster: 'c' },
        snapshot: { authorizer: all },
        around: { store },
      },
      resource: resourceById(`rbac.authorization.k8s.io/${id}`),
      operation: 'CREATE',
      subresource: '',
      object: { metadata: { name: 'new' }, ...object },
      ...(old === undefined ? {} : { old: { metadata: { name: 'new' }, ...old } }),
    } as unknown as Admission;
    try {
      if (rbacEscalation.handles(attributes)) await rbacEscalation.admit?.(attributes);
      return 'allowed';
    } catch (error) {
      if (error instanceof StatusError) return error.message;
      throw error;
    }
  };
  const bindTo = (name: string) => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name } });
  const MORE = { rules: [{ ...PODS, verbs: ['get', 'delete', 'watch'] }] };
  const missing =
    'roles.rbac.authorization.k8s.io "new" is forbidden: user "alice" (groups=["x" "y"]) is attempting to grant RBAC permissions ' +
    'not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}\n' +
    '{APIGroups:[""], Resources:["pods/log"], Verbs:["delete" "watch"]}';

  it.each<[string, User, string, object, object | undefined, RegExp | string]>([
    ['what one holds', user('alice'), 'roles', { rules: [PODS] }, undefined, 'allowed'],
    ['more than one holds', user('alice', 'x', 'y'), 'roles', MORE, undefined, missing],
    [
      'nothing new',
      user('nobody'),
      'roles',
      { ...MORE, metadata: { name: 'new', ownerReferences: [] } },
      MORE,
      'allowed',
    ],
    ['by escalate', user('eve'), 'roles', MORE, undefined, 'allowed'],
    ['by masters', user('root', 'system:masters'), 'roles', MORE, undefined, 'allowed'],
    [
      'by aggregation',
      user('alice'),
      'clusterroles',
      { aggregationRule: { clusterRoleSelectors: [{}] } },
      undefined,
      /must have cluster-admin privileges/,
    ],
    ['a role that one holds', user('alice'), 'rolebindings', bindTo('reader'), undefined, 'allowed'],
    ['a role of more', user('alice'), 'rolebindings', bindTo('admin'), undefined, /attempting to grant/],
    ['a role by bind', user('ben'), 'rolebindings', bindTo('reader'), undefined, 'allowed'],
    ['another role than bind allows', user('ben'), 'rolebindings', bindTo('admin'), undefined, /attempting to grant/],
    ['no role', user('alice'), 'rolebindings', bindTo('none'), undefined, /"none" not found$/],
  ])('%s', async (_, who, id, object, old, expected) => {
    const said = await judge(who, id, object, old);
    if (typeof expected === 'string') expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  });
});
