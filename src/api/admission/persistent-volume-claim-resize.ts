/** PersistentVolumeClaimResize: a claim grows once it is bound, and only if its class lets it. */
import { forbidden } from '../../apimachinery/errors.ts';
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type { StorageClass } from '../../generated/types/storage.v1.ts';
import { storageClassOf } from '../../resources/quota/claims.ts';
import { lookUp } from './lookup.ts';
import type { AdmissionPlugin, Attributes } from './plugin.ts';

const NOT_EXPANDABLE =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec?.resources?.requests?.['storage'] ?? '0';

async function isExpandable({ context }: Attributes, name: string): Promise<boolean> {
  const found = await lookUp<StorageClass>(context, 'storage.k8s.io/storageclasses', name);
  return found?.allowVolumeExpansion === true;
}

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  handles: ({ resource, operation, subresource }) =>
    operation === 'UPDATE' &&
    subresource === '' &&
    resource.group === '' &&
    resource.resource === 'persistentvolumeclaims',
  async validate(attributes) {
    const { resource } = attributes;
    const claim = attributes.object as PersistentVolumeClaim;
    const old = attributes.old as PersistentVolumeClaim;
    if (compareQuantity(sizeOf(claim), sizeOf(old)) <= 0) return;
    const { name } = claim.metadata;
    if (old.status?.phase !== 'Bound') {
      throw forbidden(resource, name, 'Only bound persistent volume claims can be expanded');
    }
    const className = storageClassOf(claim);
    const provisioned = className !== '' && className === storageClassOf(old);
    if (!provisioned || !(await isExpandable(attributes, className))) throw forbidden(resource, name, NOT_EXPANDABLE);
  },
};
