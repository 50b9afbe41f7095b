/** PersistentVolumeClaimResize: a claim grows only when it is bound, by a class that can make its volume grow. */

import { forbidden } from '../../apimachinery/errors.ts';
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type { StorageClass } from '../../generated/types/storage.v1.ts';
import { storageClassOf } from '../../resources/quota/claims.ts';
import { lookUp } from './lookup.ts';
import type { AdmissionPlugin } from './plugin.ts';

const CLAIMS = { group: '', resource: 'persistentvolumeclaims' };
const NOT_BOUND = 'Only bound persistent volume claims can be expanded';
const NO_CLASS =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  handles: ({ resource, operation, subresource }) =>
    operation === 'UPDATE' && subresource === '' && resource.group === '' && resource.resource === CLAIMS.resource,
  validate({ context, object, old }) {
    const claim = object as PersistentVolumeClaim;
    const before = old as PersistentVolumeClaim;
    if (compareQuantity(sizeOf(claim), sizeOf(before)) <= 0) return;
    const { name } = claim.metadata;
    if (before.status?.phase !== 'Bound') throw forbidden(CLAIMS, name, NOT_BOUND);
    const className = storageClassOf(claim);
    if (className === '' || className !== storageClassOf(before)) throw forbidden(CLAIMS, name, NO_CLASS);
    return Promise.resolve(lookUp<StorageClass>(context, 'storage.k8s.io/storageclasses', className)).then((found) => {
      if (found?.allowVolumeExpansion !== true) throw forbidden(CLAIMS, name, NO_CLASS);
    });
  },
};

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec?.resources?.requests?.['storage'] ?? '0';
