/** The API server's surroundings, made of the Worker's bindings. */
import { type External, externalIdentities } from '../api/authentication/oidc/index.ts';
import type { Store, Surroundings } from '../api/context.ts';
import type { ClusterRpc } from './cluster-rpc.ts';
import { encryptedStores } from './encryption.ts';
import type { Env } from './env.ts';

/** Durable Objects by the names that `design` gives them: `<cluster>/<group>/<resource>`, `<cluster>`, `<cluster>/<node>`. */
export function surroundings(env: Env): Surroundings {
  let external: { known: External | undefined } | undefined;
  return {
    store: (cluster, id) => env.STORE.getByName(`${cluster}/${id}`) as unknown as Store,
    cluster: (cluster) => env.CLUSTER.getByName(cluster) as unknown as ClusterRpc,
    nodeSession: (cluster, node) => env.NODE_SESSION.getByName(`${cluster}/${node}`),
    assets: env.ASSETS,
    bootstrapSecret: env.BOOTSTRAP_SECRET ?? '',
    encryptedStores: encryptedStores(env),
    // Requests alone ask for it: what only calls stores need not read it.
    get external() {
      external ??= { known: externalIdentities(env.AUTHENTICATION_CONFIG) };
      return external.known;
    },
  };
}
