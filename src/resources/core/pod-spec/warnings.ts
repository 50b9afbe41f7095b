/** Warnings about what a pod's spec says (`GetWarningsForPodSpec`). */
import type { PodSpec, Volume } from '../../../generated/types/core.v1.ts';
import { portWarnings } from './port-warnings.ts';

const DEPRECATED_NODE_LABELS: Record<string, string> = {
  'beta.kubernetes.io/arch': 'use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'use "node.kubernetes.io/instance-type" instead',
};

function overlapping(items: readonly { path?: string }[] | undefined, what: string): string[] {
  const seen: string[] = [];
  const warnings: string[] = [];
  for (const { path = '' } of items ?? []) {
    const other = seen.find((was) => was === path || was.startsWith(`${path}/`) || path.startsWith(`${was}/`));
    if (other !== undefined) warnings.push(`${what}: overlapping paths: "${other}" with "${path}"`);
    seen.push(path);
  }
  return warnings;
}

function volumeWarnings(volume: Volume): string[] {
  const name = JSON.stringify(volume.name ?? '');
  const warnings = [
    ...overlapping(volume.configMap?.items, `volume ${name} (ConfigMap ${JSON.stringify(volume.configMap?.name)})`),
    ...overlapping(volume.secret?.items, `volume ${name} (Secret ${JSON.stringify(volume.secret?.secretName)})`),
    ...overlapping(volume.downwardAPI?.items, `volume ${name} (DownwardAPI)`),
  ];
  const empty = volume.projected?.sources?.some((source) => Object.values(source).every((kind) => kind === undefined));
  if (empty) warnings.push(`volume ${name} (Projected) has no sources provided`);
  return warnings;
}

/** Texts about deprecated and doubtful fields; `path` is where the spec is. */
export function podSpecWarnings(spec: PodSpec | undefined, path: string): string[] {
  if (spec === undefined) return [];
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) {
    const advice = Object.hasOwn(DEPRECATED_NODE_LABELS, key) ? DEPRECATED_NODE_LABELS[key] : undefined;
    if (advice !== undefined) warnings.push(`${path}.nodeSelector[${key}]: deprecated since v1.14; ${advice}`);
  }
  for (const volume of spec.volumes ?? []) warnings.push(...volumeWarnings(volume));
  const pulls = new Set<string>();
  spec.imagePullSecrets?.forEach(({ name = '' }, index) => {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (name === '') warnings.push(`${at}: invalid empty name ""`);
    else if (pulls.has(name)) warnings.push(`${at}: duplicate name ${JSON.stringify(name)}`);
    pulls.add(name);
  });
  spec.containers?.forEach((container, index) => {
    const seen = new Map<string, number>();
    container.env?.forEach(({ name = '' }, position) => {
      const before = seen.get(name);
      if (before !== undefined) {
        const at = `${path}.containers[${index}].env`;
        warnings.push(
          `${at}[${position}]: hides previous definition of "${name}", which may be dropped when using apply`,
        );
      }
      seen.set(name, position);
    });
  });
  warnings.push(...portWarnings(spec, path));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  return warnings;
}
