/** The ConfigMap `kube-root-ca.crt` of every namespace: how pods trust the API server. */
import { isReason } from '../../apimachinery/errors.ts';
import type { ConfigMap, Namespace } from '../../generated/types/core.v1.ts';
import { type Controller, itself, itsNamespace, untilNextCa } from '../controller.ts';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION = 'kubernetes.io/description';
const WHAT_IT_IS =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal ' +
  'service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Upstream's `root-ca-certificate-publisher-controller`; a key is a namespace's name. */
export const rootCaController: Controller = {
  name: 'root-ca-certificate-publisher',
  watches: [
    { resource: 'core/namespaces', keys: itself },
    { resource: 'core/configmaps', keys: (change) => (change.name === NAME ? itsNamespace(change) : []) },
  ],
  async holdsRootCa(client) {
    const { items } = await client.list<Namespace>('core/namespaces');
    return items.map(({ metadata }) => metadata.name);
  },
  async reconcile(client, { name: namespace }, context) {
    const found = await client.get<Namespace>('core/namespaces', '', namespace);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
    const ca = await context.rootCa();
    const data = { 'ca.crt': ca.bundle };
    const again = untilNextCa(ca, context);
    const annotations = { [DESCRIPTION]: WHAT_IT_IS };
    const current = await client.get<ConfigMap>('core/configmaps', namespace, NAME);
    if (current === undefined) {
      const metadata = { name: NAME, namespace, annotations };
      try {
        await client.create<ConfigMap>('core/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
      } catch (error) {
        if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Forbidden')) throw error;
      }
      return again;
    }
    const keys = Object.keys(current.data ?? {});
    const described = current.metadata.annotations?.[DESCRIPTION] === WHAT_IT_IS;
    if (keys.length === 1 && current.data?.['ca.crt'] === data['ca.crt'] && described) return again;
    const metadata = { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } };
    await client.update<ConfigMap>('core/configmaps', { ...current, metadata, data });
    return again;
  },
};
