/** Random and derived name suffixes, after upstream's `util/rand` and Go's `hash/fnv`. */

/** No vowels, so that no words come out, and nothing that looks like something else. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** `n` random characters of a name (`rand.String`). */
export function randomSuffix(n = 5): string {
  return randomText(n, ALPHABET);
}

/** `n` random characters of an alphabet, each as likely as the others. */
export function randomText(n: number, alphabet: string): string {
  // Bytes from here on would favour the alphabet's first letters.
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  const bytes = new Uint8Array(n + 8);
  while (text.length < n) {
    crypto.getRandomValues(bytes);
    for (const byte of bytes) if (byte < fair && text.length < n) text += alphabet[byte % alphabet.length];
  }
  return text;
}

/** A text in the letters of {@link randomSuffix}, one for one (`rand.SafeEncodeString`): of hashes in names. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(text)) encoded += ALPHABET[byte % ALPHABET.length];
  return encoded;
}

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1 of the text's UTF-8 bytes, an unsigned 32 bit number (`fnv.New32`): multiplies first. */
export function fnv32(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash, PRIME) ^ byte;
  return hash >>> 0;
}

/** FNV-1a of bytes, of a text those of its UTF-8, an unsigned 32 bit number (`fnv.New32a`): multiplies last. */
export function fnv32a(data: string | Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (const byte of typeof data === 'string' ? new TextEncoder().encode(data) : data)
    hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
