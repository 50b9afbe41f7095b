/** The API server in this process: the app as it is, over stores in memory and a cluster that is what a test says. */
import { app } from '../../src/api/app.ts';
import type { Auditor } from '../../src/api/audit/auditor.ts';
import type { Execution, Store, Surroundings } from '../../src/api/context.ts';
import { serviceUnavailable } from '../../src/apimachinery/errors.ts';
import type { ClusterRpc, ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';
import { MemoryBackend } from '../../src/store/memory-backend.ts';
import { coreStore } from './core-store.ts';

export interface ApiServer {
  request(method: string, path: string, token?: string, body?: unknown): Promise<Response>;
}

/** What a Worker's entry adds to its surroundings. */
export interface Entry {
  auditor?: Auditor;
  execution?: Execution;
}

/** What needs more than a store in memory answers 503: the request has come through. */
const unreachable = (): Promise<never> => Promise.reject(serviceUnavailable('not in this process'));

export function apiServer(snapshot: ClusterSnapshot, cluster: Partial<ClusterRpc> = {}, entry: Entry = {}): ApiServer {
  const stores = new Map<string, Store>();
  const open = (id: string): Store => {
    const backend = new MemoryBackend();
    const { calls } = coreStore(id.slice(id.indexOf('/') + 1), () => backend);
    return { stats: unreachable, charge: unreachable, ...calls, fetch: unreachable } as unknown as Store;
  };
  const around: Surroundings = {
    store: (_, id) => {
      const store = stores.get(id) ?? open(id);
      stores.set(id, store);
      return store;
    },
    cluster: () =>
      ({
        snapshot: async (known: number) => (known === snapshot.version ? null : snapshot),
        mint: unreachable,
        nodeCredential: unreachable,
        removeNode: unreachable,
        checkBootstrapToken: async () => false,
        ...cluster,
      }) as unknown as ClusterRpc,
    nodeSession: () => ({ fetch: unreachable }),
    assets: { fetch: unreachable },
    bootstrapSecret: 'the secret of the deployment',
    encryptedStores: [],
  };
  return {
    async request(method, path, token, body) {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      if (body !== undefined) headers['content-type'] = type;
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      return app.fetch(new Request(`https://api${path}`, { method, headers, ...text }), { around, ...entry });
    },
  };
}
