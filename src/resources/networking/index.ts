import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from '../../generated/types/networking.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { keepAllButStatus, STATUS_KEEPS } from '../strategies.ts';
import { ipAddress, serviceCidr } from './addresses.ts';
import { ingress, ingressStatus } from './ingress.ts';
import { ingressClass } from './ingressclass.ts';
import { networkPolicy } from './networkpolicy.ts';

const networking = groupVersion('networking.k8s.io', 'v1');

/** The resources of the group `networking.k8s.io`. */
export const networkingResources: readonly Resource[] = [
  networking<IngressClass>({
    resource: 'ingressclasses',
    kind: 'IngressClass',
    namespaced: false,
    strategy: ingressClass,
  }),
  networking<Ingress>({
    resource: 'ingresses',
    kind: 'Ingress',
    namespaced: true,
    shortNames: ['ing'],
    subresources: [statusSubresource('Ingress', ingressStatus)],
    strategy: ingress,
  }),
  networking<IPAddress>({
    resource: 'ipaddresses',
    kind: 'IPAddress',
    namespaced: false,
    shortNames: ['ip'],
    strategy: ipAddress,
    selectableFields: ({ spec }) => ({
      'spec.parentRef.group': spec?.parentRef?.group ?? '',
      'spec.parentRef.resource': spec?.parentRef?.resource ?? '',
      'spec.parentRef.namespace': spec?.parentRef?.namespace ?? '',
      'spec.parentRef.name': spec?.parentRef?.name ?? '',
    }),
  }),
  networking<NetworkPolicy>({
    resource: 'networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
    shortNames: ['netpol'],
    strategy: networkPolicy,
  }),
  networking<ServiceCIDR>({
    resource: 'servicecidrs',
    kind: 'ServiceCIDR',
    namespaced: false,
    subresources: [statusSubresource('ServiceCIDR', keepAllButStatus(...STATUS_KEEPS))],
    strategy: serviceCidr,
  }),
];
