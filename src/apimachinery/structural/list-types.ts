/** Lists that are sets or maps hold nothing twice, after upstream's `listtype.ValidateListSetsAndMaps`. */
import { child, duplicate, type FieldError } from '../field.ts';
import type { Json } from '../meta.ts';
import { fieldOf, isMap, itemsOf, type StructuralSchema } from './schema.ts';

/** Errors of all lists in a value. */
export function validateListTypes(value: Json, schema: StructuralSchema, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  walk(value, schema, path, errors);
  return errors;
}

function walk(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    checkDuplicates(value, schema, path, errors);
    const items = itemsOf(schema);
    if (items === undefined) return;
    value.forEach((item, index) => {
      walk(item, items, `${path}[${index}]`, errors);
    });
  } else if (isMap(value)) {
    for (const name of Object.keys(value)) {
      const field = fieldOf(schema, name);
      if (field !== undefined) walk(value[name] as Json, field, child(path, name), errors);
    }
  }
}

function checkDuplicates(list: readonly Json[], schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const identity = (item: Json): Json =>
    type === 'set' ? item : Object.fromEntries(keys.flatMap((key) => keyOf(item, key)));
  const seen = new Set<string>();
  const told = new Set<string>();
  list.forEach((item, index) => {
    const shown = identity(item);
    const text = canonical(shown);
    if (seen.has(text) && !told.has(text)) {
      errors.push(duplicate(`${path}[${index}]`, shown));
      told.add(text);
    }
    seen.add(text);
  });
}

function keyOf(item: Json, key: string): [string, Json][] {
  return isMap(item) && Object.hasOwn(item, key) ? [[key, item[key] as Json]] : [];
}

/** The same text for equal values, in whatever order their fields stand. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`).join()}}`;
}
