/** Parts of strategies that most kinds share. */
import type { KubeObject, ObjectMeta } from '../apimachinery/meta.ts';
import type { Strategy, SubresourceStrategy } from './resource.ts';

/** An object of which only the usual two halves matter. */
export interface SpecAndStatus extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

type Key<T> = keyof T & string;

/** Makes a field of `object` what it is in `old`; absent stays absent. */
export function keep<T extends object>(object: T, old: T, ...fields: Key<T>[]): void {
  for (const field of fields) {
    if (old[field] === undefined) delete object[field];
    else object[field] = old[field];
  }
}

/** The two steps of a kind whose status only the `status` subresource changes; `initial` is that of a new object. */
export function statusIsSeparate<T extends KubeObject>(
  initial?: object,
): Pick<Strategy<T>, 'prepareForCreate' | 'prepareForUpdate'> {
  return {
    prepareForCreate(object: SpecAndStatus) {
      if (initial === undefined) delete object.status;
      else object.status = { ...initial };
    },
    prepareForUpdate(object: SpecAndStatus, old: SpecAndStatus) {
      keep(object, old, 'status');
    },
  };
}

/** What of the metadata the status of newer kinds leaves as it is (`ResetObjectMetaForStatus`). */
export const STATUS_KEEPS = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/**
 * The strategy of a `status` subresource: all top-level fields but `status` and `metadata` are kept from the old object,
 * and those of the metadata that are named.
 */
export function keepAllButStatus<T extends KubeObject>(...metadata: Key<ObjectMeta>[]): SubresourceStrategy<T> {
  return {
    prepareForUpdate(object: KubeObject, old: KubeObject) {
      const target = object as unknown as Record<string, unknown>;
      const source = old as unknown as Record<string, unknown>;
      for (const field of new Set([...Object.keys(target), ...Object.keys(source)])) {
        if (field !== 'status' && field !== 'metadata' && field !== 'kind' && field !== 'apiVersion') {
          keep(target, source, field);
        }
      }
      keep(object.metadata, old.metadata, ...metadata);
    },
  };
}

/** A strategy after which the fields of the status stand in this order, upstream's: patches leave them in the order in which they came. */
export function withStatusFields<T extends KubeObject>(
  strategy: SubresourceStrategy<T>,
  fields: readonly string[],
): SubresourceStrategy<T> {
  return {
    ...strategy,
    prepareForUpdate(object: T & SpecAndStatus, old: T) {
      strategy.prepareForUpdate(object, old);
      const status = (object.status ?? {}) as Record<string, unknown>;
      const known = fields.filter((field) => status[field] !== undefined).map((field) => [field, status[field]]);
      object.status = { ...Object.fromEntries(known), ...status };
    },
  };
}
