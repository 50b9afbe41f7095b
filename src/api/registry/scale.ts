/** The `scale` subresource: an `autoscaling/v1` Scale seen through a workload, and written back to it. */

import { invalidObject } from '../../apimachinery/errors.ts';
import { invalid } from '../../apimachinery/field.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';

interface Scalable extends KubeObject {
  spec?: { replicas?: number; selector?: Record<string, unknown> };
  status?: { replicas?: number };
}

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number; selector?: string };
}

/** The Scale of a workload. */
export function toScale(resource: Resource, object: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { resourceVersion, name, namespace, uid, creationTimestamp },
    spec: { replicas: object.spec?.replicas ?? 0 },
    status: { replicas: object.status?.replicas ?? 0, selector: selectorText(resource, object) },
  };
}

function selectorText(resource: Resource, object: Scalable): string {
  const selector = object.spec?.selector ?? {};
  // ReplicationControllers select by a plain map, everything since by a LabelSelector.
  return formatLabelSelector(resource.kind === 'ReplicationController' ? { matchLabels: selector } : selector);
}

/** The workload with the Scale's replicas. Throws Invalid when they are negative. */
export function applyScale(resource: Resource, object: Scalable, scale: Scale): KubeObject {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalidObject({ group: 'autoscaling', kind: 'Scale' }, object.metadata.name, [
      invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  void resource;
  const metadata = { ...object.metadata };
  // An unset version is an unconditional scale.
  if (scale.metadata.resourceVersion) metadata.resourceVersion = scale.metadata.resourceVersion;
  else delete metadata.resourceVersion;
  return { ...object, metadata, spec: { ...object.spec, replicas } } as KubeObject;
}
