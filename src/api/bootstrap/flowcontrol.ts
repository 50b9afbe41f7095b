/** Priority levels and flow schemas that every cluster has (upstream's `flowcontrol/bootstrap`): who is served when not all can be. */
import type {
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
  Subject,
} from '../../generated/types/flowcontrol.v1.ts';

const meta = (name: string) => ({ name, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } });

/** A level with its share of the seats; `queues` as [number, hand size] where requests wait instead of being refused. */
function level(name: string, shares: number, lendable: number, queues?: [number, number]): PriorityLevelConfiguration {
  const [count = 0, handSize = 0] = queues ?? [];
  const queuing = { queues: count, handSize, queueLengthLimit: 50 };
  return {
    metadata: meta(name),
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        limitResponse: queues === undefined ? { type: 'Reject' } : { type: 'Queue', queuing },
        lendablePercent: lendable,
      },
    },
    status: {},
  };
}

export const priorityLevels: readonly PriorityLevelConfiguration[] = [
  {
    metadata: meta('exempt'),
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
    status: {},
  },
  level('system', 30, 33, [64, 6]),
  level('node-high', 40, 25, [64, 6]),
  level('leader-election', 10, 0, [16, 4]),
  level('workload-high', 40, 50, [128, 6]),
  level('workload-low', 100, 90, [128, 6]),
  level('global-default', 20, 50, [128, 6]),
  level('catch-all', 5, 0),
];

const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const SYSTEM_ACCOUNTS: Subject = { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } };
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];
const MANAGER = user('system:kube-controller-manager');
const SCHEDULER = user('system:kube-scheduler');

const inNamespaces = (verbs: string[], groups: string[], resources: string[]): ResourcePolicyRule => ({
  verbs,
  apiGroups: groups,
  resources,
  namespaces: ['*'],
});
const everything = (...subjects: Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [{ ...inNamespaces(['*'], ['*'], ['*']), clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});
const leases = (...verbs: string[]) => inNamespaces(verbs, ['coordination.k8s.io'], ['leases']);

function schema(
  name: string,
  levelName: string,
  precedence: number,
  flows: 'ByUser' | 'ByNamespace' | undefined,
  rules: PolicyRulesWithSubjects,
): FlowSchema {
  const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(levelName)} and it exists`;
  return {
    metadata: meta(name),
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence: precedence,
      ...(flows === undefined ? {} : { distinguisherMethod: { type: flows } }),
      rules: [rules],
    },
    status: { conditions: [{ type: 'Dangling', status: 'False', reason: 'Found', message }] },
  };
}

export const flowSchemas: readonly FlowSchema[] = [
  schema('exempt', 'exempt', 1, undefined, everything(group('system:masters'))),
  schema('probes', 'exempt', 2, undefined, {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [MANAGER, SCHEDULER, SYSTEM_ACCOUNTS],
    resourceRules: [leases('get', 'create', 'update')],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [{ ...inNamespaces(['*'], [''], ['nodes', 'nodes/status']), clusterScope: true }, leases('*')],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', everything(group('system:nodes'))),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything(MANAGER)),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(SCHEDULER)),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(SYSTEM_ACCOUNTS)),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(group('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(...EVERYBODY)),
  schema('catch-all', 'catch-all', 10000, 'ByUser', everything(...EVERYBODY)),
];
