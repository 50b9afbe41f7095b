import { now } from '../../apimachinery/meta.ts';
import type { PersistentVolume } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { core } from './group.ts';
import { nodeSelectorTermWarnings } from './node-labels.ts';
import { MOUNT_OPTIONS, validatePersistentVolume, validatePersistentVolumeUpdate } from './persistentvolume-spec.ts';
import { defaultSharedSources } from './pod-spec/defaults.ts';
import { DEPRECATED_SOURCES, spelled } from './volume-sources.ts';

const status: SubresourceStrategy<PersistentVolume> = {
  prepareForUpdate(volume, old) {
    keep(volume, old, 'spec');
    const { status } = volume;
    if (status === undefined || status.phase === old.status?.phase) return;
    const since = status.lastPhaseTransitionTime;
    if (since === undefined || since === old.status?.lastPhaseTransitionTime) status.lastPhaseTransitionTime = now();
  },
};

const RECYCLE =
  'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';

/** Texts about deprecated fields (`GetWarningsForPersistentVolume`). */
function warnings({ spec = {}, metadata }: PersistentVolume): string[] {
  const annotations: [string, string][] = [
    ['volume.beta.kubernetes.io/storage-class', 'deprecated since v1.8; use "storageClassName" attribute instead'],
    [MOUNT_OPTIONS, 'deprecated since v1.31; use "mountOptions" attribute instead'],
  ];
  const found = annotations.filter(([key]) => metadata.annotations?.[key] !== undefined);
  const texts = found.map(([key, advice]) => `metadata.annotations[${key}]: ${advice}`);
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') texts.push(`spec.persistentVolumeReclaimPolicy: ${RECYCLE}`);
  spec.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, index) => {
    texts.push(...nodeSelectorTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`));
  });
  for (const [name, advice] of Object.entries(DEPRECATED_SOURCES)) {
    if (Object.hasOwn(spec, name)) texts.push(`spec.${spelled(name)}: ${advice}`);
  }
  return texts;
}

/** PersistentVolumes. */
export const persistentVolume = core<PersistentVolume>({
  resource: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
  shortNames: ['pv'],
  subresources: [statusSubresource('PersistentVolume', status)],
  strategy: {
    returnsDeleted: true,
    generation: false,
    metadataChecks: [2, 0],
    default(volume) {
      volume.spec ??= {};
      volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
      volume.spec.volumeMode ??= 'Filesystem';
      defaultSharedSources(volume.spec);
      volume.status ??= {};
      volume.status.phase ||= 'Pending';
    },
    prepareForCreate(volume) {
      volume.status = { phase: 'Pending', lastPhaseTransitionTime: now() };
    },
    validate: validatePersistentVolume,
    prepareForUpdate: (volume, old) => keep(volume, old, 'status'),
    validateUpdate: validatePersistentVolumeUpdate,
    warnings,
  },
});
