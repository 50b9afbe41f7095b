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

/** The value at the end of a path of names. */
function valueAt(object: KubeObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

/** Where a workload says how many replicas it has, where a custom resource is told. */
function observedOf(resource: Resource, object: Scalable): Pick<Scale, 'spec' | 'status'> {
  const scale = resource.custom?.scale;
  if (scale === undefined) {
    return {
      spec: { replicas: object.spec?.replicas ?? 0 },
      status: { replicas: object.status?.replicas ?? 0, selector: selectorText(resource, object) },
    };
  }
  const number = (path: readonly string[]): number => Number(valueAt(object, path) ?? 0) || 0;
  const selector = valueAt(object, scale.selector);
  return {
    spec: { replicas: number(scale.replicas) },
    status: { replicas: number(scale.observed), ...(typeof selector === 'string' ? { selector } : {}) },
  };
}

/** The Scale of a workload. */
export function toScale(resource: Resource, object: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { resourceVersion, name, namespace, uid, creationTimestamp },
    ...observedOf(resource, object),
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
  const metadata = { ...object.metadata };
  // An unset version is an unconditional scale.
  if (scale.metadata.resourceVersion) metadata.resourceVersion = scale.metadata.resourceVersion;
  else delete metadata.resourceVersion;
  return withValue({ ...object, metadata }, resource.custom?.scale?.replicas ?? ['spec', 'replicas'], replicas);
}

/** The object with a value at the end of a path; what is on the way is copied. */
function withValue<T extends object>(object: T, [name, ...rest]: readonly string[], value: unknown): T {
  if (name === undefined) return object;
  const inner = (object as Record<string, unknown>)[name];
  const next = typeof inner === 'object' && inner !== null ? inner : {};
  return { ...object, [name]: rest.length === 0 ? value : withValue(next, rest, value) };
}
