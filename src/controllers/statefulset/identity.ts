/** Who a pod of a StatefulSet is: its ordinal, its name, its labels. Pure. */
import type { ControllerRevision, StatefulSet } from '../../generated/types/apps.v1.ts';
import type { Pod, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { REVISION_LABEL, templateOf } from '../history/index.ts';
import { podFromTemplate } from '../replicaset/replicas.ts';
import { mountClaims } from './volumes.ts';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';
const MAX_ORDINAL = 2 ** 31 - 1;

/** The number at the end of the pod's name; undefined for what is no pod of this set (`getOrdinal`, `isMemberOf`). */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const [, parent, digits] = /^(.*)-([0-9]+)$/.exec(pod.metadata.name) ?? [];
  const ordinal = Number(digits);
  return parent === set.metadata.name && String(ordinal) === digits && ordinal <= MAX_ORDINAL ? ordinal : undefined;
}

/** `spec.replicas`. */
export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1;

/** The first ordinal (`spec.ordinals.start`). */
export const firstOrdinal = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0;

/** Whether there is to be a pod of this ordinal (`podInOrdinalRange`). */
export const isWanted = (set: StatefulSet, ordinal: number): boolean =>
  ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + replicasOf(set);

/** The name of the revision that the pod is of. */
export const revisionOf = (pod: Pod): string | undefined => pod.metadata.labels?.[REVISION_LABEL];

/** The labels that say who the pod is. */
function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [POD_NAME]: `${set.metadata.name}-${ordinal}`, [POD_INDEX]: String(ordinal) };
}

/** Whether the pod's labels say who it is (`identityMatches`). */
export function identityMatches(set: StatefulSet, pod: Pod, ordinal: number): boolean {
  const wanted = Object.entries(identityLabels(set, ordinal));
  return wanted.every(([label, value]) => pod.metadata.labels?.[label] === value);
}

/** Gives the pod the labels that say who it is (`updateIdentity`). */
export function setIdentity(set: StatefulSet, pod: Pod, ordinal: number): void {
  pod.metadata.labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal) };
}

/** The pod of an ordinal as a revision has it (`newStatefulSetPod`). */
export function newPod(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const template = (templateOf(revision) ?? set.spec?.template) as PodTemplateSpec;
  const owner = { object: set, apiVersion: 'apps/v1', kind: 'StatefulSet', replicas: 0, template };
  const pod = podFromTemplate(owner);
  pod.metadata.name = `${set.metadata.name}-${ordinal}`;
  setIdentity(set, pod, ordinal);
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_LABEL]: revision.metadata.name };
  const subdomain = set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {};
  pod.spec = { ...pod.spec, hostname: pod.metadata.name, ...subdomain };
  mountClaims(set, pod, ordinal);
  return pod;
}
