/** Warnings about a pod's volumes: kinds of the past, and files that hide each other. */
import type { Volume, VolumeProjection } from '../../../generated/types/core.v1.ts';
import { claimSpecWarnings } from '../claim-spec.ts';
import { DEPRECATED_SOURCES, spelled } from '../volume-sources.ts';

const DEPRECATED: Readonly<Record<string, string>> = {
  ...DEPRECATED_SOURCES,
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
};

/** Warnings of a volume; `path` is where it is. */
export function deprecatedVolumeWarnings(volume: Volume, path: string): string[] {
  const kinds = Object.keys(volume).filter((kind) => Object.hasOwn(DEPRECATED, kind));
  const warnings = kinds.map((kind) => `${path}.${spelled(kind)}: ${DEPRECATED[kind]}`);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  return [...warnings, ...claimSpecWarnings(claim, `${path}.ephemeral.volumeClaimTemplate.spec`)];
}

/** A file in a volume, and what of the projected sources it is of. */
interface File {
  path: string;
  source: string;
}

const filesOf = (items: readonly { path?: string }[] | undefined, source = ''): File[] =>
  (items ?? []).map(({ path = '' }) => ({ path, source }));

const quoted = (text: string | undefined): string => JSON.stringify(text ?? '');

/** Warnings of files in one volume of which one is the other, or below it (`warningsForOverlappingVirtualPaths`). */
export function overlapWarnings(volume: Volume): string[] {
  const { configMap, secret, downwardAPI, projected } = volume;
  const warnings: string[] = [];
  const say = (what: string, texts: readonly string[]): void => {
    for (const text of texts) warnings.push(`volume ${quoted(volume.name)} (${what}): overlapping paths: ${text}`);
  };
  if (configMap?.items) say(`ConfigMap ${quoted(configMap.name)}`, overlaps(filesOf(configMap.items)));
  if (secret?.items) say(`Secret ${quoted(secret.secretName)}`, overlaps(filesOf(secret.items)));
  if (downwardAPI?.items) say('DownwardAPI', overlaps(filesOf(downwardAPI.items)));
  const sources = projected?.sources ?? [];
  for (const source of sources) {
    if (!isEmpty(source)) continue;
    warnings.push(`volume ${quoted(volume.name)} (Projected) has no sources provided`);
  }
  say('Projected', overlaps(sources.flatMap(projectedFiles)));
  return warnings;
}

const isEmpty = (source: VolumeProjection): boolean => Object.values(source).every((kind) => kind === undefined);

function projectedFiles(source: VolumeProjection): File[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${quoted(configMap.name)}`);
  if (secret?.items) return filesOf(secret.items, `Secret ${quoted(secret.name)}`);
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken) return filesOf([serviceAccountToken], 'ServiceAccountToken');
  if (clusterTrustBundle) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName;
    return filesOf([clusterTrustBundle], `ClusterTrustBundle ${quoted(name)}`);
  }
  if (podCertificate === undefined) return [];
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate;
  return [
    ...(certificateChainPath ? filesOf([{ path: certificateChainPath }], 'PodCertificate chain') : []),
    ...(keyPath ? filesOf([{ path: keyPath }], 'PodCertificate key') : []),
    ...(credentialBundlePath ? filesOf([{ path: credentialBundlePath }], 'PodCertificate credential bundle') : []),
  ];
}

const shown = ({ path, source }: File): string => (source === '' ? quoted(path) : `${quoted(path)} (${source})`);

function overlaps(files: readonly File[]): string[] {
  const seen: File[] = [];
  const texts: string[] = [];
  for (const { path, source } of files) {
    const file = { path: path.replace(/\/+$/, ''), source };
    for (const other of seen) {
      if (file.path === '' || other.path === '') continue;
      const [one, two] = [`${file.path}/`, `${other.path}/`];
      if (one.startsWith(two) || two.startsWith(one)) texts.push(`${shown(file)} with ${shown(other)}`);
    }
    seen.push(file);
  }
  return texts;
}
