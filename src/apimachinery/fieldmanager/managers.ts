/** `metadata.managedFields` as the managers of an object, and back (upstream's `managedfields.Managed`). */
import type { JsonObject, ManagedFieldsEntry } from '../meta.ts';
import { EMPTY, type FieldSet, isEmpty, parseFieldsV1, union } from './fieldset.ts';

export interface Manager {
  name: string;
  operation: 'Apply' | 'Update';
  /** The version that its fields are written in. */
  apiVersion: string;
  /** Empty for the object itself. */
  subresource: string;
  /** RFC 3339; undefined when it has changed nothing yet. */
  time: string | undefined;
  fields: FieldSet;
}

/** By identity: see {@link identityOf}. */
export type Managers = ReadonlyMap<string, Manager>;

/** More managers that update than this are put together. */
const MAX_UPDATE_MANAGERS = 10;
const ANCIENT = 'ancient-changes';

/** What makes two entries one manager: of those that apply not the version (upstream's `BuildManagerIdentifier`). */
export function identityOf({ name, operation, apiVersion, subresource }: Omit<Manager, 'fields' | 'time'>): string {
  return JSON.stringify([operation, name, subresource, operation === 'Apply' ? '' : apiVersion]);
}

/** The managers that stored entries speak of; they were checked when they were stored. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager = managerOf(entry, (entry.fieldsV1 ?? EMPTY) as FieldSet);
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

/** The managers that a client's entries speak of; undefined when they make no sense. */
export function parseManagers(entries: readonly ManagedFieldsEntry[]): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return undefined;
    if (!entry.apiVersion || entry.fieldsType !== 'FieldsV1') return undefined;
    const fields = entry.fieldsV1 === undefined ? EMPTY : parseFieldsV1(entry.fieldsV1);
    if (fields === undefined) return undefined;
    const manager = managerOf(entry, fields);
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

function managerOf(entry: ManagedFieldsEntry, fields: FieldSet): Manager {
  return {
    name: entry.manager ?? '',
    operation: entry.operation ?? 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields,
  };
}

/** The entries in upstream's order; undefined when there is none. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map(encodeManager);
}

function encodeManager({ name, operation, apiVersion, subresource, time, fields }: Manager): ManagedFieldsEntry {
  return {
    ...(name === '' ? {} : { manager: name }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as unknown as JsonObject,
    ...(subresource === '' ? {} : { subresource }),
  };
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.name, b.name) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** The managers without those that own nothing. */
export function withoutEmpty(managers: Managers): Managers {
  for (const { fields } of managers.values()) {
    if (isEmpty(fields)) return new Map([...managers].filter(([, manager]) => !isEmpty(manager.fields)));
  }
  return managers;
}

/**
 * Puts the oldest of more than ten managers that update into one manager a version, `ancient-changes`
 * (upstream's `capManagersManager`).
 */
export function capManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, manager]) => manager.operation === 'Update');
  if (updaters.length <= MAX_UPDATE_MANAGERS) return managers;
  updaters.sort(([x, a], [y, b]) => compareText(a.time ?? '', b.time ?? '') || compareText(x, y));
  const capped = new Map(managers);
  const first = new Map<string, string>();
  let left = updaters.length;
  for (const [id, manager] of updaters) {
    if (left <= MAX_UPDATE_MANAGERS) break;
    const { apiVersion } = manager;
    const oldest = first.get(apiVersion);
    if (oldest === undefined) {
      first.set(apiVersion, id);
      continue;
    }
    const bucket: Manager = { ...manager, name: ANCIENT, subresource: '' };
    const bucketId = identityOf(bucket);
    if (!capped.has(bucketId)) {
      const moved = capped.get(oldest) as Manager;
      capped.delete(oldest);
      capped.set(bucketId, { ...bucket, fields: moved.fields });
    }
    const fields = union(manager.fields, (capped.get(bucketId) as Manager).fields);
    capped.delete(id);
    capped.set(bucketId, { ...bucket, fields });
    left--;
  }
  return capped;
}
