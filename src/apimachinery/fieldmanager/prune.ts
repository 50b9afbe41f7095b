/** What leaves an object when a manager applies less than it did before (upstream's `Updater.prune`). */
import type { Json } from '../meta.ts';
import { fieldsOf } from './fields-of.ts';
import { difference, type FieldSet, intersection, union } from './fieldset.ts';
import type { Managers } from './managers.ts';
import { removeItems, withNamedFields } from './remove.ts';
import type { MapType } from './types.ts';

/** Takes out of the merged object what the manager applied last time, does not apply any more, and nobody else owns. */
export function prune(type: MapType, merged: Json, owners: Managers, last: FieldSet): Json {
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
