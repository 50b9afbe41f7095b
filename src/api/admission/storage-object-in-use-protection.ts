/** StorageObjectInUseProtection: what others may be using is born with the finalizer that its protection takes away. */
import type { AdmissionPlugin } from './plugin.ts';

const FINALIZERS: Record<string, string> = {
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ operation }) => operation === 'CREATE',
  admit({ resource, object }) {
    const finalizer = FINALIZERS[`${resource.group}/${resource.resource}`];
    if (finalizer === undefined) return;
    const { finalizers = [] } = object.metadata;
    if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
  },
};
