/** Which claims a pod of a StatefulSet mounts. Pure. */
import type { StatefulSet } from '../../generated/types/apps.v1.ts';
import type { PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';

const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string =>
  `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

/** The claims that the pod of an ordinal has, as they would be created (`getPersistentVolumeClaims`). */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    ...structuredClone(template),
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...structuredClone(template.metadata),
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec?.selector?.matchLabels },
    },
  }));
}

/** Gives the pod a volume for each claim, before its others (`updateStorage`). */
export function mountClaims(set: StatefulSet, pod: Pod, ordinal: number): void {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  if (templates.length === 0) return;
  const names = new Set(templates.map(({ metadata }) => metadata.name));
  const claims = templates.map((template) => ({
    name: template.metadata.name,
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const others = (pod.spec?.volumes ?? []).filter(({ name = '' }) => !names.has(name));
  pod.spec = { ...pod.spec, volumes: [...claims, ...others] };
}

/** Whether the pod mounts all its claims (`storageMatches`). */
export function storageMatches(set: StatefulSet, pod: Pod, ordinal: number): boolean {
  return (set.spec?.volumeClaimTemplates ?? []).every((template) => {
    const volume = pod.spec?.volumes?.find(({ name }) => name === template.metadata.name);
    return volume?.persistentVolumeClaim?.claimName === claimName(set, template, ordinal);
  });
}

/** Whether a claim of this name is one of the set's. */
export function isClaimOf(set: StatefulSet, name: string): boolean {
  const prefixes = (set.spec?.volumeClaimTemplates ?? []).map(
    ({ metadata }) => `${metadata.name}-${set.metadata.name}-`,
  );
  return prefixes.some((prefix) => name.startsWith(prefix) && /^[0-9]+$/.test(name.slice(prefix.length)));
}
