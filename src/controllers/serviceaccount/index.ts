/** The ServiceAccount `default` of every namespace. */
import { isReason } from '../../apimachinery/errors.ts';
import type { Namespace, ServiceAccount } from '../../generated/types/core.v1.ts';
import { type Controller, itself, itsNamespace } from '../controller.ts';

const NAME = 'default';

/** Upstream's `serviceaccount-controller`; a key is a namespace's name. */
export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  watches: [
    { resource: 'core/namespaces', keys: itself },
    {
      resource: 'core/serviceaccounts',
      keys: (change) => (change.type === 'DELETED' && change.name === NAME ? itsNamespace(change) : []),
    },
  ],
  async reconcile(client, { name: namespace }) {
    const found = await client.get<Namespace>('core/namespaces', '', namespace);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
    if ((await client.get('core/serviceaccounts', namespace, NAME)) !== undefined) return;
    const account: ServiceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } };
    try {
      await client.create('core/serviceaccounts', account);
    } catch (error) {
      if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Forbidden')) throw error;
    }
    return;
  },
};
