import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { apiService } from './apiservice.ts';

const apiregistration = groupVersion('apiregistration.k8s.io', 'v1');

/** The resources of the group `apiregistration.k8s.io`. */
export const apiregistrationResources: readonly Resource[] = [
  apiregistration<APIService>({
    resource: 'apiservices',
    kind: 'APIService',
    namespaced: false,
    categories: ['api-extensions'],
    subresources: [statusSubresource('APIService')],
    strategy: apiService,
  }),
];
