/**
 * Selection by fields that a custom resource has in the version that is asked for. Where that is not the stored one, the store does not
 * know them: objects are judged after their conversion, as upstream judges all.
 */
import { type FieldTerm, matchesFields, parseFieldSelector } from '../../apimachinery/fields.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';

/** What the store knows of every object. */
const METADATA = new Set(['metadata.name', 'metadata.namespace']);

export interface ConvertedSelection {
  /** The part of the selector that the store can judge. */
  stored: string;
  /** Whether the rest selects an object, in the version that is asked for. */
  selects(object: KubeObject): boolean;
}

/** Undefined where the store can judge the whole selector. */
export function convertedSelection(
  resource: Resource,
  fieldSelector: string | undefined,
): ConvertedSelection | undefined {
  if (resource.custom === undefined || resource.conversion === undefined || !fieldSelector) return undefined;
  const { stored = [], own } = Object.groupBy(parseFieldSelector(fieldSelector), ({ field }) =>
    METADATA.has(field) ? 'stored' : 'own',
  );
  if (own === undefined) return undefined;
  return {
    stored: stored.map(textOf).join(','),
    selects(object) {
      const fields = resource.selectableFields?.(object) ?? {};
      return matchesFields(own, (name) => fields[name]);
    },
  };
}

const textOf = ({ field, op, value }: FieldTerm): string => `${field}${op}${value.replace(/[\\,=]/g, '\\$&')}`;

/** A query with as much of its selector as the store can judge. */
export function asStored<T extends { fieldSelector?: string }>(query: T, selection: ConvertedSelection | undefined): T {
  if (selection === undefined) return query;
  const { fieldSelector: _, ...rest } = query;
  return (selection.stored === '' ? rest : { ...rest, fieldSelector: selection.stored }) as T;
}

/**
 * What watchers see of changes: an object comes into sight and goes out of it. Of what was never seen nobody knows whether it was in sight
 * before the watch began: that it is not is said once.
 */
export class Sight {
  private readonly selection: ConvertedSelection;
  private readonly visible = new Map<string, boolean>();

  constructor(selection: ConvertedSelection) {
    this.selection = selection;
  }

  /** The type of the event that a watcher gets; undefined where it gets none. */
  see(type: string, object: KubeObject): string | undefined {
    const { uid = '' } = object.metadata;
    const was = this.visible.get(uid);
    const is = this.selection.selects(object);
    if (type === 'DELETED') {
      this.visible.delete(uid);
      return is || was === true ? 'DELETED' : undefined;
    }
    this.visible.set(uid, is);
    if (is) return was === false ? 'ADDED' : was === true ? 'MODIFIED' : type;
    return was === true || (was === undefined && type === 'MODIFIED') ? 'DELETED' : undefined;
  }
}
