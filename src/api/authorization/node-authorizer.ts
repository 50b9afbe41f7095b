/**
 * What a node credential may do, after upstream's Node authorizer and the `system:node` role. Which Secrets, ConfigMaps, claims and
 * tokens are a node's own is not told apart yet: a node may read them by name, and never list them.
 */
import { NODE_PREFIX, NODES, type User } from '../authentication/user.ts';
import type { Attributes } from './attributes.ts';

const READ = ['get', 'list', 'watch'];
const RULES: Record<string, readonly string[]> = {
  '/nodes': ['create', ...READ, 'update', 'patch'],
  '/nodes/status': ['update', 'patch'],
  '/services': READ,
  '/namespaces': READ,
  '/pods': [...READ, 'create', 'delete'],
  '/pods/status': ['update', 'patch'],
  '/pods/eviction': ['create'],
  '/events': ['create', 'update', 'patch'],
  '/secrets': ['get', 'watch'],
  '/configmaps': ['get', 'watch'],
  '/persistentvolumeclaims': ['get'],
  '/persistentvolumes': ['get'],
  '/endpoints': READ,
  '/serviceaccounts': ['get'],
  '/serviceaccounts/token': ['create'],
  'discovery.k8s.io/endpointslices': READ,
  'networking.k8s.io/networkpolicies': READ,
  'node.k8s.io/runtimeclasses': READ,
  'storage.k8s.io/csidrivers': READ,
  'storage.k8s.io/csinodes': ['create', 'delete', 'get', 'patch', 'update'],
  'storage.k8s.io/volumeattachments': ['get'],
  'coordination.k8s.io/leases': ['get', 'create', 'update', 'patch', 'delete'],
  'certificates.k8s.io/certificatesigningrequests': ['create', ...READ],
  'authentication.k8s.io/tokenreviews': ['create'],
  'authorization.k8s.io/subjectaccessreviews': ['create'],
};
/** Writes to these are to the node's own object only. */
const OWN = new Set(['/nodes', '/nodes/status', 'coordination.k8s.io/leases', 'storage.k8s.io/csinodes']);

/** Whether a node may; false says nothing about other authorizers. */
export function nodeMay(user: User, attributes: Attributes): boolean {
  if (!attributes.isResource || !user.name.startsWith(NODE_PREFIX) || !user.groups.includes(NODES)) return false;
  const { group, resource, subresource, verb, name, namespace } = attributes;
  const key = `${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`;
  if (RULES[key]?.includes(verb) !== true) return false;
  if (group === 'coordination.k8s.io' && namespace !== 'kube-node-lease') return false;
  const writes = !READ.includes(verb);
  if (writes && verb !== 'create' && OWN.has(key)) return name === user.name.slice(NODE_PREFIX.length);
  return true;
}
