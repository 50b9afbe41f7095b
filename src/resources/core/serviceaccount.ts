import type { ServiceAccount } from '../../generated/types/core.v1.ts';
import { core } from './group.ts';

/** Service accounts. */
export const serviceAccount = core<ServiceAccount>({
  resource: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
  shortNames: ['sa'],
  strategy: { returnsDeleted: true },
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  ],
});
