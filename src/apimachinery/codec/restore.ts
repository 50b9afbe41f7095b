/** Why Go's unstructured converter cannot make an object of a value, in its own words (`runtime.DefaultUnstructuredConverter`). */
import type { Json } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';

/** What does not fit first, in the order of the fields; undefined where all does, or what does not says so itself. */
export function unrestorable(schema: MessageSchema, value: Json): string | undefined {
  if (schema.special !== undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `cannot restore struct from: ${kindOf(value)}`;
  }
  for (const [name, field] of schema.fields) {
    const part = Object.hasOwn(value, name) ? value[name] : undefined;
    const why = part === undefined || part === null ? undefined : ofField(field, part);
    if (why !== undefined) return why;
  }
  return undefined;
}

function ofField(field: Field, value: Json): string | undefined {
  if (field.shape === 'one') return ofElement(field, value);
  if (field.shape === 'repeated') {
    return Array.isArray(value) ? ofParts(field, value) : `cannot restore slice from ${kindOf(value)}`;
  }
  const isMap = typeof value === 'object' && !Array.isArray(value);
  return isMap ? ofParts(field, Object.values(value as object) as Json[]) : `cannot restore map from ${kindOf(value)}`;
}

function ofParts(field: Field, parts: readonly Json[]): string | undefined {
  for (const part of parts) {
    const why = part === null ? undefined : ofElement(field, part);
    if (why !== undefined) return why;
  }
  return undefined;
}

const NUMBERS: Readonly<Record<string, string>> = { int32: 'int32', int64: 'int64', double: 'float64' };

function ofElement({ kind, message }: Field, value: Json): string | undefined {
  if (kind === 'message') return unrestorable(message as MessageSchema, value);
  const is = kindOf(value);
  if (kind === 'bytes') return is === 'string' || is === 'slice' ? undefined : `cannot restore slice from ${is}`;
  const wanted = NUMBERS[kind] ?? kind;
  if (is === wanted || (wanted !== 'string' && wanted !== 'bool' && is === 'int64')) return undefined;
  // Go converts numbers to one another, and whole ones to strings, but not what JSON tells apart.
  const convertible = wanted === 'string' ? is === 'int64' : wanted !== 'bool' && is === 'float64';
  return convertible ? `cannot convert ${is} to ${wanted}` : `unrecognized type: ${wanted}`;
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'object' ? 'map' : typeof value;
}
