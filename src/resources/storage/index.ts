import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../generated/types/storage.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { csiDriver, csiNode, csiStorageCapacity } from './csi.ts';
import { storageClass, volumeAttributesClass } from './storageclass.ts';
import { volumeAttachment, volumeAttachmentStatus } from './volumeattachment.ts';

const storage = groupVersion('storage.k8s.io', 'v1', { returnsDeleted: true });

/** The resources of the group `storage.k8s.io`. */
export const storageResources: readonly Resource[] = [
  storage<CSIDriver>({ resource: 'csidrivers', kind: 'CSIDriver', namespaced: false, strategy: csiDriver }),
  storage<CSINode>({ resource: 'csinodes', kind: 'CSINode', namespaced: false, strategy: csiNode }),
  storage<CSIStorageCapacity>({
    resource: 'csistoragecapacities',
    kind: 'CSIStorageCapacity',
    namespaced: true,
    strategy: csiStorageCapacity,
  }),
  storage<StorageClass>({
    resource: 'storageclasses',
    kind: 'StorageClass',
    namespaced: false,
    shortNames: ['sc'],
    strategy: storageClass,
  }),
  storage<VolumeAttachment>({
    resource: 'volumeattachments',
    kind: 'VolumeAttachment',
    namespaced: false,
    subresources: [statusSubresource('VolumeAttachment', volumeAttachmentStatus)],
    strategy: volumeAttachment,
  }),
  storage<VolumeAttributesClass>({
    resource: 'volumeattributesclasses',
    kind: 'VolumeAttributesClass',
    namespaced: false,
    shortNames: ['vac'],
    strategy: volumeAttributesClass,
  }),
];
