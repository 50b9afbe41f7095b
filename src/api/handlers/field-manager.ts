/** `fieldManager` and `force` of a write, checked as upstream's `ValidateFieldManager` and `ValidatePatchOptions` do. */
import { invalidObject } from '../../apimachinery/errors.ts';
import { type FieldError, forbiddenField, invalid, required, tooLong } from '../../apimachinery/field.ts';

const MAX_LENGTH = 128;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** Throws Invalid for a name that is too long or cannot be printed. `kind` is that of the request's options. */
export function checkFieldManager(query: URLSearchParams, kind: string): void {
  refuse(nameErrors(query.get('fieldManager') ?? ''), kind);
}

/** Throws Invalid for an apply that nobody signs, and for `force` on another patch. */
export function checkPatchOptions(query: URLSearchParams, applies: boolean): void {
  const name = query.get('fieldManager') ?? '';
  const errors: FieldError[] = [];
  if (applies && name === '') errors.push(required('fieldManager', 'is required for apply patch'));
  if (!applies && query.has('force')) errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  refuse([...errors, ...nameErrors(name)], 'PatchOptions');
}

/** The user agent up to its first slash: the manager that does not name itself (upstream's `prefixFromUserAgent`). */
export function managerOf(userAgent: string | null): string {
  const prefix = (userAgent ?? '').split('/', 1)[0] ?? '';
  let name = '';
  for (const letter of prefix) {
    if (byteLength(name + letter) > MAX_LENGTH) break;
    if (!UNPRINTABLE.test(letter)) name += letter;
  }
  return name;
}

function nameErrors(name: string): FieldError[] {
  const errors: FieldError[] = [];
  if (byteLength(name) > MAX_LENGTH) errors.push(tooLong('fieldManager', MAX_LENGTH));
  let position = 0;
  for (const letter of name) {
    if (UNPRINTABLE.test(letter)) {
      const code = (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalid('fieldManager', name, `invalid character U+${code} (at position ${position})`));
    }
    position += byteLength(letter);
  }
  return errors;
}

const utf8 = new TextEncoder();
const byteLength = (text: string): number => utf8.encode(text).length;

function refuse(errors: readonly FieldError[], kind: string): void {
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind }, '', errors);
}
