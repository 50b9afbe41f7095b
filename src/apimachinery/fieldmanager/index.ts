/** Who owns which fields of an object, and server-side apply (upstream's `managedfields.FieldManager`). */
import { deepEqual } from '../equal.ts';
import { badRequest, StatusError } from '../errors.ts';
import { type Json, type JsonObject, type KubeObject, type ManagedFieldsEntry, parseApiVersion } from '../meta.ts';
import type { Subject } from './changes.ts';
import { misfits } from './check.ts';
import { Untypable } from './compare.ts';
import { Conflicts } from './conflict.ts';
import { KUBECTL, updateLastApplied, withoutLastApplied } from './last-applied.ts';
import { capManagers, decodeManagers, encodeManagers, type Managers, parseManagers } from './managers.ts';
import { type Actor, type Applied, applied, updated } from './updater.ts';

export type { Subject } from './changes.ts';
export { EMPTY, type FieldSet, setOf } from './fieldset.ts';
export { typeOfOpenApi } from './openapi-type.ts';
export { DEDUCED, type MapType, typeOfObject } from './types.ts';

const BEFORE_FIRST_APPLY = 'before-first-apply';
/** A new object before anything is said of it. */
const NOTHING: KubeObject = { metadata: {} } as KubeObject;

/**
 * Sets the `managedFields` of an object that a client sent whole or patched, in place. `live` is undefined for a new one. An object
 * that nobody's fields were tracked of stays so. `at` is the time of the request, RFC 3339.
 */
export function trackUpdate(
  subject: Subject,
  live: KubeObject | undefined,
  next: KubeObject,
  manager: string,
  at: string,
): void {
  const given = next.metadata.managedFields;
  const stored = live?.metadata.managedFields;
  const managers = startOf(subject, stored, given);
  delete next.metadata.managedFields;
  if (managers.size === 0 && live !== undefined) return;
  const actor = actorOf(subject, manager, 'Update');
  const after = typable(() => updated(subject, jsonOf(live ?? NOTHING), jsonOf(next), managers, actor, at));
  if (after === undefined) return;
  const entries = encodeManagers(capManagers(after));
  if (entries !== undefined) next.metadata.managedFields = entries;
}

/** Undefined for an object that cannot be walked by its type. */
function typable<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Untypable) return undefined;
    throw error;
  }
}

/** The managers before the update: a client may send others than the stored ones, or `[]` or `[{}]` to forget them. */
function startOf(
  subject: Subject,
  stored: readonly ManagedFieldsEntry[] | undefined,
  given: readonly ManagedFieldsEntry[] | undefined,
): Managers {
  if (given === undefined || given === null || subject.subresource !== '' || deepEqual(given, stored)) {
    return decodeManagers(stored);
  }
  if (given.length === 0 || (given.length === 1 && Object.keys(given[0] as object).length === 0)) return new Map();
  const parsed = parseManagers(given);
  return parsed === undefined || parsed.size === 0 ? decodeManagers(stored) : parsed;
}

/**
 * The live object with a configuration applied, and its `managedFields`; `live` is undefined when there is none. The result is a new
 * object, not yet decoded nor defaulted. Throws BadRequest for a configuration of another kind or with managedFields, Conflict when
 * others own what it changes and `force` is not set, and a Status with code 500 for one that does not fit the schema.
 */
export function applyConfiguration(
  subject: Subject,
  kind: string,
  live: KubeObject | undefined,
  config: JsonObject,
  options: { manager: string; force: boolean; at: string },
): KubeObject {
  const { manager, at } = options;
  checkConfiguration(subject, kind, config);
  const start = live ?? NOTHING;
  let managers = decodeManagers(live?.metadata.managedFields);
  if (managers.size === 0 && live !== undefined) {
    const before = actorOf(subject, BEFORE_FIRST_APPLY, 'Update');
    managers = capManagers(updated(subject, jsonOf(NOTHING), jsonOf(live), managers, before, at));
  }
  const actor = actorOf(subject, manager, 'Apply');
  const result = applyOrMigrate(subject, start, config, managers, actor, options.force);
  const object = { ...((result.object ?? start) as unknown as KubeObject) };
  object.metadata = { ...object.metadata };
  if (manager === KUBECTL) updateLastApplied(object, config);
  const entries = encodeManagers(result.object === undefined ? result.managers : timed(result.managers, actor, at));
  if (entries === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
  return object;
}

function checkConfiguration(subject: Subject, kind: string, config: JsonObject): void {
  const apiVersion = textOf(config['apiVersion']);
  const given = textOf(config['kind']);
  if (apiVersion !== subject.apiVersion || given !== kind) {
    throw badRequest(`invalid object type: ${printedKind(apiVersion, given)}`);
  }
  const metadata = config['metadata'] as JsonObject | null | undefined;
  if (Array.isArray(metadata?.['managedFields'])) throw badRequest('metadata.managedFields must be nil');
  const problem = misfits(subject.type, config);
  if (problem === undefined) return;
  const { name, namespace } = { name: textOf(metadata?.['name']), namespace: textOf(metadata?.['namespace']) };
  const which = `${namespace}/${name}; ${printedKind(apiVersion, kind)}`;
  throw new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `failed to create typed patch object (${which}): ${problem}`,
    code: 500,
  });
}

/** A kind as Go prints it; of an apiVersion that is none nothing is left. */
function printedKind(apiVersion: string, kind: string): string {
  if (apiVersion.split('/').length > 2) return '/, Kind=';
  const { group, version } = apiVersion === '/' ? { group: '', version: '' } : parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

/** What kubectl's client-side apply wrote, its server-side apply may take without a conflict. */
function applyOrMigrate(
  subject: Subject,
  live: KubeObject,
  config: JsonObject,
  managers: Managers,
  actor: Actor,
  force: boolean,
): Applied {
  const attempt = (forced: boolean): Applied => applied(subject, jsonOf(live), config, managers, actor, forced);
  try {
    return attempt(force);
  } catch (error) {
    if (!(error instanceof Conflicts)) throw error;
    const left = actor.name === KUBECTL ? withoutLastApplied(error, subject, live) : error;
    if (left !== undefined) throw left.toStatusError();
    return attempt(true);
  }
}

function timed(managers: Managers, actor: Actor, at: string): Managers {
  return new Map(
    [...managers].map(([id, manager]) => {
      const own =
        manager.operation === 'Apply' && manager.name === actor.name && manager.subresource === actor.subresource;
      return [id, own ? { ...manager, time: at } : manager];
    }),
  );
}

function actorOf({ apiVersion, subresource }: Subject, name: string, operation: Actor['operation']): Actor {
  return { name, operation, apiVersion, subresource };
}

const jsonOf = (object: KubeObject): Json => object as unknown as Json;
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
