/** What upstream says of a patch whose result cannot be decoded: 422 with the patch, or the object that it makes, as Go prints it. */
import { invalidObject, type StatusError } from '../../apimachinery/errors.ts';
import { invalid } from '../../apimachinery/field.ts';
import type { Json } from '../../apimachinery/meta.ts';

/** Go's `%v`: `map[a:map[b:1] c:[x y]]`. */
export function goValue(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goValue(value[key] as Json)}`);
  return `map[${entries.join(' ')}]`;
}

/** The error for a patch of this type; `patched` is what it made of the object. */
export function invalidPatch(type: string, patch: Json, patched: Json, why: string): StatusError {
  const shown = type === 'strategic' ? goValue(patch) : JSON.stringify(patched);
  return invalidObject({ group: '', kind: '' }, '', [invalid('patch', shown, why)]);
}
