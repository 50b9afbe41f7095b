/** The objects that a new cluster has before anyone has made one. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { bindings, clusterRoles } from './policy.ts';

export const SERVICE_CIDR = '10.96.0.0/16';
export const API_SERVICE_IP = '10.96.0.1';
export const DNS_SERVICE_IP = '10.96.0.10';
export const CLUSTER_DOMAIN = 'cluster.local';
export const CLUSTER_CIDR = '10.244.0.0/16';

type Made = KubeObject & Record<string, unknown>;

const namespaces: Made[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({
  metadata: { name },
}));

const services: Made[] = [
  {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: API_SERVICE_IP,
      clusterIPs: [API_SERVICE_IP],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 443 }],
    },
  },
  {
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: DNS_SERVICE_IP,
      clusterIPs: [DNS_SERVICE_IP],
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
    },
  },
];

const SYSTEM_PRIORITY = 2_000_000_000;
const priorityClasses: Made[] = [
  {
    metadata: { name: 'system-cluster-critical' },
    value: SYSTEM_PRIORITY,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    metadata: { name: 'system-node-critical' },
    value: SYSTEM_PRIORITY + 1000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

/** In the order in which they are made: namespaces before what lives in them. */
export const bootstrapObjects: readonly [ResourceId, readonly Made[]][] = [
  ['core/namespaces', namespaces],
  ['rbac.authorization.k8s.io/clusterroles', clusterRoles],
  ['rbac.authorization.k8s.io/clusterrolebindings', bindings],
  ['scheduling.k8s.io/priorityclasses', priorityClasses],
  ['core/services', services],
];
