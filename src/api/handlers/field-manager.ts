/** Who writes: what a request says of its manager, checked as upstream's `ValidateFieldManager` does. */
import { type FieldError, invalid, tooLong } from '../../apimachinery/field.ts';

const MAX_LENGTH = 128;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

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

/** What is wrong with a name: that it is too long, or cannot be printed. */
export function managerErrors(name: string): FieldError[] {
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
