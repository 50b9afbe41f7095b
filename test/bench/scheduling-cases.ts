/** Upstream's scheduler_perf cases, by their names, as pods and nodes. */
import type { Node, Pod } from '../../src/generated/types/core.v1.ts';

type Spec = NonNullable<Pod['spec']>;

export interface Case {
  name: string;
  node?(i: number): Partial<Node['metadata']>;
  /** Pods that are there before measuring begins, and how many at a number of nodes. */
  before?: { pod(i: number): Pod; count(nodes: number): number; stays?: boolean };
  measured: { pod(i: number): Pod; count(nodes: number): number };
  /** Pods and nodes that come and go while measuring. */
  churn?: boolean;
}

/** A node as scheduler_perf makes it. */
export function makeNode(i: number, metadata: Partial<Node['metadata']> = {}): Node {
  const name = `node-${i}`;
  return {
    metadata: { ...metadata, name, labels: { 'kubernetes.io/hostname': name, ...metadata.labels } },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110' } },
  };
}

/** A pod as scheduler_perf makes it: 100m and 500Mi. */
export function makePod(name: string, more: Partial<Spec> = {}, labels?: Record<string, string>, cpu = '100m'): Pod {
  return {
    metadata: { name, namespace: 'bench', ...(labels && { labels }), creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      containers: [
        { name: 'pause', image: 'registry.k8s.io/pause:3.10', resources: { requests: { cpu, memory: '500Mi' } } },
      ],
      schedulerName: 'default-scheduler',
      ...more,
    } as Spec,
    status: { phase: 'Pending' },
  };
}

const zoned = (zones: number) => (i: number) => ({ labels: { 'topology.kubernetes.io/zone': `zone${i % zones}` } });
const term = (labels: Record<string, string>, topologyKey: string) => ({
  topologyKey,
  labelSelector: { matchLabels: labels },
});
const GREEN = { color: 'green' };
const BLUE = { color: 'blue' };
const RED = { color: 'red', foo: '' };
const antiAffinity: Partial<Spec> = {
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(GREEN, 'kubernetes.io/hostname')] },
  },
};
const affinity: Partial<Spec> = {
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(BLUE, 'topology.kubernetes.io/zone')] },
  },
};
const preferred: Partial<Spec> = {
  affinity: {
    podAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: term({ foo: '' }, 'kubernetes.io/hostname') },
      ],
    },
  },
};
const spreading: Partial<Spec> = {
  topologySpreadConstraints: [
    {
      maxSkew: 5,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: BLUE },
    },
  ],
};

const small = (nodes: number, few: number, many: number): number => (nodes <= 500 ? few : many);
const plain = (kind: string) => (i: number) => makePod(`${kind}-${i}`);

export const CASES: readonly Case[] = [
  {
    name: 'SchedulingBasic',
    before: { pod: plain('init'), count: (n) => small(n, 500, 1000) },
    measured: { pod: plain('pod'), count: () => 1000 },
  },
  {
    name: 'PodAntiAffinity',
    before: { pod: (i) => makePod(`init-${i}`, antiAffinity, GREEN), count: (n) => small(n, 100, 1000) },
    measured: { pod: (i) => makePod(`pod-${i}`, antiAffinity, GREEN), count: (n) => small(n, 400, 1000) },
  },
  {
    name: 'PodAffinity',
    node: zoned(1),
    before: { pod: (i) => makePod(`init-${i}`, affinity, BLUE), count: (n) => small(n, 500, 5000) },
    measured: { pod: (i) => makePod(`pod-${i}`, affinity, BLUE), count: () => 1000 },
  },
  {
    name: 'TopologySpreading',
    node: zoned(3),
    before: { pod: plain('init'), count: (n) => small(n, 1000, 5000) },
    measured: { pod: (i) => makePod(`pod-${i}`, spreading, BLUE), count: (n) => small(n, 1000, 2000) },
  },
  {
    name: 'PreferredPodAffinity',
    before: { pod: (i) => makePod(`init-${i}`, preferred, RED), count: (n) => small(n, 500, 5000) },
    measured: { pod: (i) => makePod(`pod-${i}`, preferred, RED), count: () => 1000 },
  },
  {
    name: 'Preemption',
    before: { pod: (i) => makePod(`init-${i}`, {}, undefined, '900m'), count: (n) => n * 4 },
    measured: {
      pod: (i) => makePod(`pod-${i}`, { priority: 10 }, undefined, '3000m'),
      count: (n) => small(n, 500, 1000),
    },
  },
  {
    name: 'Unschedulable',
    before: { pod: (i) => makePod(`init-${i}`, {}, undefined, '9'), count: () => 200, stays: true },
    measured: { pod: plain('pod'), count: () => 1000 },
  },
  {
    name: 'MixedChurn',
    measured: { pod: plain('pod'), count: (n) => small(n, 1000, 2000) },
    churn: true,
  },
];
