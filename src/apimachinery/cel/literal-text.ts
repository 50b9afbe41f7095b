/** Literals that the base library reads otherwise than cel-go, written so that both mean the same. */

const RAW = /^([bB])?[rR]("""|'''|"|')([\s\S]*)\2$/;
const BYTES = /^[bB]("""|'''|"|')([\s\S]*)\1$/;

/** A literal in other words; undefined where it can stay what it is. */
export function literalEdit(text: string): string | undefined {
  if (/^\.\d/.test(text)) return `0${text}`;
  const raw = RAW.exec(text);
  if (raw !== null) {
    const [, bytes, quote = '"', inner = ''] = raw;
    const escaped = inner.replaceAll('\\', '\\\\');
    return bytes === undefined ? `${quote}${escaped}${quote}` : `b${quote}${ascii(escaped)}${quote}`;
  }
  const [, quote = '', inner = ''] = BYTES.exec(text) ?? [];
  return /[^\0-\x7f]/.test(inner) ? `b${quote}${ascii(inner)}${quote}` : undefined;
}

/** What is no ASCII, as the bytes of its UTF-8. */
const ascii = (text: string): string =>
  text.replaceAll(/[^\0-\x7f]/gu, (character) =>
    Array.from(new TextEncoder().encode(character), (byte) => `\\x${byte.toString(16)}`).join(''),
  );
