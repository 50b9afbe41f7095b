/** What of a deployment is encrypted at rest, and under which keys: read from the Worker's bindings. */
import type { ResourceId } from '../apimachinery/client.ts';
import { Keyring } from '../store/encryption/keyring.ts';
import { RootKeys } from '../store/encryption/root-keys.ts';
import type { Env } from './env.ts';

/** The stores of the resources that `ENCRYPTED_RESOURCES` names (`secrets widgets.example.com`); none without a key. */
export function encryptedStores({ ENCRYPTION_KEYS, ENCRYPTED_RESOURCES = 'secrets' }: Env): ResourceId[] {
  if (!ENCRYPTION_KEYS?.trim()) return [];
  const names = ENCRYPTED_RESOURCES.split(/[\s,]+/).filter((name) => name !== '');
  return [...new Set(names.map(storeNamed))];
}

function storeNamed(name: string): ResourceId {
  const dot = name.indexOf('.');
  return dot < 0 ? `core/${name}` : `${name.slice(dot + 1)}/${name.slice(0, dot)}`;
}

/** The keys of an object's database, when there is a root key and `isWanted` says so; undefined where nothing in it is encrypted. Throws where the root key is not the one, or is none. */
export function keyringOf(
  env: Env,
  storage: DurableObjectStorage,
  name: string,
  isWanted: (env: Env) => boolean,
): Keyring | undefined {
  return Keyring.open(storage.kv, RootKeys.parse(env.ENCRYPTION_KEYS), name, isWanted(env));
}
