/** The objects that a new cluster has before anyone has made one. */
import type { ResourceId } from '../../apimachinery/client.ts';
import { CLUSTER_AUTHENTICATION, clusterAuthentication } from '../../apimachinery/cluster-authentication.ts';
import { type KubeObject, now } from '../../apimachinery/meta.ts';
import { apiServices } from './apiservices.ts';
import { flowSchemas, priorityLevels } from './flowcontrol.ts';

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

/**
 * Where the API is, for who asks for its endpoints: it has no address that stays, so this is the dummy one of RFC 7600. Nodes answer for
 * the Service themselves.
 */
const API_ENDPOINT_IP = '192.0.0.8';
const API_ENDPOINTS = { name: 'kubernetes', namespace: 'default' };
const endpoints: Made = {
  metadata: { ...API_ENDPOINTS, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  subsets: [{ addresses: [{ ip: API_ENDPOINT_IP }], ports: [{ name: 'https', port: 443, protocol: 'TCP' }] }],
};
const endpointSlice: Made = {
  metadata: { ...API_ENDPOINTS, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [API_ENDPOINT_IP], conditions: { ready: true } }],
  ports: [{ name: 'https', port: 443, protocol: 'TCP' }],
};

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

const serviceCidr: Made = {
  metadata: { name: 'kubernetes' },
  spec: { cidrs: [SERVICE_CIDR] },
  status: {
    conditions: [{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes default Service CIDR is ready' }],
  },
};

/** ConfigMaps by which others learn of the server: whom to trust, and since when it notes the use of tokens kept in Secrets. */
const configMaps = (ca: string): Made[] => [
  {
    metadata: { ...CLUSTER_AUTHENTICATION },
    data: clusterAuthentication(ca),
  },
  {
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: now().slice(0, 10) },
  },
];

/** All but roles and bindings, in the order in which they are made: namespaces before what lives in them. `ca`: the CAs, PEM. */
export const bootstrapObjects = (ca: string): readonly (readonly [ResourceId, readonly KubeObject[]])[] => [
  ['core/namespaces', namespaces],
  ['scheduling.k8s.io/priorityclasses', priorityClasses],
  ['core/services', services],
  ['core/endpoints', [endpoints]],
  ['discovery.k8s.io/endpointslices', [endpointSlice]],
  ['core/configmaps', configMaps(ca)],
  ['networking.k8s.io/servicecidrs', [serviceCidr]],
  ['apiregistration.k8s.io/apiservices', apiServices],
  ['flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', priorityLevels],
  ['flowcontrol.apiserver.k8s.io/flowschemas', flowSchemas],
];
