/** ClusterRoles of controllers, each bound to the ServiceAccount of its name in kube-system: `system:controller:<name>`. */
import { EVENTS, READ, type Roles, rule } from './rule.ts';

const WATCHED = 'list watch';
/** A controller's own kind: read it, write its status, and name it as an owner that blocks deletion. */
const own = (groups: string, resources: string, verbs = `${READ} update`) => [
  rule(verbs, groups, resources),
  rule('update', groups, `${resources}/status`),
  rule('update', groups, `${resources}/finalizers`),
];
const PODS = rule('list watch create patch delete', 'core', 'pods');
const POD_STATUS = rule('patch update', 'core', 'pods/status');
const REVISIONS = rule(`${READ} create update patch delete`, 'apps', 'controllerrevisions');
const SLICES = rule(`${READ} create update delete`, 'discovery.k8s.io', 'endpointslices');
const SIGNERS = 'kube-apiserver-client kube-apiserver-client-kubelet kubelet-serving legacy-unknown';
const signers = (names: string): string => names.replaceAll(/\S+/g, 'kubernetes.io/$&');

export const controllerRoles: Roles = {
  'attachdetach-controller': [
    rule(WATCHED, 'core', 'persistentvolumes persistentvolumeclaims'),
    rule(READ, 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status'),
    rule(WATCHED, 'core', 'pods'),
    EVENTS,
    rule(`${READ} create delete`, 'storage.k8s.io', 'volumeattachments'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
    rule(READ, 'storage.k8s.io', 'csinodes'),
  ],
  'certificate-controller': [
    rule(`${READ} delete`, 'certificates.k8s.io', 'certificatesigningrequests'),
    rule('update', 'certificates.k8s.io', 'certificatesigningrequests/status certificatesigningrequests/approval'),
    rule('approve', 'certificates.k8s.io', 'signers', signers('kube-apiserver-client-kubelet')),
    rule('sign', 'certificates.k8s.io', 'signers', signers(SIGNERS)),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    EVENTS,
  ],
  // It writes rules that it does not hold itself.
  'clusterrole-aggregation-controller': [
    rule(`${READ} update patch escalate`, 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule(`${READ} update`, 'batch', 'cronjobs'),
    rule(`${READ} create update patch delete`, 'batch', 'jobs'),
    rule('update', 'batch', 'cronjobs/status'),
    rule('update', 'batch', 'cronjobs/finalizers'),
    rule('list watch delete', 'core', 'pods'),
    EVENTS,
  ],
  'daemon-set-controller': [
    ...own('apps extensions', 'daemonsets', READ),
    rule(WATCHED, 'core', 'nodes'),
    PODS,
    rule('create', 'core', 'pods/binding'),
    REVISIONS,
    EVENTS,
  ],
  'deployment-controller': [
    ...own('apps extensions', 'deployments'),
    rule(`${READ} create update patch delete`, 'apps extensions', 'replicasets'),
    rule(`${READ} update`, 'core', 'pods'),
    EVENTS,
  ],
  'device-taint-eviction-controller': [
    rule(`${READ} delete`, 'core', 'pods'),
    POD_STATUS,
    rule(READ, 'resource.k8s.io', 'resourceclaims'),
    rule(READ, 'resource.k8s.io', 'resourceslices'),
    rule(READ, 'resource.k8s.io', 'deviceclasses'),
    EVENTS,
  ],
  'disruption-controller': [
    rule(READ, 'apps extensions', 'deployments'),
    rule(READ, 'apps extensions', 'replicasets'),
    rule(READ, 'core', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule(READ, 'apps', 'statefulsets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    POD_STATUS,
    rule('get', '*', '*/scale'),
    EVENTS,
  ],
  'endpoint-controller': [
    rule(READ, 'core', 'services pods'),
    rule(`${READ} create update delete`, 'core', 'endpoints'),
    rule('create', 'core', 'endpoints/restricted'),
    EVENTS,
  ],
  'endpointslice-controller': [
    rule(READ, 'core', 'services pods nodes'),
    rule('update', 'core', 'services/finalizers'),
    SLICES,
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    rule(READ, 'core', 'services endpoints'),
    rule('update', 'core', 'services/finalizers'),
    rule('update', 'core', 'endpoints/finalizers'),
    SLICES,
    EVENTS,
  ],
  'ephemeral-volume-controller': [
    rule(READ, 'core', 'pods'),
    rule('update', 'core', 'pods/finalizers'),
    rule(`${READ} create`, 'core', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'expand-controller': [
    rule(`${READ} update patch`, 'core', 'persistentvolumes'),
    rule('update patch', 'core', 'persistentvolumeclaims/status'),
    rule(READ, 'core', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'generic-garbage-collector': [rule(`${READ} patch update delete`, '*', '*'), EVENTS],
  'horizontal-pod-autoscaler': [
    rule(READ, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get update', '*', '*/scale'),
    rule(WATCHED, 'core', 'pods'),
    rule(WATCHED, 'metrics.k8s.io', 'pods'),
    rule(READ, 'custom.metrics.k8s.io', '*'),
    rule(READ, 'external.metrics.k8s.io', '*'),
    EVENTS,
  ],
  'job-controller': [...own('batch', 'jobs', `${READ} update patch`), PODS, EVENTS],
  'legacy-service-account-token-cleaner': [
    rule('get', 'core', 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('patch delete', 'core', 'secrets'),
  ],
  'namespace-controller': [
    rule(`${READ} delete`, 'core', 'namespaces'),
    rule('update', 'core', 'namespaces/finalize namespaces/status'),
    rule(`${READ} delete deletecollection`, '*', '*'),
  ],
  'node-controller': [
    rule(`${READ} update delete patch`, 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status'),
    POD_STATUS,
    rule(`${READ} delete`, 'core', 'pods'),
    EVENTS,
  ],
  'persistent-volume-binder': [
    rule(`${READ} update create delete`, 'core', 'persistentvolumes'),
    rule('update', 'core', 'persistentvolumes/status'),
    rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'persistentvolumeclaims/status'),
    rule(`${READ} create delete`, 'core', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(WATCHED, 'core', 'nodes'),
    EVENTS,
    rule('watch', 'core', 'events'),
  ],
  'pod-garbage-collector': [
    rule('list watch delete', 'core', 'pods'),
    rule(READ, 'core', 'nodes'),
    rule('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [rule(`${READ} update`, 'core', 'persistentvolumes'), EVENTS],
  'pvc-protection-controller': [
    rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'persistentvolumeclaims/status'),
    rule(READ, 'core', 'pods'),
    EVENTS,
  ],
  'replicaset-controller': [...own('apps extensions', 'replicasets'), PODS, EVENTS],
  'replication-controller': [...own('core', 'replicationcontrollers'), PODS, EVENTS],
  'resource-claim-controller': [
    rule(READ, 'core', 'pods'),
    rule('update', 'core', 'pods/finalizers'),
    rule(`${READ} create delete`, 'resource.k8s.io', 'resourceclaims'),
    rule('update patch', 'resource.k8s.io', 'resourceclaims resourceclaims/status'),
    POD_STATUS,
    EVENTS,
    rule('update patch', 'resource.k8s.io', 'resourceclaims/binding'),
  ],
  'resourcequota-controller': [rule(WATCHED, '*', '*'), rule('update', 'core', 'resourcequotas/status'), EVENTS],
  'root-ca-cert-publisher': [rule('create update', 'core', 'configmaps'), EVENTS],
  'route-controller': [rule(WATCHED, 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), EVENTS],
  'selinux-warning-controller': [
    EVENTS,
    rule(READ, 'core', 'persistentvolumes'),
    rule(READ, 'core', 'persistentvolumeclaims'),
    rule(READ, 'core', 'pods'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
  ],
  'service-account-controller': [rule('create', 'core', 'serviceaccounts'), EVENTS],
  'service-cidrs-controller': [
    rule(`${READ} patch update`, 'networking.k8s.io', 'servicecidrs'),
    rule('patch update', 'networking.k8s.io', 'servicecidrs/finalizers'),
    rule('patch update', 'networking.k8s.io', 'servicecidrs/status'),
    rule(READ, 'networking.k8s.io', 'ipaddresses'),
    EVENTS,
  ],
  'service-controller': [
    rule(READ, 'core', 'services'),
    rule('patch update', 'core', 'services/status'),
    rule(WATCHED, 'core', 'nodes'),
    EVENTS,
  ],
  'statefulset-controller': [
    rule(WATCHED, 'core', 'pods'),
    ...own('apps', 'statefulsets', READ),
    rule('get create delete update patch', 'core', 'pods'),
    REVISIONS,
    rule(`${READ} create`, 'core', 'persistentvolumeclaims'),
    rule('update delete', 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'pods/finalizers'),
    EVENTS,
  ],
  'ttl-after-finished-controller': [rule(`${READ} delete`, 'batch', 'jobs'), EVENTS],
  'ttl-controller': [rule('list watch update patch', 'core', 'nodes'), EVENTS],
  'validatingadmissionpolicy-status-controller': [
    rule(READ, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    EVENTS,
  ],
  'volumeattributesclass-protection-controller': [
    rule(READ, 'core', 'persistentvolumeclaims'),
    rule(READ, 'core', 'persistentvolumes'),
    rule(`${READ} update`, 'storage.k8s.io', 'volumeattributesclasses'),
    EVENTS,
  ],
};
