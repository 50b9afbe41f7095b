/** ConfigMaps and Secrets that pods refer to: each is watched by name for as long as a pod needs it. */
import type { ConfigMap, Secret } from '../../src/generated/types/core.v1.ts';
import type { Informer, Informers, Selection } from '../informer.ts';

/** What a ConfigMap or Secret holds. Keys may be anything, hence maps. */
export interface ConfigData {
  /** Values as text; binary keys of a ConfigMap are left out, as upstream does in environments. */
  text: Map<string, string>;
  bytes: Map<string, Buffer>;
  /** A Secret's type. */
  type: string;
  immutable: boolean;
}

type Kind = 'configmaps' | 'secrets';

const SYNC_TIMEOUT_MS = 15_000;

interface Watched {
  users: Set<string>;
  informer: Informer<ConfigMap | Secret>;
  selection: Selection;
  unsubscribe: () => void;
}

/** Reads configuration for pods. `onChange` is told the uids of the pods that use what has changed. */
export class ConfigSource {
  readonly #informers: Informers;
  readonly #onChange: (uid: string) => void;
  readonly #watched = new Map<string, Watched>();

  constructor(informers: Informers, onChange: (uid: string) => void) {
    this.#informers = informers;
    this.#onChange = onChange;
  }

  /** The same source, remembering that `uid` is who asks. */
  for(uid: string): PodConfigSource {
    return {
      configMap: (namespace, name, optional) => this.#read(uid, 'configmaps', namespace, name, optional),
      secret: (namespace, name, optional) => this.#read(uid, 'secrets', namespace, name, optional),
    };
  }

  /** Ends the watches that only this pod needed. */
  release(uid: string): void {
    for (const [key, watched] of this.#watched) {
      watched.users.delete(uid);
      if (watched.users.size > 0) continue;
      watched.unsubscribe();
      this.#informers.release(`core/${key.slice(0, key.indexOf('/'))}`, watched.selection);
      this.#watched.delete(key);
    }
  }

  async #read(
    uid: string,
    kind: Kind,
    namespace: string,
    name: string,
    optional: boolean,
  ): Promise<ConfigData | undefined> {
    const informer = this.#watch(uid, kind, namespace, name);
    if (!informer.hasSynced)
      await withTimeout(
        informer.synced,
        `failed to sync ${kind.slice(0, -1)} cache: timed out waiting for the condition`,
      );
    const object = informer.get(namespace, name);
    if (object !== undefined) return contents(kind, object);
    if (optional) return undefined;
    throw new Error(`${kind === 'secrets' ? 'secret' : 'configmap'} ${JSON.stringify(name)} not found`);
  }

  #watch(uid: string, kind: Kind, namespace: string, name: string): Informer<ConfigMap | Secret> {
    const key = `${kind}/${namespace}/${name}`;
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      const selection = { namespace, fieldSelector: `metadata.name=${name}` };
      const informer = this.#informers.get<ConfigMap | Secret>(`core/${kind}`, selection);
      const users = new Set<string>();
      const unsubscribe = informer.subscribe(() => {
        for (const user of users) this.#onChange(user);
      });
      watched = { users, informer, selection, unsubscribe };
      this.#watched.set(key, watched);
    }
    watched.users.add(uid);
    return watched.informer;
  }
}

/** A pod's view of the source. */
export interface PodConfigSource {
  configMap(namespace: string, name: string, optional: boolean): Promise<ConfigData | undefined>;
  secret(namespace: string, name: string, optional: boolean): Promise<ConfigData | undefined>;
}

function contents(kind: Kind, object: ConfigMap | Secret): ConfigData {
  const bytes = new Map<string, Buffer>();
  const text = new Map<string, string>();
  if (kind === 'configmaps') {
    const configMap = object as ConfigMap;
    for (const [key, value] of Object.entries(configMap.data ?? {})) {
      text.set(key, value);
      bytes.set(key, Buffer.from(value));
    }
    for (const [key, value] of Object.entries(configMap.binaryData ?? {})) bytes.set(key, Buffer.from(value, 'base64'));
  } else {
    for (const [key, value] of Object.entries((object as Secret).data ?? {})) {
      bytes.set(key, Buffer.from(value, 'base64'));
      text.set(key, Buffer.from(value, 'base64').toString('utf8'));
    }
  }
  const type = kind === 'secrets' ? ((object as Secret).type ?? 'Opaque') : '';
  return { text, bytes, type, immutable: object.immutable === true };
}

async function withTimeout(promise: Promise<void>, message: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), SYNC_TIMEOUT_MS);
  });
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
