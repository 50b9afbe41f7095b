/** Warnings about what a pod's spec says (`GetWarningsForPodSpec`). */
import type { PodSpec, Volume } from '../../../generated/types/core.v1.ts';
import { claimSpecWarnings } from '../claim-spec.ts';
import { deprecatedNodeLabel, nodeSelectorTermWarnings } from '../node-labels.ts';
import { DEPRECATED_SOURCES } from '../volume-sources.ts';
import { portWarnings } from './port-warnings.ts';

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

const DEPRECATED: Readonly<Record<string, string>> = {
  ...DEPRECATED_SOURCES,
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
};

function deprecatedVolumeWarnings(volume: Volume, path: string): string[] {
  const kinds = Object.keys(volume).filter((kind) => Object.hasOwn(DEPRECATED, kind));
  const warnings = kinds.map((kind) => `${path}.${kind}: ${DEPRECATED[kind]}`);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  return [...warnings, ...claimSpecWarnings(claim, `${path}.ephemeral.volumeClaimTemplate.spec`)];
}

/** Nodes are chosen by labels in many places. */
function nodeLabelWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) {
    const advice = deprecatedNodeLabel(key);
    if (advice !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${advice}`);
  }
  const {
    requiredDuringSchedulingIgnoredDuringExecution: needed,
    preferredDuringSchedulingIgnoredDuringExecution: liked,
  } = spec.affinity?.nodeAffinity ?? {};
  const at = `${path}.affinity.nodeAffinity`;
  needed?.nodeSelectorTerms?.forEach((term, index) => {
    const where = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`;
    warnings.push(...nodeSelectorTermWarnings(term, where));
  });
  liked?.forEach(({ preference }, index) => {
    const where = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`;
    warnings.push(...nodeSelectorTermWarnings(preference, where));
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey = '' }, index) => {
    const advice = deprecatedNodeLabel(topologyKey);
    const where = `${path}.topologySpreadConstraints[${index}].topologyKey`;
    if (advice !== undefined) warnings.push(`${where}: ${topologyKey} is ${advice}`);
  });
  return warnings;
}

/** Texts about deprecated and doubtful fields; `path` is where the spec is. */
export function podSpecWarnings(spec: PodSpec | undefined, path: string): string[] {
  if (spec === undefined) return [];
  const warnings: string[] = [];
  warnings.push(...nodeLabelWarnings(spec, path));
  spec.volumes?.forEach((volume, index) => {
    warnings.push(...deprecatedVolumeWarnings(volume, `${path}.volumes[${index}]`), ...volumeWarnings(volume));
  });
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
