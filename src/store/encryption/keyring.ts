/**
 * The data keys of one database, kept in it wrapped by the root key. A value says which of them sealed it: a version byte and the key's
 * id stand before it. The newest seals, the others open what has not been rewritten yet.
 */
import { hex } from '../../apimachinery/digest.ts';
import { KEY_LENGTH, open, randomKey, seal } from './cipher.ts';
import { MissingKey, type RootKeys } from './root-keys.ts';

/** Where a database keeps small things of its own; synchronous, and part of its transactions. */
export interface Kept {
  get<T>(name: string): T | undefined;
  put<T>(name: string, value: T): void;
}

/** A key as it is kept. */
interface WrappedKey {
  /** 16 hexadecimal digits. */
  id: string;
  /** When it was made, in ms. */
  at: number;
  root: string;
  wrapped: Uint8Array;
}

interface DataKey {
  bytes: Uint8Array;
  head: Uint8Array;
}

/** How a database is encrypted, for people. */
export interface Encryption {
  /** Of the data key that seals; empty where nothing is sealed any more. */
  key: string;
  /** Of the root key that wraps it. */
  root: string;
  since: string;
  /** Whether values of another form are still to be rewritten. */
  rewriting: boolean;
}

const KEYS = 'data-keys';
/** Under which key all values are known to be: its id, `none`, or nothing while they differ. */
const SETTLED = 'sealed-under';
const NONE = 'none';
const VERSION = 1;
const ID_LENGTH = 8;
const HEAD_LENGTH = 1 + ID_LENGTH;

const utf8 = new TextEncoder();
const text = new TextDecoder();

export class Keyring {
  private readonly kept: Kept;
  private readonly roots: RootKeys;
  /** What is encrypted: `core/secrets`. Its rows' places are below it. */
  private readonly name: string;
  /** Whether new values are sealed, or old ones opened only. */
  private readonly seals: boolean;
  private wrapped: readonly WrappedKey[];
  private readonly keys = new Map<string, DataKey>();

  private constructor(kept: Kept, roots: RootKeys, name: string, seals: boolean, wrapped: readonly WrappedKey[]) {
    this.kept = kept;
    this.roots = roots;
    this.name = name;
    this.seals = seals;
    this.wrapped = wrapped;
  }

  /**
   * The keys of a database; undefined where nothing is encrypted nor is to be. Makes the first key, and wraps all anew when the root key is
   * another. Throws where they cannot be unwrapped: better nothing than new keys beside values that nobody can read.
   */
  static open(kept: Kept, roots: RootKeys | undefined, name: string, wanted: boolean): Keyring | undefined {
    const wrapped = kept.get<WrappedKey[]>(KEYS) ?? [];
    const [newest] = wrapped;
    if (roots === undefined) {
      if (newest !== undefined) throw new MissingKey(name, newest.root);
      return undefined;
    }
    if (!wanted && newest === undefined) return undefined;
    const keyring = new Keyring(kept, roots, name, wanted, wrapped);
    for (const key of wrapped) keyring.take(key.id, roots.unwrap(key, keyring.placeOf(key.id)));
    if (wrapped.some(({ root }) => root !== roots.first)) keyring.rewrap();
    if (newest === undefined) keyring.rotate();
    return keyring;
  }

  /** Makes a new key, which seals from now on. */
  rotate(): void {
    const bytes = randomKey();
    const id = hex(crypto.getRandomValues(new Uint8Array(ID_LENGTH)));
    const wrapped = { id, at: Date.now(), ...this.roots.wrap(bytes, this.placeOf(id)) };
    this.keep([wrapped, ...this.wrapped]);
    this.kept.put(SETTLED, '');
    this.take(id, bytes);
  }

  /** The value of a key as it is to be kept. */
  seal(key: string, value: string): Uint8Array | string {
    const [newest] = this.wrapped;
    if (!this.seals || newest === undefined) return value;
    const { bytes, head } = this.keys.get(newest.id) as DataKey;
    return seal(bytes, utf8.encode(value), `${this.name}/${key}`, head);
  }

  /** The value of a key that was sealed. Throws where it was not sealed for this key of this database. */
  open(key: string, sealed: Uint8Array): string {
    const place = `${this.name}/${key}`;
    const known = sealed[0] === VERSION ? this.keys.get(hex(sealed.subarray(1, HEAD_LENGTH))) : undefined;
    if (known === undefined) throw new Error(`what is kept of ${place} is sealed under a key that is not there`);
    return text.decode(open(known.bytes, sealed, place, HEAD_LENGTH));
  }

  /** How every value begins that needs no rewriting; undefined where values are to be texts. */
  get head(): Uint8Array | undefined {
    const [newest] = this.wrapped;
    return this.seals && newest !== undefined ? this.keys.get(newest.id)?.head : undefined;
  }

  get isSettled(): boolean {
    return (this.kept.get<string>(SETTLED) ?? NONE) === this.wanted;
  }

  /** Every value is in the wanted form now: what other keys there are have nothing left to open. */
  settle(): void {
    this.keep(this.seals ? this.wrapped.slice(0, 1) : []);
    this.kept.put(SETTLED, this.wanted);
  }

  describe(): Encryption {
    const [newest] = this.wrapped;
    const rewriting = !this.isSettled;
    if (!this.seals || newest === undefined) return { key: '', root: '', since: '', rewriting };
    const { id, root, at } = newest;
    return { key: id, root, since: new Date(at).toISOString(), rewriting };
  }

  private get wanted(): string {
    return this.seals ? (this.wrapped[0]?.id ?? NONE) : NONE;
  }

  private rewrap(): void {
    const { keys, roots } = this;
    this.keep(
      this.wrapped.map((key) => ({ ...key, ...roots.wrap((keys.get(key.id) as DataKey).bytes, this.placeOf(key.id)) })),
    );
  }

  private keep(wrapped: readonly WrappedKey[]): void {
    this.kept.put(KEYS, wrapped);
    this.wrapped = wrapped;
  }

  private take(id: string, bytes: Uint8Array): void {
    if (bytes.length !== KEY_LENGTH) throw new Error(`the key ${id} of ${this.name} is no key`);
    const head = new Uint8Array(HEAD_LENGTH);
    head[0] = VERSION;
    head.set(fromHex(id), 1);
    this.keys.set(id, { bytes, head });
  }

  private readonly placeOf = (id: string): string => `${this.name} key ${id}`;
}

const fromHex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
