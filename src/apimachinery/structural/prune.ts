/** Fields that a schema does not know are dropped, after upstream's `structural/pruning`. */
import { child } from '../field.ts';
import type { Json, JsonObject } from '../meta.ts';
import { fieldOf, isMap, itemsOf, type StructuralSchema } from './schema.ts';

/** What every resource has, whatever its schema says. */
const OF_RESOURCES = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Drops in place what the schema does not name. Answers the paths of what was dropped, sorted.
 * The root's own apiVersion, kind and metadata are the caller's.
 */
export function prune(object: JsonObject, schema: StructuralSchema): string[] {
  const dropped: string[] = [];
  pruneMap(object, schema, '', true, dropped);
  return dropped.sort();
}

function pruneMap(
  map: JsonObject,
  schema: StructuralSchema,
  path: string,
  isResource: boolean,
  dropped: string[],
): void {
  const { additionalProperties } = schema;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  for (const name of Object.keys(map)) {
    if (isResource && OF_RESOURCES.has(name)) continue;
    const field = fieldOf(schema, name);
    if (field !== undefined) pruneValue(map[name] as Json, field, child(path, name), dropped);
    else if (!keepsAll && additionalProperties !== true) {
      delete map[name];
      dropped.push(child(path, name));
    }
  }
}

function pruneValue(value: Json, schema: StructuralSchema, path: string, dropped: string[]): void {
  if (isMap(value)) {
    pruneMap(value, schema, path, schema['x-kubernetes-embedded-resource'] === true, dropped);
  } else if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return;
    value.forEach((item, index) => {
      pruneValue(item, items, `${path}[${index}]`, dropped);
    });
  }
}
