/** The roles and bindings without which nobody could do anything, named as upstream names them. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { PolicyRule } from '../../durable-objects/cluster-rpc.ts';

const BOOTSTRAPPING = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const AUTOUPDATE = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const RBAC = 'rbac.authorization.k8s.io';

type Made = KubeObject & Record<string, unknown>;

const role = (name: string, rules: PolicyRule[]): Made => ({
  metadata: { name, labels: { ...BOOTSTRAPPING }, annotations: { ...AUTOUPDATE } },
  rules,
});

const binding = (name: string, groups: string[]): Made => ({
  metadata: { name, labels: { ...BOOTSTRAPPING }, annotations: { ...AUTOUPDATE } },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
  subjects: groups.map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
});

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

/** What a namespace's users work with, by group; Secrets and ServiceAccounts are told apart below. */
const WORKLOADS: [string, string[]][] = [
  [
    '',
    [
      'configmaps',
      'endpoints',
      'persistentvolumeclaims',
      'pods',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'services',
    ],
  ],
  [
    'apps',
    [
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
  ],
  ['autoscaling', ['horizontalpodautoscalers']],
  ['batch', ['cronjobs', 'jobs']],
  ['networking.k8s.io', ['ingresses', 'networkpolicies']],
  ['policy', ['poddisruptionbudgets']],
];

const viewRules: PolicyRule[] = [
  ...WORKLOADS.map(([group, names]) => ({
    apiGroups: [group],
    resources: names.flatMap((name) => (name.includes('/') ? [name] : [name, `${name}/status`])),
    verbs: READ,
  })),
  {
    apiGroups: [''],
    resources: ['bindings', 'events', 'limitranges', 'namespaces', 'pods/log', 'resourcequotas', 'serviceaccounts'],
    verbs: READ,
  },
  { apiGroups: ['apps'], resources: ['controllerrevisions'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
];

const editRules: PolicyRule[] = [
  ...viewRules,
  ...WORKLOADS.map(([group, names]) => ({ apiGroups: [group], resources: names, verbs: WRITE })),
  { apiGroups: [''], resources: ['secrets', 'serviceaccounts'], verbs: [...READ, ...WRITE] },
  { apiGroups: [''], resources: ['serviceaccounts/token', 'pods/eviction'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'services/proxy'],
    verbs: [...READ, 'create', 'delete', 'deletecollection', 'patch', 'update'],
  },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...READ, ...WRITE] },
];

const adminRules: PolicyRule[] = [
  ...editRules,
  { apiGroups: [RBAC], resources: ['rolebindings', 'roles'], verbs: [...READ, ...WRITE] },
  { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
];

const DISCOVERY = ['/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz'];
const ISSUER = ['/.well-known/openid-configuration', '/openid/v1/jwks'];

export const clusterRoles: readonly Made[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  role('admin', adminRules),
  role('edit', editRules),
  role('view', viewRules),
  role('system:discovery', [{ nonResourceURLs: [...DISCOVERY, '/version', '/version/'], verbs: ['get'] }]),
  role('system:public-info-viewer', [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ]),
  role('system:service-account-issuer-discovery', [{ nonResourceURLs: ISSUER, verbs: ['get'] }]),
  role('system:basic-user', [
    {
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      verbs: ['create'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  ]),
];

export const bindings: readonly Made[] = [
  binding('cluster-admin', ['system:masters']),
  binding('system:discovery', ['system:authenticated']),
  binding('system:basic-user', ['system:authenticated']),
  binding('system:public-info-viewer', ['system:authenticated', 'system:unauthenticated']),
  // The issuer's documents hold public keys alone, and other systems read them without an identity of this cluster.
  binding('system:service-account-issuer-discovery', ['system:serviceaccounts', 'system:unauthenticated']),
];
