import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../../generated/types/resource.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { resourceClaimStatus } from './claim-status.ts';
import { resourceClaim, resourceClaimTemplate } from './claims.ts';
import { deviceClass, resourceSlice } from './slices.ts';

const dra = groupVersion('resource.k8s.io', 'v1', { returnsDeleted: true });

/** The resources of the group `resource.k8s.io`. */
export const resourceK8sIoResources: readonly Resource[] = [
  dra<DeviceClass>({ resource: 'deviceclasses', kind: 'DeviceClass', namespaced: false, strategy: deviceClass }),
  dra<ResourceClaim>({
    resource: 'resourceclaims',
    kind: 'ResourceClaim',
    namespaced: true,
    subresources: [statusSubresource('ResourceClaim', resourceClaimStatus)],
    strategy: resourceClaim,
  }),
  dra<ResourceClaimTemplate>({
    resource: 'resourceclaimtemplates',
    kind: 'ResourceClaimTemplate',
    namespaced: true,
    strategy: resourceClaimTemplate,
  }),
  dra<ResourceSlice>({
    resource: 'resourceslices',
    kind: 'ResourceSlice',
    namespaced: false,
    strategy: resourceSlice,
    selectableFields: ({ spec }) => ({ 'spec.driver': spec?.driver ?? '', 'spec.nodeName': spec?.nodeName ?? '' }),
  }),
];
