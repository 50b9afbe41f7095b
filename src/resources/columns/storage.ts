/** Columns of volumes, of the core and storage groups. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import { canonical } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type {
  CSIDriver,
  CSINode,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../generated/types/storage.v1.ts';
import type { Column } from '../resource.ts';
import { age, boolean, createdAt, erased, integer, name, text, UNSET, wide } from './shared.ts';

const MODES: [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

const shortModes = (modes: readonly string[] | undefined): string =>
  MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');

const sizeOf = (capacity: Record<string, string> | undefined): string =>
  capacity?.['storage'] === undefined ? '' : canonical(capacity['storage']);

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
const classOf = ({ metadata, spec }: KubeObject & { spec?: { storageClassName?: string } }): string =>
  metadata.annotations?.[BETA_CLASS] ?? spec?.storageClassName ?? '';

const phaseOf = ({ metadata, status }: KubeObject & { status?: { phase?: string } }): string =>
  metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '');

function claimOf({ spec }: PersistentVolume): string {
  const claim = spec?.claimRef;
  return claim == null ? '' : `${claim.namespace ?? ''}/${claim.name ?? ''}`;
}

const persistentVolumes: Column<PersistentVolume>[] = [
  name,
  text('Capacity', ({ spec }) => sizeOf(spec?.capacity)),
  text('Access Modes', ({ spec }) => shortModes(spec?.accessModes)),
  text('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
  text('Status', phaseOf),
  text('Claim', claimOf),
  text('StorageClass', classOf),
  text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? UNSET),
  text('Reason', ({ status }) => status?.reason ?? ''),
  age,
  wide(text('VolumeMode', ({ spec }) => spec?.volumeMode ?? UNSET)),
];

const persistentVolumeClaims: Column<PersistentVolumeClaim>[] = [
  name,
  text('Status', phaseOf),
  text('Volume', ({ spec }) => spec?.volumeName ?? ''),
  text('Capacity', ({ spec, status }) => (spec?.volumeName ? sizeOf(status?.capacity) : '')),
  text('Access Modes', ({ spec, status }) => (spec?.volumeName ? shortModes(status?.accessModes) : '')),
  text('StorageClass', classOf),
  text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? UNSET),
  age,
  wide(text('VolumeMode', ({ spec }) => spec?.volumeMode ?? UNSET)),
];

const csiDrivers: Column<CSIDriver>[] = [
  name,
  boolean('AttachRequired', ({ spec }) => spec?.attachRequired ?? true),
  boolean('PodInfoOnMount', ({ spec }) => spec?.podInfoOnMount ?? false),
  boolean('StorageCapacity', ({ spec }) => spec?.storageCapacity ?? false),
  text('TokenRequests', ({ spec }) => (spec?.tokenRequests ?? []).map(({ audience }) => audience).join(',') || UNSET),
  boolean('RequiresRepublish', ({ spec }) => spec?.requiresRepublish ?? false),
  text('Modes', ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || UNSET),
  age,
];

const csiNodes: Column<CSINode>[] = [name, integer('Drivers', ({ spec }) => spec?.drivers?.length ?? 0), age];

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

const storageClasses: Column<StorageClass>[] = [
  {
    ...name,
    cell: ({ metadata }) =>
      DEFAULT_CLASS.some((key) => metadata.annotations?.[key] === 'true')
        ? `${metadata.name} (default)`
        : metadata.name,
  },
  text('Provisioner', ({ provisioner }) => provisioner ?? ''),
  text('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
  text('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
  text('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
  age,
];

const volumeAttachments: Column<VolumeAttachment>[] = [
  name,
  { ...text('Attacher', ({ spec }) => spec?.attacher ?? ''), format: 'name' },
  text('PV', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
  text('Node', ({ spec }) => spec?.nodeName ?? ''),
  boolean('Attached', ({ status }) => status?.attached ?? false),
  age,
];

const volumeAttributesClasses: Column<VolumeAttributesClass>[] = [
  name,
  text('DriverName', ({ driverName }) => driverName ?? ''),
  age,
];

export const storageColumns: Record<string, Column<KubeObject>[]> = {
  'core/persistentvolumeclaims': erased(persistentVolumeClaims),
  'core/persistentvolumes': erased(persistentVolumes),
  'storage.k8s.io/csidrivers': erased(csiDrivers),
  'storage.k8s.io/csinodes': erased(csiNodes),
  'storage.k8s.io/csistoragecapacities': [name, createdAt],
  'storage.k8s.io/storageclasses': erased(storageClasses),
  'storage.k8s.io/volumeattachments': erased(volumeAttachments),
  'storage.k8s.io/volumeattributesclasses': erased(volumeAttributesClasses),
};
