/** Who owns what after an update or an apply, and what the apply makes of the object (upstream's `merge.Updater`). */
import type { Json } from '../meta.ts';
import { type Comparison, compare, excluding } from './compare.ts';
import { type Conflict, Conflicts } from './conflict.ts';
import { fieldsOf } from './fields-of.ts';
import { difference, type FieldSet, intersection, isEmpty, recursiveDifference, setOf, union } from './fieldset.ts';
import { identityOf, type Manager, type Managers, withoutEmpty } from './managers.ts';
import { merge } from './merge.ts';
import { removeItems, withNamedFields } from './remove.ts';
import { type MapType, UNTRACKED } from './types.ts';
import { sameValue } from './value.ts';

/** What is written, as far as owning its fields goes. */
export interface Subject {
  type: MapType;
  apiVersion: string;
  /** Empty for the object itself. */
  subresource: string;
  /** What the strategy does not let this request change (upstream's `GetResetFields`). */
  resetFields: FieldSet;
}

/** What nobody owns, though a configuration speaks of it (upstream's `stripMetaManager`). */
const STRIPPED = setOf(
  ...['apiVersion', 'kind', 'metadata'].map((name) => [`f:${name}`]),
  ...[...UNTRACKED].map((name) => ['f:metadata', `f:${name}`]),
);

/** Who asks; what it owns comes out. */
export type Actor = Omit<Manager, 'fields' | 'time'>;

/** The managers after an update by `actor`, which owns all that it added or changed. `at` is the time that its entry gets. */
export function updated(
  subject: Subject,
  live: Json,
  next: Json,
  managers: Managers,
  actor: Actor,
  at: string,
): Managers {
  const found = excluding(compare(subject.type, live, next), subject.resetFields);
  const changed = union(found.added, found.modified);
  if (isEmpty(changed) && isEmpty(found.removed)) return managers;
  const after = new Map(disowned(managers, found, changed, subject.apiVersion));
  if (isEmpty(changed)) return after;
  const id = identityOf(actor);
  const before = after.get(id);
  after.set(id, { ...actor, time: at, fields: before === undefined ? changed : union(changed, before.fields) });
  return after;
}

/** Takes what was changed or removed from everybody. */
function disowned(managers: Managers, found: Comparison, changed: FieldSet, apiVersion: string): Managers {
  const after = new Map<string, Manager>();
  for (const [id, manager] of managers) {
    if (manager.apiVersion !== apiVersion) {
      after.set(id, manager);
      continue;
    }
    const fields = difference(difference(manager.fields, changed), found.removed);
    if (!isEmpty(fields)) after.set(id, fields === manager.fields ? manager : { ...manager, fields });
  }
  return after;
}

export interface Applied {
  /** Undefined when the apply changes nothing of the object. */
  object: Json | undefined;
  managers: Managers;
}

/**
 * Applies a configuration that fits the subject's type. Throws {@link Conflicts} when others own what it changes, unless it is forced:
 * then they lose it.
 */
export function applied(
  subject: Subject,
  live: Json,
  config: Json,
  managers: Managers,
  actor: Actor,
  force: boolean,
): Applied {
  const { type, apiVersion, resetFields } = subject;
  const id = identityOf(actor);
  const last = managers.get(id);
  const fields = recursiveDifference(fieldsOf(type, config), resetFields);
  const owners = new Map(managers);
  owners.set(id, { ...actor, time: last?.time, fields });
  const merged = merge(type, live, config) as Json;
  const lastFields = last === undefined ? undefined : recursiveDifference(last.fields, resetFields);
  const next = lastFields === undefined || isEmpty(lastFields) ? merged : prune(type, merged, owners, lastFields);

  const found = excluding(compare(type, live, next), resetFields);
  const changed = union(found.added, found.modified);
  const conflicts: Conflict[] = [];
  for (const [other, manager] of owners) {
    if (other === id || manager.apiVersion !== apiVersion) continue;
    const contested = intersection(manager.fields, changed);
    if (!isEmpty(contested)) conflicts.push({ manager, fields: contested });
    const left = difference(difference(manager.fields, contested), found.removed);
    if (left !== manager.fields) owners.set(other, { ...manager, fields: left });
  }
  if (conflicts.length > 0 && !force) throw new Conflicts(conflicts);
  owners.set(id, { ...actor, time: last?.time, fields: difference(fields, STRIPPED) });
  return { object: sameValue(type, live, next) ? undefined : next, managers: withoutEmpty(owners) };
}

/** Takes out of the merged object what the manager applied last time, does not apply any more, and nobody else owns. */
function prune(type: MapType, merged: Json, owners: Managers, last: FieldSet): Json {
  const lastNamed = withNamedFields(last, type);
  const without = removeItems(type, merged, lastNamed) ?? {};
  let owned: FieldSet = {};
  for (const { fields } of owners.values()) owned = union(owned, fields);
  const had = withNamedFields(fieldsOf(type, merged), type);
  const left = withNamedFields(fieldsOf(type, without), type);
  const restored = removeItems(type, merged, difference(had, union(left, withNamedFields(owned, type)))) ?? {};
  // What others own came back; so does what was never this manager's.
  const kept = withNamedFields(fieldsOf(type, restored), type);
  return removeItems(type, merged, intersection(difference(had, kept), lastNamed)) ?? {};
}
