/** What a node may change. Pure, so that it is judged where the object is: a node's heartbeats make no second hop. */
import { deepEqual } from '../../../apimachinery/equal.ts';
import { forbidden } from '../../../apimachinery/errors.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { Node, PersistentVolumeClaim, Pod } from '../../../generated/types/core.v1.ts';
import type { Resource } from '../../../resources/resource.ts';
import { forbiddenLabels } from './labels.ts';

type Changed = { resource: Resource; subresource: string; node: string; object: KubeObject; old: KubeObject };

/** Throws Forbidden for an update that the node may not make. */
export function restrictUpdate(changed: Changed): void {
  const why = judge(changed);
  if (why !== undefined) throw forbidden(changed.resource, changed.old.metadata.name, why);
}

function judge({ resource, subresource, node, object, old }: Changed): string | undefined {
  const who = `node ${JSON.stringify(node)}`;
  if (resource.group !== '') return undefined;
  switch (resource.resource) {
    case 'pods':
      if (subresource === '') return `unexpected operation "UPDATE", ${who} can only create and delete mirror pods`;
      if (subresource === 'status') return podStatus(who, node, object, old);
      return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
    case 'nodes':
      return ownNode(who, node, object, old);
    case 'persistentvolumeclaims':
      return subresource === 'status' ? claimStatus(who, object, old) : 'may only update PVC status';
    default:
      return undefined;
  }
}

function podStatus(who: string, node: string, object: Pod, old: Pod): string | undefined {
  if (old.spec?.nodeName !== node) {
    return `${who} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!deepEqual(object.metadata.labels ?? {}, old.metadata.labels ?? {})) {
    return `${who} cannot update labels through pod status`;
  }
  const claims = ({ status }: Pod) => status?.resourceClaimStatuses ?? [];
  if (!deepEqual(claims(object), claims(old))) return `${who} cannot update resource claim statues`;
  const extended = ({ status }: Pod) => status?.extendedResourceClaimStatus;
  if (!deepEqual(extended(object), extended(old))) return `${who} cannot update extended resource claim status`;
  return undefined;
}

function ownNode(who: string, node: string, object: Node, old: Node): string | undefined {
  if (old.metadata.name !== node) return `${who} is not allowed to modify node ${JSON.stringify(old.metadata.name)}`;
  const source = object.spec?.configSource;
  if (source !== undefined && !deepEqual(source, old.spec?.configSource)) {
    return `${who} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!deepEqual(object.spec?.taints ?? [], old.spec?.taints ?? [])) return `${who} is not allowed to modify taints`;
  const labels = forbiddenLabels(object.metadata.labels, old.metadata.labels);
  return labels.length === 0 ? undefined : `is not allowed to modify labels: ${labels.join(', ')}`;
}

/** A volume's capacity and conditions are the kubelet's to tell; all else of its claim is not. */
function claimStatus(who: string, object: PersistentVolumeClaim, old: PersistentVolumeClaim): string | undefined {
  const rest = ({ metadata, status, ...others }: PersistentVolumeClaim) => {
    const { resourceVersion: _, managedFields: __, ...meta } = metadata;
    const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...more } = status ?? {};
    return { ...others, metadata: meta, status: more };
  };
  if (deepEqual(rest(object), rest(old))) return undefined;
  return `${who} is not allowed to update fields other than status.capacity and status.conditions`;
}

/** Why a ResourceSlice is not the node's; undefined for one that is. */
export function sliceProblem(object: KubeObject, node: string): string | undefined {
  if (nodeNameIn(object) === node) return undefined;
  return 'can only create ResourceSlice with the same NodeName as the requesting node';
}

const nodeNameIn = (object: KubeObject & { spec?: { nodeName?: string } }): string | undefined => object.spec?.nodeName;

/** Why an object is not the node's to delete; undefined where it is. */
export function deleteProblem(resource: Resource, object: KubeObject, node: string): string | undefined {
  if (resource.resource !== 'pods' || nodeNameIn(object) === node) return undefined;
  return `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`;
}
