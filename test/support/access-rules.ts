/**
 * Who may do what at each route, written down by hand: what a new route allows is for a person to say. Verbs are single letters: get,
 * list, watch, create, update, patch, delete, and x for deletecollection. `view`, `edit` and `admin` are people with that ClusterRole
 * in the namespace; what an editor may an administrator may too. `a` is the node that Nodes, Leases and CSINodes are named after, `b`
 * the node that the pod runs on. `all`: whoever is authenticated.
 */
export interface Rule {
  view?: string;
  edit?: string;
  admin?: string;
  a?: string;
  b?: string;
  all?: string;
}

const READ = 'glw';
const ALL = 'glwcupdx';
/** For administrators of the cluster alone. */
const NONE: Rule = {};
const WORKLOAD: Rule = { view: READ, edit: ALL };
const READ_ONLY: Rule = { view: READ, edit: READ };
const STATUS: Rule = { view: 'g', edit: 'g' };
const SCALE: Rule = { view: 'g', edit: 'gup' };
const REACH: Rule = { edit: ALL };
const NODES_READ: Rule = { a: READ, b: READ };
const SELF: Rule = { all: 'c' };

/** By `<group>/<resource>[/<subresource>]`. */
export const RULES: Readonly<Record<string, Rule>> = {
  'core/bindings': NONE,
  'core/componentstatuses': NONE,
  'core/configmaps': WORKLOAD,
  'core/endpoints': { ...READ_ONLY, a: 'g', b: 'g' },
  'core/events': { ...WORKLOAD, a: 'cup', b: 'cup' },
  'core/limitranges': READ_ONLY,
  'core/namespaces': { view: 'g', edit: 'g' },
  'core/namespaces/finalize': NONE,
  'core/namespaces/status': STATUS,
  'core/nodes': { a: 'gcup' },
  'core/nodes/proxy': NONE,
  'core/nodes/status': { a: 'up' },
  'core/persistentvolumeclaims': WORKLOAD,
  'core/persistentvolumeclaims/status': STATUS,
  'core/persistentvolumes': NONE,
  'core/persistentvolumes/status': NONE,
  'core/pods': { ...WORKLOAD, b: 'gd' },
  'core/pods/attach': REACH,
  'core/pods/binding': NONE,
  'core/pods/ephemeralcontainers': NONE,
  'core/pods/eviction': { edit: 'c', b: 'c' },
  'core/pods/exec': REACH,
  'core/pods/log': STATUS,
  'core/pods/portforward': REACH,
  'core/pods/proxy': REACH,
  'core/pods/resize': NONE,
  'core/pods/status': { ...STATUS, b: 'up' },
  'core/podtemplates': NONE,
  'core/replicationcontrollers': WORKLOAD,
  'core/replicationcontrollers/scale': SCALE,
  'core/replicationcontrollers/status': STATUS,
  'core/resourcequotas': READ_ONLY,
  'core/resourcequotas/status': STATUS,
  'core/secrets': { edit: ALL },
  'core/serviceaccounts': WORKLOAD,
  'core/serviceaccounts/token': { edit: 'c' },
  'core/services': { ...WORKLOAD, ...NODES_READ },
  'core/services/proxy': REACH,
  'core/services/status': STATUS,
  'admissionregistration.k8s.io/mutatingadmissionpolicies': NONE,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': NONE,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': NONE,
  'admissionregistration.k8s.io/validatingadmissionpolicies': NONE,
  'admissionregistration.k8s.io/validatingadmissionpolicies/status': NONE,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': NONE,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': NONE,
  'apiextensions.k8s.io/customresourcedefinitions': NONE,
  'apiextensions.k8s.io/customresourcedefinitions/status': NONE,
  'apiregistration.k8s.io/apiservices': NONE,
  'apiregistration.k8s.io/apiservices/status': NONE,
  'apps/controllerrevisions': READ_ONLY,
  'apps/daemonsets': WORKLOAD,
  'apps/daemonsets/status': STATUS,
  'apps/deployments': WORKLOAD,
  'apps/deployments/scale': SCALE,
  'apps/deployments/status': STATUS,
  'apps/replicasets': WORKLOAD,
  'apps/replicasets/scale': SCALE,
  'apps/replicasets/status': STATUS,
  'apps/statefulsets': WORKLOAD,
  'apps/statefulsets/scale': SCALE,
  'apps/statefulsets/status': STATUS,
  'authentication.k8s.io/selfsubjectreviews': SELF,
  'authentication.k8s.io/tokenreviews': { a: 'c', b: 'c' },
  'authorization.k8s.io/localsubjectaccessreviews': { admin: 'c', a: 'c', b: 'c' },
  'authorization.k8s.io/selfsubjectaccessreviews': SELF,
  'authorization.k8s.io/selfsubjectrulesreviews': SELF,
  'authorization.k8s.io/subjectaccessreviews': { a: 'c', b: 'c' },
  'autoscaling/horizontalpodautoscalers': WORKLOAD,
  'autoscaling/horizontalpodautoscalers/status': STATUS,
  'batch/cronjobs': WORKLOAD,
  'batch/cronjobs/status': STATUS,
  'batch/jobs': WORKLOAD,
  'batch/jobs/status': STATUS,
  'certificates.k8s.io/certificatesigningrequests': { a: 'glwc', b: 'glwc' },
  'certificates.k8s.io/certificatesigningrequests/approval': NONE,
  'certificates.k8s.io/certificatesigningrequests/status': NONE,
  'coordination.k8s.io/leases': { edit: ALL },
  'discovery.k8s.io/endpointslices': READ_ONLY,
  'events.k8s.io/events': { ...WORKLOAD, a: 'cup', b: 'cup' },
  'flowcontrol.apiserver.k8s.io/flowschemas': NONE,
  'flowcontrol.apiserver.k8s.io/flowschemas/status': NONE,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': NONE,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/status': NONE,
  'metrics.k8s.io/nodes': NONE,
  'metrics.k8s.io/pods': READ_ONLY,
  'networking.k8s.io/ingressclasses': NONE,
  'networking.k8s.io/ingresses': WORKLOAD,
  'networking.k8s.io/ingresses/status': STATUS,
  'networking.k8s.io/ipaddresses': NONE,
  'networking.k8s.io/networkpolicies': WORKLOAD,
  'networking.k8s.io/servicecidrs': NONE,
  'networking.k8s.io/servicecidrs/status': NONE,
  'node.k8s.io/runtimeclasses': NODES_READ,
  'policy/poddisruptionbudgets': WORKLOAD,
  'policy/poddisruptionbudgets/status': STATUS,
  'rbac.authorization.k8s.io/clusterrolebindings': NONE,
  'rbac.authorization.k8s.io/clusterroles': NONE,
  'rbac.authorization.k8s.io/rolebindings': { admin: ALL },
  'rbac.authorization.k8s.io/roles': { admin: ALL },
  'resource.k8s.io/deviceclasses': NONE,
  'resource.k8s.io/resourceclaims': WORKLOAD,
  'resource.k8s.io/resourceclaims/status': STATUS,
  'resource.k8s.io/resourceclaimtemplates': WORKLOAD,
  'resource.k8s.io/resourceslices': NONE,
  'scheduling.k8s.io/priorityclasses': NONE,
  'storage.k8s.io/csidrivers': NODES_READ,
  'storage.k8s.io/csinodes': { a: 'gcupd' },
  'storage.k8s.io/csistoragecapacities': NONE,
  'storage.k8s.io/storageclasses': NONE,
  'storage.k8s.io/volumeattachments': NONE,
  'storage.k8s.io/volumeattachments/status': NONE,
  'storage.k8s.io/volumeattributesclasses': NONE,
};

/** Paths that are no resources', and who reads them. */
export const PATHS: Readonly<Record<string, 'anybody' | 'authenticated' | 'nobody'>> = {
  '/version': 'anybody',
  '/healthz': 'anybody',
  '/livez': 'anybody',
  '/readyz': 'anybody',
  '/.well-known/openid-configuration': 'anybody',
  '/openid/v1/jwks': 'anybody',
  '/api': 'authenticated',
  '/api/v1': 'authenticated',
  '/apis': 'authenticated',
  '/apis/apps': 'authenticated',
  '/apis/apps/v1': 'authenticated',
  '/openapi/v2': 'authenticated',
  '/openapi/v3': 'authenticated',
  '/': 'nobody',
  '/metrics': 'nobody',
  '/healthz/etcd': 'nobody',
  '/logs/x': 'nobody',
};
