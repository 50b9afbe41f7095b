/** Encryption at rest: what a database shows, whose keys open it, and that a rewriting which is interrupted loses nothing. */
import { drizzle } from 'drizzle-orm/durable-sqlite';
import { describe, expect, it } from 'vitest';
import { Rewriter } from '../../src/durable-objects/rewrite.ts';
import { SqliteBackend } from '../../src/durable-objects/sqlite-backend.ts';
import { open, randomKey, seal } from '../../src/store/encryption/cipher.ts';
import { Keyring } from '../../src/store/encryption/keyring.ts';
import { RootKeys } from '../../src/store/encryption/root-keys.ts';
import { ResourceStore } from '../../src/store/store.ts';
import type { Encoded } from '../../src/store/types.ts';
import { durableStorage } from '../support/core-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const rootText = (letter: string): string => btoa(letter.repeat(32));
const roots = (...letters: string[]): RootKeys => RootKeys.parse(letters.map(rootText).join(' ')) as RootKeys;
const A = roots('a');
const NAME = 'core/secrets';

const secret = (name: string, value: string): Encoded => ({
  text: `{"kind":"Secret","apiVersion":"v1","metadata":{"resourceVersion":"","name":"${name}"},"data":{"password":"${value}"}}`,
  labels: { app: name },
  fields: { type: 'Opaque' },
  uid: `uid-${name}`,
  owners: undefined,
});

/** The store of Secrets on this database, as an object has it that has just woken. */
function wake(storage: DurableObjectStorage, keys: RootKeys | null = A, wanted = true) {
  const keyring = Keyring.open(storage.kv, keys ?? undefined, NAME, wanted);
  const backend = new SqliteBackend(storage, drizzle(storage), keyring);
  return {
    keyring,
    store: new ResourceStore(backend, { resource: { group: '', resource: 'secrets' } }),
    rewriter: keyring === undefined ? undefined : new Rewriter(storage, keyring),
  };
}

/** All that the tables hold, as one text. */
function dump(storage: DurableObjectStorage): string {
  const rows = ['objects', 'log'].flatMap((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray());
  const texts = rows.flatMap((row) =>
    Object.values(row).map((value) => (value instanceof Uint8Array ? new TextDecoder('latin1').decode(value) : value)),
  );
  return texts.join('\n');
}

/** Rewrites to the end; the object is evicted after every so many steps. */
function rewriteAll(storage: DurableObjectStorage, keys = A, wanted = true, stepsAwake = 1): number {
  for (let steps = 0; steps < 500; ) {
    const { rewriter } = wake(storage, keys, wanted);
    for (let i = 0; i < stepsAwake; i++, steps++) if (rewriter?.step() !== true) return steps;
  }
  throw new Error('it does not end');
}

const fill = (store: ReturnType<typeof wake>['store'], count: number): void => {
  for (let i = 0; i < count; i++) store.create(`ns/${i}`, secret(`s${i}`, `hunter-${i}`), false);
};
const valuesOf = (store: ReturnType<typeof wake>['store']): string[] => {
  const page = store.list({ prefix: '' });
  if ('status' in page) throw new Error(page.status.message);
  return [...page.items.matchAll(/hunter-\d+/g)].map(([value]) => value);
};

describe('the cipher', () => {
  const key = randomKey();
  const sealed = seal(key, bytes('hello'), 'here');
  const changed = (at: number): Uint8Array => sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));

  it('opens what it has sealed, and never seals twice alike', () => {
    expect(new TextDecoder().decode(open(key, sealed, 'here'))).toBe('hello');
    expect(seal(key, bytes('hello'), 'here')).not.toEqual(sealed);
    expect(open(key, seal(key, bytes(''), 'here'), 'here')).toHaveLength(0);
  });

  it.each<[string, Uint8Array, Uint8Array, string]>([
    ['another key', randomKey(), sealed, 'here'],
    ['another place', key, sealed, 'there'],
    ['another nonce', key, changed(0), 'here'],
    ['another text', key, changed(12), 'here'],
    ['another tag', key, changed(sealed.length - 1), 'here'],
    ['a shorter text', key, sealed.subarray(0, sealed.length - 1), 'here'],
    ['next to nothing', key, sealed.subarray(0, 20), 'here'],
  ])('refuses %s', (_, with_, what, place) => {
    expect(() => open(with_, what, place)).toThrow(/^what is kept of h?t?here /);
  });
});

describe('root keys', () => {
  it.each([
    'short',
    btoa('x'.repeat(31)),
    btoa('x'.repeat(33)),
    `${rootText('a')},${rootText('b')}`,
    rootText('a').slice(1),
  ])('are not %j, which is not repeated', (text) => {
    expect(() => RootKeys.parse(text)).toThrow(
      'ENCRYPTION_KEYS must hold keys of 32 bytes in base64, separated by spaces',
    );
  });

  it('may be none', () => {
    expect(RootKeys.parse(undefined)).toBeUndefined();
    expect(RootKeys.parse(' \n')).toBeUndefined();
  });
});

describe('an encrypted store', () => {
  it('shows names, but no value, neither of objects nor of history', () => {
    const storage = durableStorage('resource-store');
    const { store } = wake(storage);
    fill(store, 2);
    const before = String(store.resourceVersion);
    store.commit('ns/0', () => ({ do: 'write', object: secret('s0', 'hunter-new') }));
    store.commit('ns/1', () => ({ do: 'delete' }));
    expect(dump(storage)).toContain('ns/0');
    expect(dump(storage)).not.toMatch(/hunter|password/);
    expect(wake(storage).store.get('ns/0')).toContain('hunter-new');
    const past = wake(storage).store.list({ prefix: '', resourceVersion: before, resourceVersionMatch: 'Exact' });
    expect(past).toMatchObject({ count: 2, items: expect.stringContaining('hunter-1') });
  });

  it('costs a store that is not encrypted nothing, and leaves nothing behind in it', () => {
    const storage = durableStorage('resource-store');
    const { store, keyring } = wake(storage, A, false);
    fill(store, 1);
    expect(keyring).toBeUndefined();
    expect(storage.kv.get('data-keys')).toBeUndefined();
    expect(dump(storage)).toContain('hunter-0');
  });

  it.each<[string, string]>([
    [
      'another row’s value',
      "UPDATE objects SET text = (SELECT text FROM objects WHERE key = 'ns/1') WHERE key = 'ns/0'",
    ],
    ['a value of no key', "UPDATE objects SET text = x'0100000000000000000000' WHERE key = 'ns/0'"],
    ['a value of another form', "UPDATE objects SET text = x'02' WHERE key = 'ns/0'"],
  ])('does not believe %s', (_, change) => {
    const storage = durableStorage('resource-store');
    fill(wake(storage).store, 2);
    storage.sql.exec(change);
    expect(() => wake(storage).store.get('ns/0')).toThrow(/^what is kept of core\/secrets\/ns\/0 /);
    expect(wake(storage).store.get('ns/1')).toContain('hunter-1');
  });

  it('does not open without its root key, nor under another, and is not written to', () => {
    const storage = durableStorage('resource-store');
    fill(wake(storage).store, 1);
    const before = [dump(storage), storage.kv.get('data-keys')];
    const why = /^core\/secrets .*is encrypted under the key [0-9a-f]{8}, which ENCRYPTION_KEYS does not hold$/;
    expect(() => wake(storage, null, false)).toThrow(why);
    expect(() => wake(storage, roots('b'))).toThrow(why);
    expect([dump(storage), storage.kv.get('data-keys')]).toEqual(before);
  });

  it('does not take the keys of another store', () => {
    const storage = durableStorage('resource-store');
    fill(wake(storage).store, 1);
    expect(() => Keyring.open(storage.kv, A, 'core/configmaps', true)).toThrow('cannot be decrypted');
  });
});

describe('rewriting', () => {
  const COUNT = 150;
  const all = Array.from({ length: COUNT }, (_, i) => `hunter-${i}`).sort();
  const plain = (): DurableObjectStorage => {
    const storage = durableStorage('resource-store');
    const { store } = wake(storage, null, false);
    fill(store, COUNT);
    store.commit('ns/0', () => ({ do: 'write', object: secret('s0', 'hunter-0') }));
    return storage;
  };

  it.each([1, 2, 3, 100])(
    'makes a database of before unreadable, though evicted after every %i steps',
    (stepsAwake) => {
      const storage = plain();
      const before = wake(storage).store;
      expect(valuesOf(before).sort()).toEqual(all);
      expect(rewriteAll(storage, A, true, stepsAwake)).toBeGreaterThan(2);
      expect(dump(storage)).not.toMatch(/hunter/);
      const { store, keyring } = wake(storage);
      expect(valuesOf(store).sort()).toEqual(all);
      expect(store.resourceVersion).toBe(before.resourceVersion);
      expect(keyring?.describe().rewriting).toBe(false);
    },
  );

  it('goes on while others write', () => {
    const storage = plain();
    const { store, rewriter } = wake(storage);
    for (let i = 0; rewriter?.step(); i++) store.create(`new/${i}`, secret('n', 'hunter-7'), false);
    expect(dump(storage)).not.toMatch(/hunter/);
  });

  it('ends the old data key', () => {
    const storage = durableStorage('resource-store');
    const { store, rewriter } = wake(storage);
    fill(store, COUNT);
    rewriteAll(storage);
    const before = wake(storage).keyring?.describe().key;
    rewriter?.rotate();
    expect(storage.kv.get('data-keys')).toHaveLength(2);
    // What is read before its turn comes is read with the old key.
    expect(valuesOf(store).sort()).toEqual(all);
    rewriteAll(storage);
    expect(storage.kv.get('data-keys')).toHaveLength(1);
    const after = wake(storage);
    expect(after.keyring?.describe()).toMatchObject({ rewriting: false, key: expect.not.stringMatching(before ?? '') });
    expect(valuesOf(after.store).sort()).toEqual(all);
  });

  it('undoes it where a resource is no longer to be encrypted', () => {
    const storage = durableStorage('resource-store');
    fill(wake(storage).store, COUNT);
    rewriteAll(storage, A, false);
    expect(storage.kv.get('data-keys')).toEqual([]);
    expect(valuesOf(wake(storage, null, false).store).sort()).toEqual(all);
  });

  it('has nothing to do for a new root key: that is done when the store wakes', () => {
    const storage = durableStorage('resource-store');
    fill(wake(storage).store, 3);
    rewriteAll(storage);
    expect(wake(storage, roots('b', 'a')).keyring?.describe().rewriting).toBe(false);
    expect(valuesOf(wake(storage, roots('b')).store)).toHaveLength(3);
    expect(() => wake(storage, A)).toThrow('which ENCRYPTION_KEYS does not hold');
  });
});
