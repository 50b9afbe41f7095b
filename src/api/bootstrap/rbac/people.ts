/** ClusterRoles for people: what an owner, an editor and a reader of a namespace may do, and what everybody may. */
import { ALL, pathRule, READ, type Roles, rule, WRITE } from './rule.ts';

const HEALTH = '/healthz /livez /readyz';
const VERSION = '/version /version/';

/** These take the rules of every ClusterRole that has the label. */
export const aggregatedRoles: Readonly<Record<string, string>> = {
  admin: 'rbac.authorization.k8s.io/aggregate-to-admin',
  edit: 'rbac.authorization.k8s.io/aggregate-to-edit',
  view: 'rbac.authorization.k8s.io/aggregate-to-view',
};

/** Into which role a role's rules go. */
export const aggregatesTo: Readonly<Record<string, keyof typeof aggregatedRoles>> = {
  edit: 'admin',
  view: 'edit',
  'system:aggregate-to-admin': 'admin',
  'system:aggregate-to-edit': 'edit',
  'system:aggregate-to-view': 'view',
};

const WORKLOADS = 'daemonsets deployments replicasets statefulsets';
const SCALES = 'deployments/scale replicasets/scale statefulsets/scale';
const STATUSES = 'daemonsets/status deployments/status replicasets/status statefulsets/status';
/** Who still asks for these by the group in which they began. */
const EXTENSIONS =
  'daemonsets deployments deployments/scale replicasets replicasets/scale replicationcontrollers/scale';
const EXTENSION_STATUSES = 'daemonsets/status deployments/status replicasets/status';
const REACH = 'pods/attach pods/exec pods/portforward pods/proxy';

export const peoplesRoles: Roles = {
  'cluster-admin': [rule('*', '*', '*'), pathRule('*', '*')],

  'system:aggregate-to-admin': [
    rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    rule(ALL, 'rbac.authorization.k8s.io', 'roles rolebindings'),
  ],
  'system:aggregate-to-edit': [
    // What is read here can act as somebody else, and is not for those who only look.
    rule(READ, 'core', `${REACH} secrets services/proxy`),
    rule('impersonate', 'core', 'serviceaccounts'),
    rule(WRITE, 'core', `pods ${REACH}`),
    rule('create', 'core', 'pods/eviction'),
    rule(
      WRITE,
      'core',
      'configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    ),
    rule('create', 'core', 'serviceaccounts/token'),
    rule(WRITE, 'core events.k8s.io', 'events'),
    rule(WRITE, 'apps', `${WORKLOADS} ${SCALES} deployments/rollback`),
    rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
    rule(WRITE, 'batch', 'cronjobs jobs'),
    rule(WRITE, 'extensions', `${EXTENSIONS} deployments/rollback ingresses networkpolicies`),
    rule(WRITE, 'policy', 'poddisruptionbudgets'),
    rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
    rule(ALL, 'coordination.k8s.io', 'leases'),
    rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
  ],
  'system:aggregate-to-view': [
    rule(
      READ,
      'core',
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    ),
    rule(
      READ,
      'core',
      'bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    ),
    rule(READ, 'core', 'namespaces'),
    rule(READ, 'core events.k8s.io', 'events'),
    rule(READ, 'discovery.k8s.io', 'endpointslices'),
    rule(READ, 'apps', `controllerrevisions ${WORKLOADS} ${SCALES} ${STATUSES}`),
    rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    rule(READ, 'extensions', `${EXTENSIONS} ${EXTENSION_STATUSES} ingresses ingresses/status networkpolicies`),
    rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
    rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
  ],

  'system:basic-user': [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [pathRule('get', `${HEALTH} ${VERSION} /openapi /openapi/* /api /api/* /apis /apis/*`)],
  'system:public-info-viewer': [pathRule('get', `${HEALTH} ${VERSION}`)],
  'system:monitoring': [
    pathRule('get', `${HEALTH} /healthz/* /livez/* /readyz/* /metrics /metrics/slis /flagz /statusz`),
    rule('get', 'core', 'nodes/metrics'),
  ],
  'system:service-account-issuer-discovery': [
    pathRule(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ],
};
