/** Signs the ConfigMap `kube-public/cluster-info` with every bootstrap token that is for signing, and takes away what others have signed. */
import { BOOTSTRAP_TOKEN_TYPE, TOKEN_SECRET_PREFIX, usableToken } from '../../apimachinery/bootstrap-token.ts';
import type { Client } from '../../apimachinery/client.ts';
import { CLUSTER_INFO, detachedSignature, KUBECONFIG_KEY, SIGNATURE_PREFIX } from '../../apimachinery/cluster-info.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { ConfigMap, Secret } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';

const TOKENS = 'kube-system';
const KEY = `${CLUSTER_INFO.namespace}/${CLUSTER_INFO.name}`;

/** Upstream's `bootstrap-signer-controller`; its only key is the ConfigMap's. */
export const bootstrapSignerController: Controller = {
  name: 'bootstrap-signer-controller',
  watches: [
    { resource: 'core/configmaps', keys: ({ key }) => (key === KEY ? [KEY] : []) },
    {
      resource: 'core/secrets',
      keys: ({ namespace, name }) => (namespace === TOKENS && name.startsWith(TOKEN_SECRET_PREFIX) ? [KEY] : []),
    },
  ],
  async reconcile(client, { namespace, name }, { now }) {
    const map = await client.get<ConfigMap>('core/configmaps', namespace, name);
    const kubeconfig = map?.data?.[KUBECONFIG_KEY];
    if (map === undefined || kubeconfig === undefined) return;
    const others = Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX));
    const data = { ...Object.fromEntries(others), ...(await signatures(client, kubeconfig, now())) };
    if (!deepEqual(data, map.data)) await client.update<ConfigMap>('core/configmaps', { ...map, data });
    return;
  },
};

/** Of a text, by keys of the ConfigMap. */
async function signatures(client: Client, text: string, at: number): Promise<Record<string, string>> {
  const fieldSelector = `type=${BOOTSTRAP_TOKEN_TYPE}`;
  const { items } = await client.list<Secret>('core/secrets', { namespace: TOKENS, fieldSelector });
  const tokens = items.flatMap((secret) => usableToken(secret, 'signing', at) ?? []);
  const signed = tokens.map(
    async ({ id, secret }) => [SIGNATURE_PREFIX + id, await detachedSignature(text, id, secret)] as const,
  );
  return Object.fromEntries(await Promise.all(signed));
}
