/** The selector by which pods of one workload are told from others, where they do not say it themselves (`helper.DefaultSelector`). */
import type { ResourceId } from '../../apimachinery/client.ts';
import { fromLabelSelector, fromSet, type LabelSelector, matches, type Selector } from '../../apimachinery/labels.ts';
import { controllerOf, type KubeObject } from '../../apimachinery/meta.ts';
import type { Pod, Service } from '../../generated/types/core.v1.ts';
import type { Objects } from '../framework/plugin.ts';

const SERVICES = 'core/services';
const OWNERS: Readonly<Record<string, ResourceId>> = {
  'v1 ReplicationController': 'core/replicationcontrollers',
  'apps/v1 ReplicaSet': 'apps/replicasets',
  'apps/v1 StatefulSet': 'apps/statefulsets',
};

/** What {@link defaultSelector} reads for a pod. */
export function selectorNeeds(pod: Pod): ResourceId[] {
  const owner = ownerOf(pod);
  return owner === undefined ? [SERVICES] : [SERVICES, owner];
}

function ownerOf(pod: Pod): ResourceId | undefined {
  const owner = controllerOf(pod as KubeObject);
  return owner === undefined ? undefined : OWNERS[`${owner.apiVersion} ${owner.kind}`];
}

/** What the Services of a pod and its owner select, together; empty when there is neither. */
export function defaultSelector(pod: Pod, objects: Objects): Selector {
  const { namespace = '', labels = {} } = pod.metadata;
  const set: Record<string, string> = {};
  for (const { spec } of objects.list<Service>(SERVICES, namespace)) {
    const selector = spec?.selector;
    if (selector !== undefined && Object.keys(selector).length > 0 && matches(fromSet(selector), labels)) {
      Object.assign(set, selector);
    }
  }
  const resource = ownerOf(pod);
  const name = controllerOf(pod as KubeObject)?.name ?? '';
  const owner = resource === undefined ? undefined : objects.get<Owner>(resource, namespace, name);
  const selector = owner?.spec?.selector;
  if (selector === undefined) return fromSet(set);
  if (resource === 'core/replicationcontrollers') return fromSet({ ...set, ...(selector as Record<string, string>) });
  return [...fromSet(set), ...fromLabelSelector(selector as LabelSelector)];
}

type Owner = KubeObject & { spec?: { selector?: LabelSelector | Record<string, string> } };
