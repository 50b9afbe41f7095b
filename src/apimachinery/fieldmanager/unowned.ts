/** A configuration merged into an object without anybody owning what it sets (upstream's `patch.ApplyStructuredMergeDiff`). */
import type { Json } from '../meta.ts';
import { misfits } from './check.ts';
import { fieldElement, formatPath } from './element.ts';
import { merge } from './merge.ts';
import type { MapType, Type } from './types.ts';
import { isMap, resolve } from './value.ts';

/** The object with what the configuration says, or why it cannot be. Neither is changed, but parts of both are shared. */
export function applyUnowned(type: MapType, object: Json, config: Json): { object: Json } | { problem: string } {
  const misfit = misfits(type, config);
  if (misfit !== undefined) return { problem: `failed to convert patch object to typed object: ${misfit}` };
  const atomics = atomicsOf(type, config, []);
  if (atomics.length > 0) {
    const which = atomics.join(', ');
    return { problem: `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${which}` };
  }
  return { object: merge(type, object, config) as Json };
}

/** The paths of what would be replaced as a whole, whether or not that was meant. */
function atomicsOf(type: Type, value: Json, path: readonly string[]): string[] {
  const is = resolve(type, value);
  if (is.kind === 'map' && isMap(value)) {
    const inner = Object.entries(value).flatMap(([name, item]) => {
      const field = is.fields?.get(name);
      return field === undefined || item === undefined
        ? []
        : atomicsOf(field.type, item, [...path, fieldElement(name)]);
    });
    return is.atomic ? [formatPath(path), ...inner] : inner;
  }
  if (is.kind === 'list' && Array.isArray(value)) {
    const inner = value.flatMap((item, index) => atomicsOf(is.item, item, [...path, `i:${index}`]));
    return is.relation === 'atomic' ? [formatPath(path), ...inner] : inner;
  }
  return [];
}
