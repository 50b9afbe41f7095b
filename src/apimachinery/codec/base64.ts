/** Standard base64 with padding, as Go reads it into `[]byte`. */

const FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Texts are matched in pieces: one match of megabytes would need as deep a stack. */
const PIECE = 1 << 16;

/** The first place where a text is not base64, counted as Go's `CorruptInputError`; -1 where it is. Line ends are passed over by Go. */
export function base64Problem(text: string): number {
  let at = 0;
  for (; text.length - at > PIECE; at += PIECE) {
    const piece = text.slice(at, at + PIECE);
    if (!FORM.test(piece) || piece.endsWith('=')) return at + firstProblem(piece, text.length - at);
  }
  const rest = text.slice(at);
  return FORM.test(rest) ? -1 : at + firstProblem(rest, rest.length);
}

function firstProblem(text: string, whole: number): number {
  const odd = text.search(/[^A-Za-z0-9+/]/);
  const digits = odd < 0 ? text.length : odd;
  if (odd < 0) return whole > text.length ? text.length : digits - (digits % 4);
  if (text[odd] !== '=' || digits % 4 < 2) return odd;
  const padding = 4 - (digits % 4);
  for (let i = 1; i < padding; i++) {
    if (odd + i >= text.length) return text.length;
    if (text[odd + i] !== '=') return odd + i;
  }
  return odd + padding;
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** The bytes of a text that is base64. */
export function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
