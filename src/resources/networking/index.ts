import { type FieldError, invalid } from '../../apimachinery/field.ts';
import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from '../../generated/types/networking.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { ipFamily } from '../validation/formats.ts';
import { networkPolicy } from './networkpolicy.ts';

const networking = groupVersion('networking.k8s.io', 'v1');

/** The resources of the group `networking.k8s.io`. */
export const networkingResources: readonly Resource[] = [
  networking<IngressClass>({
    resource: 'ingressclasses',
    kind: 'IngressClass',
    namespaced: false,
    strategy: {
      default({ spec }) {
        if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
      },
    },
  }),
  networking<Ingress>({
    resource: 'ingresses',
    kind: 'Ingress',
    namespaced: true,
    shortNames: ['ing'],
    subresources: [statusSubresource('Ingress')],
    strategy: statusIsSeparate({ loadBalancer: {} }),
  }),
  networking<IPAddress>({
    resource: 'ipaddresses',
    kind: 'IPAddress',
    namespaced: false,
    shortNames: ['ip'],
    strategy: {
      generation: false,
      nameErrors: (name) =>
        ipFamily(name) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [],
      validateUpdate(address, old) {
        const errors: FieldError[] = [];
        const was = old.spec?.parentRef;
        const ref = address.spec?.parentRef;
        const same = (['group', 'resource', 'namespace', 'name'] as const).every(
          (field) => ref?.[field] === was?.[field],
        );
        if (!same) errors.push(invalid('spec.parentRef', ref ?? null, 'field is immutable'));
        return errors;
      },
    },
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
    subresources: [statusSubresource('ServiceCIDR')],
    strategy: { ...statusIsSeparate<ServiceCIDR>({}), generation: false },
  }),
];
