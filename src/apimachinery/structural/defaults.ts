/** Defaults of custom resources, after upstream's `structural/defaulting`. */
import type { Json, JsonObject } from '../meta.ts';
import { fieldOf, isMap, itemsOf, type StructuralSchema } from './schema.ts';

/** Fills in place what is absent and has a default; a null where none may be counts as absent. */
export function applyDefaults(object: JsonObject, schema: StructuralSchema): void {
  fill(object, schema);
}

function fill(value: Json, schema: StructuralSchema): void {
  if (isMap(value)) {
    for (const name in schema.properties) {
      const field = schema.properties[name] as StructuralSchema;
      const isAbsent = !Object.hasOwn(value, name) || (value[name] === null && field.nullable !== true);
      if (isAbsent && field.default !== undefined) value[name] = structuredClone(field.default);
    }
    for (const name of Object.keys(value)) {
      const field = fieldOf(schema, name);
      if (field === undefined) continue;
      if (value[name] === null && field.nullable !== true) delete value[name];
      else fill(value[name] as Json, field);
    }
  } else if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items !== undefined) for (const item of value) fill(item, items);
  }
}
