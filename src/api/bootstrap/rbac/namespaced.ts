/** Roles in the namespaces of the system. */
import { EVENTS, READ, type Roles, rule } from './rule.ts';

/** Who would be the only one at work holds a Lease. */
const LEADER_LOCKING = [
  rule(`${READ} create update`, 'coordination.k8s.io', 'leases'),
  rule(`${READ} create update`, 'coordination.k8s.io', 'leasecandidates'),
];

/** By namespace. */
export const namespacedRoles: Readonly<Record<string, Roles>> = {
  'kube-public': {
    'system:controller:bootstrap-signer': [
      rule(READ, 'core', 'configmaps'),
      rule('update', 'core', 'configmaps', 'cluster-info'),
      EVENTS,
    ],
  },
  'kube-system': {
    'extension-apiserver-authentication-reader': [
      rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication'),
    ],
    'system::leader-locking-kube-controller-manager': LEADER_LOCKING,
    'system::leader-locking-kube-scheduler': LEADER_LOCKING,
    'system:controller:bootstrap-signer': [rule(READ, 'core', 'secrets')],
    'system:controller:cloud-provider': [rule(`${READ} create`, 'core', 'configmaps')],
    'system:controller:token-cleaner': [rule(`${READ} delete`, 'core', 'secrets'), EVENTS],
  },
};
