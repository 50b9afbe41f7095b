/** Owners of a workload's replicas seen through its `scale`, and back (upstream's `managedfields.ScaleHandler`). */
import type { ManagedFieldsEntry } from '../meta.ts';
import { difference, type FieldSet, has, isEmpty, setOf } from './fieldset.ts';
import { decodeManagers, encodeManagers, identityOf, type Manager } from './managers.ts';

const SCALE_VERSION = 'autoscaling/v1';
const REPLICAS = ['f:spec', 'f:replicas'];

/** Where a workload keeps its replicas, in the version that the request speaks. */
export interface ReplicasPath {
  apiVersion: string;
  path: readonly string[];
}

/** The `managedFields` of a workload's Scale: who owns the replicas. */
export function scaleEntries(
  parent: readonly ManagedFieldsEntry[] | undefined,
  { apiVersion, path }: ReplicasPath,
): ManagedFieldsEntry[] | undefined {
  const managers = new Map<string, Manager>();
  for (const manager of decodeManagers(parent).values()) {
    if (manager.apiVersion !== apiVersion || !has(manager.fields, path)) continue;
    const seen = { ...manager, apiVersion: SCALE_VERSION, fields: setOf(REPLICAS) };
    managers.set(identityOf(seen), seen);
  }
  return encodeManagers(managers);
}

/** The workload's `managedFields` after its Scale was written: the replicas are owned by who owns the Scale's. */
export function parentEntries(
  parent: readonly ManagedFieldsEntry[] | undefined,
  scale: readonly ManagedFieldsEntry[] | undefined,
  { apiVersion, path }: ReplicasPath,
): ManagedFieldsEntry[] | undefined {
  const replicas: FieldSet = setOf(path);
  const managers = new Map(decodeManagers(parent));
  const owners = new Map<string, Manager>();
  for (const manager of decodeManagers(scale).values()) {
    if (!has(manager.fields, REPLICAS)) continue;
    const owner = { ...manager, apiVersion, fields: replicas };
    owners.set(identityOf(owner), owner);
  }
  for (const [id, manager] of managers) {
    if (manager.apiVersion !== apiVersion || !has(manager.fields, path)) continue;
    if (owners.delete(id)) continue;
    const fields = difference(manager.fields, replicas);
    if (isEmpty(fields)) managers.delete(id);
    else managers.set(id, { ...manager, fields });
  }
  // Upstream keeps the times that the workload knows, and a scale gives it no new one.
  for (const [id, owner] of owners) managers.set(id, { ...owner, time: managers.get(id)?.time });
  return encodeManagers(managers);
}
