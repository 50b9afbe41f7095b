/** ClusterRoles for the components of a cluster, and for the add-ons that upstream knows by name. */
import { ALL, EVENTS, READ, type Roles, rule } from './rule.ts';

const REVIEWS = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];
const PATCHABLE = `${READ} update patch`;
const CSR = 'certificates.k8s.io';

/** Whoever may approve what a signer signs. */
const approver = (signer: string) => [rule('approve', CSR, 'signers', `kubernetes.io/${signer}`)];

export const componentRoles: Roles = {
  'system:auth-delegator': REVIEWS,
  'system:heapster': [rule(READ, 'core', 'events pods nodes namespaces'), rule(READ, 'extensions', 'deployments')],
  'system:kube-aggregator': [rule(READ, 'core', 'services endpoints')],
  'system:kube-dns': [rule('list watch', 'core', 'endpoints services')],
  'system:kubelet-api-admin': [
    rule(READ, 'core', 'nodes'),
    rule('proxy', 'core', 'nodes'),
    rule('*', 'core', 'nodes/proxy nodes/metrics nodes/stats nodes/log'),
    rule('*', 'core', 'nodes/configz nodes/healthz nodes/pods'),
  ],
  'system:persistent-volume-provisioner': [
    rule(`${READ} create delete`, 'core', 'persistentvolumes'),
    rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('watch', 'core', 'events'),
    EVENTS,
  ],
  'system:volume-scheduler': [
    rule(PATCHABLE, 'core', 'persistentvolumes'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(PATCHABLE, 'core', 'persistentvolumeclaims'),
  ],

  'system:kube-controller-manager': [
    EVENTS,
    rule('create', 'coordination.k8s.io', 'leases'),
    rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
    rule('create', 'core', 'secrets serviceaccounts'),
    rule('delete', 'core', 'secrets'),
    rule('get', 'core', 'namespaces secrets serviceaccounts configmaps'),
    rule('update', 'core', 'secrets serviceaccounts'),
    ...REVIEWS,
    // The garbage collector and the quotas watch whatever there is.
    rule('list watch', '*', '*'),
    rule('create', 'core', 'serviceaccounts/token'),
  ],
  'system:kube-scheduler': [
    EVENTS,
    rule('create', 'coordination.k8s.io', 'leases'),
    rule('get update list watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
    rule(ALL, 'coordination.k8s.io', 'leasecandidates'),
    rule(READ, 'core', 'nodes'),
    rule(`${READ} delete`, 'core', 'pods'),
    rule('create', 'core', 'pods/binding bindings'),
    rule('patch update', 'core', 'pods/status'),
    rule(READ, 'core', 'services replicationcontrollers'),
    rule(READ, 'apps extensions', 'replicasets'),
    rule(READ, 'apps', 'statefulsets'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule(READ, 'core', 'persistentvolumeclaims persistentvolumes'),
    ...REVIEWS,
    rule(READ, 'storage.k8s.io', 'csinodes'),
    rule(READ, 'storage.k8s.io', 'volumeattachments'),
    rule(READ, 'core', 'namespaces'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
    rule(READ, 'storage.k8s.io', 'csistoragecapacities'),
    rule(READ, 'resource.k8s.io', 'deviceclasses'),
    rule(PATCHABLE, 'resource.k8s.io', 'resourceclaims'),
    rule(PATCHABLE, 'resource.k8s.io', 'resourceclaims/status'),
    rule('update', 'core', 'pods/finalizers'),
    rule(READ, 'resource.k8s.io', 'resourceslices'),
    rule('create delete', 'resource.k8s.io', 'resourceclaims'),
    rule('update patch', 'resource.k8s.io', 'resourceclaims/binding'),
  ],

  // Bound to nobody: the Node authorizer speaks for nodes. It stays for clusters that bind it themselves.
  'system:node': [
    rule('create', 'authentication.k8s.io', 'tokenreviews'),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
    rule(READ, 'core', 'services'),
    rule(`${READ} create`, 'core', 'nodes'),
    rule('update patch', 'core', 'nodes/status'),
    rule('update patch', 'core', 'nodes'),
    EVENTS,
    rule(READ, 'core', 'pods'),
    rule('create delete', 'core', 'pods'),
    rule('update patch', 'core', 'pods/status'),
    rule('create', 'core', 'pods/eviction'),
    rule(READ, 'core', 'secrets configmaps'),
    rule('get', 'core', 'persistentvolumeclaims persistentvolumes'),
    rule('get', 'core', 'endpoints'),
    rule(`${READ} create`, CSR, 'certificatesigningrequests'),
    rule('get create update patch delete', 'coordination.k8s.io', 'leases'),
    rule('get', 'storage.k8s.io', 'volumeattachments'),
    rule('create', 'core', 'serviceaccounts/token'),
    rule('get update patch', 'core', 'persistentvolumeclaims/status'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
    rule('get create update patch delete', 'storage.k8s.io', 'csinodes'),
    rule(READ, 'node.k8s.io', 'runtimeclasses'),
    rule('get', 'resource.k8s.io', 'resourceclaims'),
    rule('deletecollection', 'resource.k8s.io', 'resourceslices'),
    rule('get', 'core', 'serviceaccounts'),
  ],
  'system:node-bootstrapper': [rule(`${READ} create`, CSR, 'certificatesigningrequests')],
  'system:node-problem-detector': [rule('get', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), EVENTS],
  'system:node-proxier': [
    rule('list watch', 'core', 'services endpoints'),
    rule(READ, 'core', 'nodes'),
    EVENTS,
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
  ],

  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': [
    rule('create', CSR, 'certificatesigningrequests/nodeclient'),
  ],
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': [
    rule('create', CSR, 'certificatesigningrequests/selfnodeclient'),
  ],
  'system:certificates.k8s.io:kube-apiserver-client-approver': approver('kube-apiserver-client'),
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': approver('kube-apiserver-client-kubelet'),
  'system:certificates.k8s.io:kubelet-serving-approver': approver('kubelet-serving'),
  'system:certificates.k8s.io:legacy-unknown-approver': approver('legacy-unknown'),
};

/** Ours: what an agent reads beyond upstream's kubelet, which has a kube-proxy, a network plugin and CoreDNS beside it. */
export const agentRoles: Roles = {
  'zeroplane:agent': [
    rule(READ, 'core', 'endpoints namespaces nodes services'),
    rule(READ, 'core', 'configmaps', 'kube-root-ca.crt'),
    rule(READ, 'discovery.k8s.io', 'endpointslices'),
    rule(READ, 'networking.k8s.io', 'networkpolicies servicecidrs'),
  ],
};

/** What metrics-server brings where it is installed: here `metrics.k8s.io` is built in. It goes to all three of people's roles. */
export const metricsRoles: Roles = {
  'system:aggregated-metrics-reader': [rule(READ, 'metrics.k8s.io', 'nodes pods')],
};
