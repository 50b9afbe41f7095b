/** Every resource that is built in, in the order of discovery. */
import type { ResourceId } from '../apimachinery/client.ts';
import { admissionregistrationResources } from './admissionregistration/index.ts';
import { apiextensionsResources } from './apiextensions/index.ts';
import { apiregistrationResources } from './apiregistration/index.ts';
import { appsResources } from './apps/index.ts';
import { authenticationResources } from './authentication/index.ts';
import { authorizationResources } from './authorization/index.ts';
import { autoscalingResources } from './autoscaling/index.ts';
import { batchResources } from './batch/index.ts';
import { certificatesResources } from './certificates/index.ts';
import { columnsFor, defaultColumns } from './columns/index.ts';
import { coordinationResources } from './coordination/index.ts';
import { coreResources } from './core/index.ts';
import { discoveryResources } from './discovery/index.ts';
import { eventsResources } from './events/index.ts';
import { flowcontrolResources } from './flowcontrol/index.ts';
import { metricsResources } from './metrics/index.ts';
import { networkingResources } from './networking/index.ts';
import { nodeResources } from './node/index.ts';
import { policyResources } from './policy/index.ts';
import { rbacResources } from './rbac/index.ts';
import { type Resource, storeOf } from './resource.ts';
import { resourceK8sIoResources } from './resource-k8s-io/index.ts';
import { schedulingResources } from './scheduling/index.ts';
import { storageResources } from './storage/index.ts';

/** All built-in resources: groups in the order of `/apis`, preferred versions first, resources by name. */
export const resources: readonly Resource[] = [
  coreResources,
  apiregistrationResources,
  appsResources,
  eventsResources,
  authenticationResources,
  authorizationResources,
  autoscalingResources,
  batchResources,
  certificatesResources,
  networkingResources,
  policyResources,
  rbacResources,
  storageResources,
  admissionregistrationResources,
  apiextensionsResources,
  schedulingResources,
  coordinationResources,
  nodeResources,
  discoveryResources,
  resourceK8sIoResources,
  flowcontrolResources,
  metricsResources,
]
  .flat()
  .map((resource) => ({ ...resource, columns: resource.columns ?? columnsFor[storeOf(resource)] ?? defaultColumns }));

const key = (group: string, version: string, name: string): string => `${group}/${version}/${name}`;
const byPlural = new Map(resources.map((r) => [key(r.group, r.version, r.resource), r]));
const byKind = new Map<string, Resource>();
const byId = new Map<ResourceId, Resource>();
for (const resource of resources) {
  // The first of a kind counts: `v1 Binding` is `bindings`, and v2 autoscalers come before v1.
  const kindKey = key(resource.group, resource.version, resource.kind);
  const id = `${resource.group || 'core'}/${resource.resource}`;
  if (!byKind.has(kindKey)) byKind.set(kindKey, resource);
  if (!byId.has(id)) byId.set(id, resource);
}

/** The resource with this id (`core/pods`), in the version in which it is stored. */
export function resourceById(id: ResourceId): Resource | undefined {
  return byId.get(id);
}

/** The resource that is served at `/apis/<group>/<version>/<plural>`. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return byPlural.get(key(group, version, plural));
}

const served = new Set(resources.map((r) => `${r.group}/${r.version}`));

/** Whether there is a group-version of the name. */
export function isServed(group: string, version: string): boolean {
  return served.has(`${group}/${version}`);
}

/** The resource whose objects are of this kind. */
export function resourceByKind(group: string, version: string, kind: string): Resource | undefined {
  return byKind.get(key(group, version, kind));
}
