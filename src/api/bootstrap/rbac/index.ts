/** The default policy as objects: the roles and bindings that upstream's kube-apiserver 1.36 makes (`bootstrappolicy`). */
import type { ResourceId } from '../../../apimachinery/client.ts';
import type { ObjectMeta } from '../../../apimachinery/meta.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '../../../generated/types/rbac.v1.ts';
import { agentSubjects, clusterSubjects, namespacedSubjects } from './bindings.ts';
import { agentRoles, componentRoles, metricsRoles } from './components.ts';
import { controllerRoles } from './controllers.ts';
import { namespacedRoles } from './namespaced.ts';
import { aggregatedRoles, aggregatesTo, peoplesRoles } from './people.ts';
import type { Roles } from './rule.ts';

const GROUP = 'rbac.authorization.k8s.io';
/** With the value `false` an object is left as it is. */
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

export type PolicyObject = ClusterRole | ClusterRoleBinding | Role | RoleBinding;

function meta(name: string, namespace?: string): ObjectMeta {
  const goesTo = namespace === undefined ? aggregatesTo[name] : undefined;
  const label = goesTo === undefined ? undefined : aggregatedRoles[goesTo];
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...(label === undefined ? {} : { [label]: 'true' }) },
    annotations: { [AUTOUPDATE]: 'true' },
  };
}

const rolesOf = (roles: Roles, namespace?: string): Role[] =>
  Object.entries(roles).map(([name, rules]) => ({ metadata: meta(name, namespace), rules: [...rules] }) as Role);

const ofControllers = Object.fromEntries(
  Object.entries(controllerRoles).map(([name, rules]) => [`system:controller:${name}`, rules]),
);

/** Their rules are written by the clusterrole-aggregation-controller, as upstream: what is bound is always what the object says. */
const aggregated = Object.entries(aggregatedRoles).map(
  ([name, label]): ClusterRole => ({
    metadata: meta(name),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
  }),
);

const clusterBinding = ([name, subjects]: [string, readonly Subject[]]): ClusterRoleBinding => ({
  metadata: meta(name),
  roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
  ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
});

const bindings = Object.entries(namespacedSubjects).flatMap(([namespace, byName]) =>
  Object.entries(byName).map(([names, subjects]) => {
    const [name = '', role = name] = names.split(' = ');
    return {
      metadata: meta(name, namespace),
      roleRef: { apiGroup: GROUP, kind: 'Role', name: role },
      subjects: [...subjects],
    };
  }),
);

/** By store. */
export const defaultPolicy: readonly (readonly [ResourceId, readonly PolicyObject[]])[] = [
  [
    `${GROUP}/clusterroles`,
    [...aggregated, ...[peoplesRoles, componentRoles, ofControllers].flatMap((roles) => rolesOf(roles))],
  ],
  [`${GROUP}/clusterrolebindings`, Object.entries(clusterSubjects).map(clusterBinding)],
  [`${GROUP}/roles`, Object.entries(namespacedRoles).flatMap(([namespace, roles]) => rolesOf(roles, namespace))],
  [`${GROUP}/rolebindings`, bindings],
];

const everyLabel = Object.fromEntries(Object.values(aggregatedRoles).map((label) => [label, 'true']));
const ofMetrics = rolesOf(metricsRoles).map((role) => ({
  ...role,
  metadata: { ...role.metadata, labels: { ...role.metadata.labels, ...everyLabel } },
}));

/** Ours, beside upstream's. */
export const ownPolicy: typeof defaultPolicy = [
  [`${GROUP}/clusterroles`, [...rolesOf(agentRoles), ...ofMetrics]],
  [`${GROUP}/clusterrolebindings`, Object.entries(agentSubjects).map(clusterBinding)],
];
