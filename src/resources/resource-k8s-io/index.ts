import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../../generated/types/resource.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';

const dra = groupVersion('resource.k8s.io', 'v1', { returnsDeleted: true });

/** A request for a device, in the fields that have defaults. */
interface DeviceRequest {
  allocationMode?: string;
  count?: number;
}

function defaultRequest(request: DeviceRequest): void {
  request.allocationMode ??= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ??= 1;
}

function defaultRequests(spec: ResourceClaim['spec'] | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    if (request.exactly !== undefined) defaultRequest(request.exactly);
    request.firstAvailable?.forEach(defaultRequest);
  }
}

/** The resources of the group `resource.k8s.io`. */
export const resourceK8sIoResources: readonly Resource[] = [
  dra<DeviceClass>({
    resource: 'deviceclasses',
    kind: 'DeviceClass',
    namespaced: false,
    strategy: { generation: true },
  }),
  dra<ResourceClaim>({
    resource: 'resourceclaims',
    kind: 'ResourceClaim',
    namespaced: true,
    subresources: [statusSubresource('ResourceClaim')],
    strategy: {
      ...statusIsSeparate<ResourceClaim>({}),
      generation: false,
      default({ spec }) {
        defaultRequests(spec);
      },
    },
  }),
  dra<ResourceClaimTemplate>({
    resource: 'resourceclaimtemplates',
    kind: 'ResourceClaimTemplate',
    namespaced: true,
    strategy: {
      generation: false,
      default({ spec }) {
        defaultRequests(spec?.spec);
      },
    },
  }),
  dra<ResourceSlice>({ resource: 'resourceslices', kind: 'ResourceSlice', namespaced: false }),
];
