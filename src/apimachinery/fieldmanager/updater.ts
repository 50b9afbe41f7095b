/** Who owns what after an update or an apply, and what the apply makes of the object (upstream's `merge.Updater`). */
import type { Json } from '../meta.ts';
import { Changes, type Subject } from './changes.ts';
import { type Conflict, Conflicts } from './conflict.ts';
import { fieldsOf } from './fields-of.ts';
import { difference, intersection, isEmpty, recursiveDifference, setOf, union } from './fieldset.ts';
import { identityOf, type Manager, type Managers, withoutEmpty } from './managers.ts';
import { merge } from './merge.ts';
import { prune } from './prune.ts';
import { UNTRACKED } from './types.ts';
import { sameValue } from './value.ts';

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
  const changes = new Changes(subject, live, next, 'held');
  const { changed, removed } = changes.own;
  const strangers = [...managers.values()].some((manager) => changes.of(manager) === undefined);
  if (isEmpty(changed) && isEmpty(removed) && !strangers) return withoutEmpty(managers);
  const after = new Map<string, Manager>();
  for (const [other, manager] of managers) {
    const found = changes.of(manager);
    const fields = found && difference(difference(manager.fields, found.changed), found.removed);
    if (fields === undefined || isEmpty(fields)) continue;
    after.set(other, fields === manager.fields ? manager : { ...manager, fields });
  }
  if (isEmpty(changed)) return after;
  const id = identityOf(actor);
  const before = after.get(id);
  after.set(id, { ...actor, time: at, fields: before === undefined ? changed : union(changed, before.fields) });
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
  const { type, resetFields } = subject;
  const id = identityOf(actor);
  const last = managers.get(id);
  const fields = recursiveDifference(fieldsOf(type, config), resetFields);
  const owners = new Map(managers);
  owners.set(id, { ...actor, time: last?.time, fields });
  const merged = merge(type, live, config) as Json;
  const lastFields = last === undefined ? undefined : recursiveDifference(last.fields, resetFields);
  const next = lastFields === undefined || isEmpty(lastFields) ? merged : prune(type, merged, owners, lastFields);

  const changes = new Changes(subject, live, next, 'merged');
  const conflicts: Conflict[] = [];
  for (const [other, manager] of owners) {
    if (other === id) continue;
    const found = changes.of(manager);
    if (found === undefined) {
      owners.delete(other);
      continue;
    }
    const contested = intersection(manager.fields, found.changed);
    if (!isEmpty(contested)) conflicts.push({ manager, fields: contested });
    const left = difference(difference(manager.fields, contested), found.removed);
    if (left !== manager.fields) owners.set(other, { ...manager, fields: left });
  }
  if (conflicts.length > 0 && !force) throw new Conflicts(conflicts);
  owners.set(id, { ...actor, time: last?.time, fields: difference(fields, STRIPPED) });
  return { object: sameValue(type, live, next, 'merged') ? undefined : next, managers: withoutEmpty(owners) };
}
