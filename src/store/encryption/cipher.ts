/** AES-256-GCM over bytes. Synchronous, for it runs inside a store's transactions, where WebCrypto cannot. */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { joinBytes } from '../../apimachinery/bytes.ts';

const ALGORITHM = 'aes-256-gcm';
/** In bytes. */
export const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const TAG = { authTagLength: TAG_LENGTH };

const utf8 = new TextEncoder();

/** A new key. */
export const randomKey = (): Uint8Array => crypto.getRandomValues(new Uint8Array(KEY_LENGTH));

/** Seals a value for one place: `head`, a random nonce, the ciphertext and its tag. Only who names the same place can open it. */
export function seal(
  key: Uint8Array,
  value: Uint8Array,
  place: string,
  head: Uint8Array = new Uint8Array(),
): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH));
  const cipher = createCipheriv(ALGORITHM, key, nonce, TAG);
  cipher.setAAD(utf8.encode(place));
  const sealed = cipher.update(value);
  const rest = cipher.final();
  return joinBytes([head, nonce, sealed, rest, cipher.getAuthTag()]);
}

/** The value that was sealed behind a head of `headLength` bytes. Throws for another key, another place, or a byte that was changed. */
export function open(key: Uint8Array, sealed: Uint8Array, place: string, headLength = 0): Uint8Array {
  const start = headLength + NONCE_LENGTH;
  const end = sealed.length - TAG_LENGTH;
  if (end < start) throw new Error(`what is kept of ${place} is cut short`);
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(headLength, start), TAG);
  decipher.setAAD(utf8.encode(place));
  decipher.setAuthTag(sealed.subarray(end));
  try {
    const value = decipher.update(sealed.subarray(start, end));
    // Throws where the tag does not fit; a stream cipher has nothing left to say.
    decipher.final();
    return value;
  } catch {
    throw new Error(`what is kept of ${place} cannot be decrypted: it was changed, or belongs elsewhere`);
  }
}
