/** The parts of `meta/v1` that every object shares, as they are on the wire. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json | undefined };

/** The resourceVersion that every resource counts from. "0" means any version at all, so that no list may answer it. */
export const FIRST_VERSION = 1;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
}

/** `metav1.ObjectMeta`. Times are RFC 3339 with seconds. `name` is empty only in a create request with `generateName`. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
  selfLink?: string;
}

/** Any Kubernetes object. Typed ones come from `src/generated/types`. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** `metav1.Status`: what every failed request answers with. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string; resourceVersion?: string; remainingItemCount?: number };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code: number;
}

export interface GroupVersion {
  group: string;
  version: string;
}

/** `apps/v1` -> `{group: 'apps', version: 'v1'}`; `v1` -> `{group: '', version: 'v1'}`. */
export function parseApiVersion(apiVersion: string): GroupVersion {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The inverse of {@link parseApiVersion}. */
export function formatApiVersion({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The second that was written last, and how. */
let second = 0;
let written = '1970-01-01T00:00:00Z';

/** Now, as `metav1.Time` is written: RFC 3339 in UTC, whole seconds. */
export function now(at: number = Date.now()): string {
  const wanted = Math.floor(at / 1000);
  if (wanted !== second) {
    written = `${new Date(wanted * 1000).toISOString().slice(0, 19)}Z`;
    second = wanted;
  }
  return written;
}

/** Now, as `metav1.MicroTime` is written. */
export function microNow(at: number = Date.now()): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}

/** The map in the order of its keys, as upstream writes and prints maps; one that is in order already is answered as it is. */
export function sortedByKey<T>(map: Record<string, T>): Record<string, T> {
  const keys = Object.keys(map);
  if (keys.every((key, i) => i === 0 || (keys[i - 1] as string) < key)) return map;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The owner with `controller: true`, if there is one (`metav1.GetControllerOf`). */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}
