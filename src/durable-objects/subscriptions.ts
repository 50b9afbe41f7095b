/** Who is told of whose changes. */
import { HOOK_STORES } from '../api/admission/hooks/facts.ts';
import { FLOW_STORES } from '../api/flowcontrol/facts.ts';
import type { ResourceId } from '../apimachinery/client.ts';
import { watchedByApiServer, watchedStores } from '../controllers/index.ts';
import { isCustomStore } from '../controllers/stores.ts';

export type Subscriber = 'controllers' | 'scheduler' | 'cluster';

/** Beside pods and nodes, what plugins of the scheduler may read; it looks at those alone that it has read. */
const OF_SCHEDULER = new Set([
  'core/pods',
  'core/nodes',
  'core/configmaps',
  'core/namespaces',
  'core/services',
  'core/replicationcontrollers',
  'core/persistentvolumes',
  'core/persistentvolumeclaims',
  'apps/replicasets',
  'apps/statefulsets',
  'policy/poddisruptionbudgets',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csistoragecapacities',
  'storage.k8s.io/volumeattachments',
  'resource.k8s.io/resourceclaims',
  'resource.k8s.io/resourceslices',
  'resource.k8s.io/deviceclasses',
]);
/** What the cluster's snapshot is made of. */
const OF_CLUSTER = new Set<ResourceId>([
  ...HOOK_STORES,
  ...FLOW_STORES,
  'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices',
  'core/namespaces',
  'core/resourcequotas',
  'rbac.authorization.k8s.io/roles',
  'rbac.authorization.k8s.io/rolebindings',
  'rbac.authorization.k8s.io/clusterroles',
  'rbac.authorization.k8s.io/clusterrolebindings',
]);
/** The subscribers of a store. */
export function subscribersOf(id: ResourceId, controllers: boolean): Subscriber[] {
  const subscribers: Subscriber[] = [];
  if (OF_CLUSTER.has(id)) subscribers.push('cluster');
  const isHeard = controllers ? watchedStores.has(id) || isCustomStore(id) : watchedByApiServer.has(id);
  if (isHeard) subscribers.push('controllers');
  if (controllers && OF_SCHEDULER.has(id)) subscribers.push('scheduler');
  return subscribers;
}
