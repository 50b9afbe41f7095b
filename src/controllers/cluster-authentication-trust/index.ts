/** The ConfigMap by which extension API servers learn whom the API server believes, and how they are to believe the API server. */
import { CLUSTER_AUTHENTICATION, clusterAuthentication } from '../../apimachinery/cluster-authentication.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { ConfigMap } from '../../generated/types/core.v1.ts';
import { type Controller, untilNextCa } from '../controller.ts';

const KEY = `${CLUSTER_AUTHENTICATION.namespace}/${CLUSTER_AUTHENTICATION.name}`;

/** Upstream's `cluster_authentication_trust_controller`; its only key is the ConfigMap's. A CA that was retired does not stay in it. */
export const clusterAuthenticationTrustController: Controller = {
  name: 'cluster_authentication_trust_controller',
  partOf: 'kube-apiserver',
  fieldManager: 'kube-apiserver',
  watches: [{ resource: 'core/configmaps', keys: ({ key }) => (key === KEY ? [KEY] : []) }],
  holdsRootCa: () => Promise.resolve([KEY]),
  async reconcile(client, { namespace, name }, context) {
    const ca = await context.rootCa();
    const wanted = clusterAuthentication(ca.bundle);
    const current = await client.get<ConfigMap>('core/configmaps', namespace, name);
    if (current === undefined) {
      const metadata = { ...CLUSTER_AUTHENTICATION };
      try {
        await client.create<ConfigMap>('core/configmaps', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata,
          data: wanted,
        });
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error;
      }
    } else if (Object.entries(wanted).some(([key, value]) => current.data?.[key] !== value)) {
      await client.update<ConfigMap>('core/configmaps', { ...current, data: { ...current.data, ...wanted } });
    }
    return untilNextCa(ca, context);
  },
};
