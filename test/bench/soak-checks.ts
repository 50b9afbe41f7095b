/** What a cluster must look like when nothing is going on any more. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../src/generated/types/apps.v1.ts';
import type { Job } from '../../src/generated/types/batch.v1.ts';
import type { Namespace, Node, Pod, Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

export interface World {
  deployments: Deployment[];
  statefulSets: StatefulSet[];
  daemonSets: DaemonSet[];
  replicaSets: ReplicaSet[];
  jobs: Job[];
  pods: Pod[];
  services: Service[];
  slices: EndpointSlice[];
  namespaces: Namespace[];
  nodes: Node[];
}

type Meta = Pod['metadata'];
const nameOf = ({ namespace, name }: Meta): string => `${namespace ?? ''}/${name}`;

/** Everything that is not as its spec says, or should not be there; a line each. */
export function findProblems(world: World): string[] {
  return [
    ...Object.entries(world).flatMap(([kind, list]) => stuck(kind, list as { metadata: Meta }[])),
    ...orphans(world),
    ...unsettled(world),
    ...pods(world),
    ...services(world),
  ];
}

function stuck(kind: string, list: readonly { metadata: Meta }[]): string[] {
  return list
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(
      ({ metadata }) =>
        `${kind} ${nameOf(metadata)} is still going, held by ${metadata.finalizers?.join() ?? 'nothing'}`,
    );
}

function orphans(world: World): string[] {
  const { deployments, statefulSets, daemonSets, replicaSets, jobs, services: all } = world;
  const owners = [deployments, statefulSets, daemonSets, replicaSets, jobs, all].flat();
  const uids = new Set(owners.map(({ metadata }) => metadata.uid));
  const owned = [...world.pods, ...replicaSets, ...world.slices];
  return owned
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => !uids.has(uid)))
    .map(({ metadata }) => `${nameOf(metadata)} has lost its owner`);
}

function unsettled({ deployments, statefulSets, daemonSets, replicaSets, jobs }: World): string[] {
  const differs = (kind: string, metadata: Meta, wanted: number, seen: (number | undefined)[], generation?: number) => {
    const numbers = seen.map((number) => number ?? 0);
    if (generation === metadata.generation && numbers.every((number) => number === wanted)) return [];
    return [
      `${kind} ${nameOf(metadata)}: ${wanted} wanted, ${numbers.join('/')}, generation ${generation} of ${metadata.generation}`,
    ];
  };
  return [
    ...deployments.flatMap(({ metadata, spec, status: s = {} }) =>
      differs(
        'deployment',
        metadata,
        spec?.replicas ?? 1,
        [s.replicas, s.updatedReplicas, s.availableReplicas],
        s.observedGeneration,
      ),
    ),
    ...statefulSets.flatMap(({ metadata, spec, status: s = {} }) =>
      differs('statefulset', metadata, spec?.replicas ?? 1, [s.replicas, s.readyReplicas], s.observedGeneration),
    ),
    ...replicaSets.flatMap(({ metadata, spec, status: s = {} }) =>
      differs('replicaset', metadata, spec?.replicas ?? 1, [s.replicas, s.availableReplicas], s.observedGeneration),
    ),
    ...daemonSets.flatMap(({ metadata, status: s = {} }) =>
      differs(
        'daemonset',
        metadata,
        s.desiredNumberScheduled ?? 0,
        [s.currentNumberScheduled, s.numberReady, s.updatedNumberScheduled],
        s.observedGeneration,
      ),
    ),
    ...jobs
      .filter(
        ({ status }) =>
          !status?.conditions?.some(
            ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
          ),
      )
      .map(({ metadata }) => `job ${nameOf(metadata)} has not ended`),
  ];
}

function pods({ pods: all, nodes }: World): string[] {
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  const problems = all.flatMap(({ metadata, spec, status }) => {
    if (spec?.nodeName === undefined) return [`pod ${nameOf(metadata)} has no node`];
    if (!known.has(spec.nodeName)) return [`pod ${nameOf(metadata)} is on a node that is not there`];
    return status?.phase === 'Running' || status?.phase === 'Succeeded'
      ? []
      : [`pod ${nameOf(metadata)} is ${status?.phase}`];
  });
  const perNode = new Map<string, number>();
  for (const { spec } of all) perNode.set(spec?.nodeName ?? '', (perNode.get(spec?.nodeName ?? '') ?? 0) + 50);
  const full = [...perNode]
    .filter(([, milli]) => milli > 4000)
    .map(([node, milli]) => `${node} has ${milli}m of cpu booked`);
  return [...problems, ...full];
}

function services({ services: all, slices, pods: running }: World): string[] {
  const problems: string[] = [];
  const holders = new Map<string, string>();
  for (const { metadata, spec } of all) {
    const held = [
      spec?.clusterIP ?? '',
      ...(spec?.ports ?? []).map(({ nodePort }) => (nodePort ? `port ${nodePort}` : '')),
    ];
    for (const thing of held.filter((text) => text !== '' && text !== 'None')) {
      const other = holders.get(thing);
      if (other !== undefined) problems.push(`${thing} is held by ${other} and ${nameOf(metadata)}`);
      holders.set(thing, nameOf(metadata));
    }
    const selector = Object.entries(spec?.selector ?? {});
    if (selector.length === 0 || !metadata.name.startsWith('ser-')) continue;
    const mine = slices.filter(
      (slice) =>
        slice.metadata.namespace === metadata.namespace &&
        slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name,
    );
    const told = mine.flatMap(({ endpoints = [] }) => endpoints ?? []).length;
    const there = running.filter(
      (pod) =>
        pod.metadata.namespace === metadata.namespace &&
        pod.status?.phase === 'Running' &&
        selector.every(([key, value]) => pod.metadata.labels?.[key] === value),
    ).length;
    if (told !== there) problems.push(`service ${nameOf(metadata)} tells of ${told} endpoints, there are ${there}`);
  }
  return problems;
}
