/** To whom the default roles are bound. */
import type { Subject } from '../../../durable-objects/cluster-rpc.ts';
import { AGENTS } from '../../authentication/user.ts';
import { controllerRoles } from './controllers.ts';

const GROUP = 'rbac.authorization.k8s.io';
const user = (name: string): Subject => ({ kind: 'User', apiGroup: GROUP, name });
const group = (name: string): Subject => ({ kind: 'Group', apiGroup: GROUP, name });
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });

const EVERYBODY = group('system:authenticated');
const SCHEDULER = user('system:kube-scheduler');
const MANAGER = user('system:kube-controller-manager');

/** The ServiceAccount's name is the last part of its role's. */
const ofAccount = (role: string): readonly Subject[] => [account(role.slice(role.lastIndexOf(':') + 1))];

/** Subjects of a ClusterRole, by its name, which is the binding's too. */
export const clusterSubjects: Readonly<Record<string, readonly Subject[]>> = {
  'cluster-admin': [group('system:masters')],
  'system:basic-user': [EVERYBODY],
  'system:discovery': [EVERYBODY],
  'system:kube-controller-manager': [MANAGER],
  'system:kube-dns': [account('kube-dns')],
  'system:kube-scheduler': [SCHEDULER],
  'system:monitoring': [group('system:monitoring')],
  'system:node': [],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:public-info-viewer': [EVERYBODY, group('system:unauthenticated')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:volume-scheduler': [SCHEDULER],
  ...Object.fromEntries(Object.keys(controllerRoles).map((name) => [`system:controller:${name}`, [account(name)]])),
};

/** The same of our own roles. */
export const agentSubjects: Readonly<Record<string, readonly Subject[]>> = { 'zeroplane:agent': [group(AGENTS)] };

/** The same of Roles, by namespace; a name is `<role>`, or `<binding> = <role>` where the two differ. */
export const namespacedSubjects: Readonly<Record<string, Readonly<Record<string, readonly Subject[]>>>> = {
  'kube-public': { 'system:controller:bootstrap-signer': ofAccount('system:controller:bootstrap-signer') },
  'kube-system': {
    'system::extension-apiserver-authentication-reader = extension-apiserver-authentication-reader': [
      MANAGER,
      SCHEDULER,
    ],
    'system::leader-locking-kube-controller-manager': [
      MANAGER,
      account('kube-controller-manager'),
      account('leader-election-controller'),
    ],
    'system::leader-locking-kube-scheduler': [SCHEDULER, account('kube-scheduler')],
    'system:controller:bootstrap-signer': ofAccount('system:controller:bootstrap-signer'),
    'system:controller:cloud-provider': ofAccount('system:controller:cloud-provider'),
    'system:controller:token-cleaner': ofAccount('system:controller:token-cleaner'),
  },
};
