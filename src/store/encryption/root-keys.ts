/** The keys that never lie beside what they protect: they wrap each database's own keys, and come as a secret from outside. */
import { createHash } from 'node:crypto';
import { fromBase64 } from '../../apimachinery/codec/base64.ts';
import { KEY_LENGTH, open, seal } from './cipher.ts';

interface RootKey {
  /** Of the key's own digest: nobody has to name it. */
  id: string;
  bytes: Uint8Array;
}

export class RootKeys {
  private readonly keys: readonly RootKey[];

  private constructor(keys: readonly RootKey[]) {
    this.keys = keys;
  }

  /**
   * Keys of 32 bytes in base64, separated by white space: the first wraps, the others still unwrap. Undefined where there are none.
   * Throws for anything else, without a word of what it was.
   */
  static parse(text = ''): RootKeys | undefined {
    const words = text.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) return undefined;
    return new RootKeys(words.map(rootKey));
  }

  /** The id of the key that wraps. */
  get first(): string {
    return (this.keys[0] as RootKey).id;
  }

  /** A key, wrapped by the first. */
  wrap(key: Uint8Array, place: string): { root: string; wrapped: Uint8Array } {
    const { id, bytes } = this.keys[0] as RootKey;
    return { root: id, wrapped: seal(bytes, key, place) };
  }

  /** Throws where the key that wrapped is not among these. */
  unwrap({ root, wrapped }: { root: string; wrapped: Uint8Array }, place: string): Uint8Array {
    const key = this.keys.find(({ id }) => id === root);
    if (key === undefined) throw new MissingKey(place, root);
    return open(key.bytes, wrapped, place);
  }
}

/** What stands in the way of reading what is kept; a person has to do something about it. */
export class BadKeys extends Error {}

/** What is kept was encrypted under a key that is not at hand. */
export class MissingKey extends BadKeys {
  constructor(place: string, root: string) {
    super(`${place} is encrypted under the key ${root}, which ENCRYPTION_KEYS does not hold`);
  }
}

function rootKey(text: string): RootKey {
  const bytes = /^[A-Za-z0-9+/]{43}=$/.test(text) ? fromBase64(text) : undefined;
  if (bytes?.length !== KEY_LENGTH) {
    throw new BadKeys('ENCRYPTION_KEYS must hold keys of 32 bytes in base64, separated by spaces');
  }
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}
