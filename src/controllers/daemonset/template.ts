/** What a DaemonSet's pod has beside the template: its node, tolerations of what ails nodes, labels of its revision. Pure. */
import type { DaemonSet } from '../../generated/types/apps.v1.ts';
import type { Pod, PodSpec, PodTemplateSpec, Toleration } from '../../generated/types/core.v1.ts';
import { REVISION_LABEL } from '../history/index.ts';
import { podFromTemplate } from '../replicaset/replicas.ts';

const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';
const GENERATION_LABEL = 'pod-template-generation';
const NODE_NAME_FIELD = 'metadata.name';

const TOLERATED: readonly [key: string, effect: string][] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
];
const TOLERATED_ON_HOST_NETWORK: readonly [string, string] = ['node.kubernetes.io/network-unavailable', 'NoSchedule'];

/** The tolerations of a DaemonSet's pods: the template's, and those that keep them on nodes in trouble (`AddOrUpdateDaemonPodTolerations`). */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const wanted = hostNetwork ? [...TOLERATED, TOLERATED_ON_HOST_NETWORK] : TOLERATED;
  const same = (toleration: Toleration, [key, effect]: readonly [string, string]): boolean =>
    toleration.operator === 'Exists' && toleration.key === key && toleration.effect === effect && !toleration.value;
  const forEver = ([key, effect]: readonly [string, string]): Toleration => ({ key, operator: 'Exists', effect });
  const kept = tolerations.map((toleration) => {
    const known = wanted.find((one) => same(toleration, one));
    return known === undefined ? toleration : forEver(known);
  });
  return [...kept, ...wanted.filter((one) => !tolerations.some((toleration) => same(toleration, one))).map(forEver)];
}

const templateGeneration = ({ metadata }: DaemonSet): string | undefined =>
  metadata.annotations?.[GENERATION_ANNOTATION];

/** Whether the pod is of the current template (`IsPodUpdated`). */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const { labels = {} } = pod.metadata;
  const generation = templateGeneration(set);
  return labels[REVISION_LABEL] === hash || (generation !== undefined && labels[GENERATION_LABEL] === generation);
}

/** The pod for a node: bound to it by affinity, so that the scheduler still has its say. */
export function podFor(set: DaemonSet, nodeName: string, hash: string): Pod {
  const template = set.spec?.template as PodTemplateSpec;
  const pod = podFromTemplate({ object: set, apiVersion: 'apps/v1', kind: 'DaemonSet', replicas: 0, template });
  const generation = templateGeneration(set);
  pod.metadata.labels = {
    ...pod.metadata.labels,
    ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
    [REVISION_LABEL]: hash,
  };
  const spec = pod.spec ?? {};
  const term = { matchFields: [{ key: NODE_NAME_FIELD, operator: 'In', values: [nodeName] }] };
  const required = { nodeSelectorTerms: [term] };
  const nodeAffinity = { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required };
  pod.spec = { ...spec, tolerations: daemonTolerations(spec), affinity: { ...spec.affinity, nodeAffinity } };
  return pod;
}

/** The node that the pod is on or meant for (`GetTargetNodeName`). */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === NODE_NAME_FIELD && operator === 'In');
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}
