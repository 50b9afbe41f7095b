import type { FieldError } from '../../apimachinery/field.ts';
import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../generated/types/storage.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { immutable } from '../validation/rules.ts';

const storage = groupVersion('storage.k8s.io', 'v1', { returnsDeleted: true });

function defaultDriver(spec: CSIDriverSpec): void {
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

/** The resources of the group `storage.k8s.io`. */
export const storageResources: readonly Resource[] = [
  storage<CSIDriver>({
    resource: 'csidrivers',
    kind: 'CSIDriver',
    namespaced: false,
    strategy: {
      generation: 'on update',
      default(driver) {
        driver.spec ??= {};
        defaultDriver(driver.spec);
      },
    },
  }),
  storage<CSINode>({ resource: 'csinodes', kind: 'CSINode', namespaced: false, strategy: { generation: false } }),
  storage<CSIStorageCapacity>({ resource: 'csistoragecapacities', kind: 'CSIStorageCapacity', namespaced: true }),
  storage<StorageClass>({
    resource: 'storageclasses',
    kind: 'StorageClass',
    namespaced: false,
    shortNames: ['sc'],
    strategy: {
      default(storageClass) {
        storageClass.reclaimPolicy ??= 'Delete';
        storageClass.volumeBindingMode ??= 'Immediate';
      },
    },
  }),
  storage<VolumeAttachment>({
    resource: 'volumeattachments',
    kind: 'VolumeAttachment',
    namespaced: false,
    subresources: [statusSubresource('VolumeAttachment')],
    strategy: {
      ...statusIsSeparate<VolumeAttachment>({ attached: false }),
      generation: false,
      validateUpdate(attachment, old) {
        const errors: FieldError[] = [];
        immutable(attachment.spec ?? null, old.spec ?? null, 'spec', errors);
        return errors;
      },
    },
  }),
  storage<VolumeAttributesClass>({
    resource: 'volumeattributesclasses',
    kind: 'VolumeAttributesClass',
    namespaced: false,
    shortNames: ['vac'],
  }),
];
