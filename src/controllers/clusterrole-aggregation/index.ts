/** Fills aggregated ClusterRoles with the rules of those that they select. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { selects } from '../../apimachinery/labels.ts';
import type { ClusterRole, PolicyRule } from '../../generated/types/rbac.v1.ts';
import type { Controller } from '../controller.ts';

const ROLES = 'rbac.authorization.k8s.io/clusterroles';

/** The rules of all that the role selects: by selector, then by name, each rule once. */
function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const byName = [...all].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: PolicyRule[] = [];
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const { metadata, rules: theirs } of byName) {
      if (metadata.name === role.metadata.name || !selects(labelSelector, metadata.labels)) continue;
      for (const rule of theirs ?? []) if (!rules.some((known) => deepEqual(known, rule))) rules.push(ordered(rule));
    }
  }
  return rules;
}

/** The rule with its fields in the order in which upstream writes them. */
function ordered({ verbs, ...rest }: PolicyRule): PolicyRule {
  return { ...(verbs === undefined ? {} : { verbs }), ...rest };
}

/** Upstream's `clusterrole-aggregation-controller`. */
export const clusterRoleAggregationController: Controller = {
  name: 'clusterrole-aggregation-controller',
  watches: [
    {
      resource: ROLES,
      // Who selects it now or did before is not worth working out: there are few.
      async keys(_change, client) {
        const { items } = await client.list<ClusterRole>(ROLES);
        return items
          .filter(({ aggregationRule }) => aggregationRule !== undefined)
          .map(({ metadata }) => metadata.name);
      },
    },
  ],
  async reconcile(client, { name }) {
    const { items } = await client.list<ClusterRole>(ROLES);
    const role = items.find(({ metadata }) => metadata.name === name);
    if (role?.aggregationRule === undefined || role.metadata.deletionTimestamp !== undefined) return;
    const rules = aggregatedRules(role, items);
    if (!deepEqual(rules, role.rules ?? [])) await client.update<ClusterRole>(ROLES, { ...role, rules });
    return;
  },
};
