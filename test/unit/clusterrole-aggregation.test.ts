import { expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { clusterRoleAggregationController } from '../../src/controllers/clusterrole-aggregation/index.ts';
import type { LabelSelector } from '../../src/generated/types/meta.v1.ts';
import type { ClusterRole } from '../../src/generated/types/rbac.v1.ts';

const ROLES = 'rbac.authorization.k8s.io/clusterroles';
const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
const part = (name: string, label: string, ...resources: string[]): ClusterRole => ({
  metadata: { name, labels: { [label]: 'yes' } },
  rules: resources.map(rule),
});

it('fills an aggregated role with the rules of what it selects, each once, and follows them', async () => {
  const simulation = new Simulation({ controllers: [clusterRoleAggregationController], kubelet: false });
  const { cluster } = simulation;
  const clusterRoleSelectors: LabelSelector[] = [{ matchLabels: { b: 'yes' } }, { matchLabels: { a: 'yes' } }];
  const whole: ClusterRole = {
    metadata: { name: 'whole', labels: { a: 'yes' } },
    aggregationRule: { clusterRoleSelectors },
    rules: [rule('mine')],
  };
  await cluster.create<ClusterRole>(ROLES, whole);
  await cluster.create(ROLES, part('second', 'a', 'pods', 'secrets'));
  await cluster.create(ROLES, part('first', 'a', 'nodes'));
  await cluster.create(ROLES, part('other', 'b', 'secrets'));
  await simulation.settle();
  const resources = () => cluster.peek<ClusterRole>(ROLES, '', 'whole')?.rules?.flatMap((one) => one.resources ?? []);
  expect(resources()).toEqual(['secrets', 'nodes', 'pods']);
  await cluster.patch(ROLES, '', 'second', 'merge', { metadata: { labels: { a: null } } });
  await cluster.delete(ROLES, '', 'other');
  await simulation.settle();
  expect(resources()).toEqual(['nodes']);
  const before = cluster.calls.get(`update ${ROLES}`);
  await cluster.create(ROLES, part('stranger', 'c', 'pods'));
  await simulation.settle();
  expect(cluster.calls.get(`update ${ROLES}`)).toBe(before);
});
