/** What ConfigMaps and Secrets share: keys, sizes and immutability. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid } from '../../apimachinery/field.ts';
import { isConfigMapKey } from '../../apimachinery/names.ts';

const MAX_BYTES = 1024 * 1024;
const IMMUTABLE = 'field is immutable when `immutable` is set';

/** Errors of the keys of a map of values. */
export function keyErrors(map: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.keys(map ?? {}).flatMap((key) =>
    isConfigMapKey(key).map((problem) => invalid(`${path}[${key}]`, key, problem)),
  );
}

/** Bytes that a value in base64 stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding);
}

/** An error when the values are more than 1 MiB together. */
export function sizeErrors(bytes: number, path: string): FieldError[] {
  if (bytes <= MAX_BYTES) return [];
  return [{ type: 'FieldValueTooLong', field: path, body: `Too long: may not be more than ${MAX_BYTES} bytes` }];
}

/** Errors of changing an object that was declared immutable. */
export function immutabilityErrors<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  ...fields: (keyof T & string)[]
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors = fields
    .filter((field) => !deepEqual(object[field] ?? {}, old[field] ?? {}))
    .map((field) => forbiddenField(field, IMMUTABLE));
  return object.immutable === true ? errors : [forbiddenField('immutable', IMMUTABLE), ...errors];
}
