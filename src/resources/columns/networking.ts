/** Columns of Services and what serves them: core, discovery and networking groups. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Endpoints, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from '../../generated/types/networking.v1.ts';
import type { Column } from '../resource.ts';
import {
  age,
  erased,
  firstOf,
  formatLabels,
  formatSelector,
  loadBalancerAddresses,
  NONE,
  name,
  text,
  UNKNOWN,
  UNSET,
  untitled,
  wide,
} from './shared.ts';

function externalIp({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || NONE;
    case 'LoadBalancer': {
      const balanced = loadBalancerAddresses(status?.loadBalancer?.ingress);
      return [...(balanced === '' ? [] : [balanced]), ...own].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return UNKNOWN;
  }
}

function ports({ spec }: Service): string {
  const list = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return list.join(',') || NONE;
}

const services: Column<Service>[] = [
  name,
  text('Type', ({ spec }) => spec?.type ?? ''),
  text('Cluster-IP', ({ spec }) => spec?.clusterIPs?.[0] || NONE),
  text('External-IP', externalIp),
  text('Port(s)', ports),
  age,
  wide(text('Selector', ({ spec }) => formatLabels(spec?.selector))),
];

const hostPort = (ip: string, port: number | undefined): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

function addressesOf({ subsets }: Endpoints): string {
  const list = (subsets ?? []).flatMap(({ addresses = [], ports: open = [] }) => {
    const ips = addresses.map(({ ip = '' }) => ip);
    return open.length === 0 ? ips : open.flatMap(({ port }) => ips.map((ip) => hostPort(ip, port)));
  });
  return subsets?.length ? firstOf(list, 3) : NONE;
}

const endpoints: Column<Endpoints>[] = [name, text('Endpoints', addressesOf), age];

const endpointSlices: Column<EndpointSlice>[] = [
  name,
  text('AddressType', ({ addressType }) => addressType ?? ''),
  text(
    'Ports',
    (slice) =>
      firstOf(
        (slice.ports ?? []).map(({ port, name: named }) => (port == null ? (named ?? '*') : String(port))),
        3,
      ) || UNSET,
  ),
  text(
    'Endpoints',
    (slice) =>
      firstOf(
        (slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
        3,
      ) || UNSET,
  ),
  age,
];

function hosts({ spec }: Ingress): string {
  const named = (spec?.rules ?? []).map(({ host }) => host ?? '').filter(Boolean);
  return named.length === 0 ? '*' : firstOf(named, 3);
}

const ingresses: Column<Ingress>[] = [
  name,
  text('Class', ({ spec }) => spec?.ingressClassName ?? NONE),
  text('Hosts', hosts),
  text('Address', ({ status }) => loadBalancerAddresses(status?.loadBalancer?.ingress)),
  text('Ports', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
  age,
];

function parameters({ spec }: IngressClass): string {
  const reference = spec?.parameters;
  if (reference == null) return NONE;
  const kind = reference.apiGroup ? `${reference.kind}.${reference.apiGroup}` : reference.kind;
  return `${kind}/${reference.name}`;
}

const ingressClasses: Column<IngressClass>[] = [
  name,
  text('Controller', ({ spec }) => spec?.controller ?? ''),
  text('Parameters', parameters),
  age,
];

function parentOf({ spec }: IPAddress): string {
  const { group, resource = '', namespace, name: parent = '' } = spec?.parentRef ?? {};
  const kind = group ? `${resource}.${group}` : resource;
  return [kind.toLowerCase(), ...(namespace ? [namespace] : []), parent].join('/');
}

// Upstream's rows have one cell more than its table has columns.
const ipAddresses: Column<IPAddress>[] = [name, text('ParentRef', parentOf), untitled(age)];

const networkPolicies: Column<NetworkPolicy>[] = [
  name,
  text('Pod-Selector', ({ spec }) => formatSelector(spec?.podSelector)),
  age,
];

const serviceCidrs: Column<ServiceCIDR>[] = [name, text('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')), age];

export const networkColumns: Record<string, Column<KubeObject>[]> = {
  'core/endpoints': erased(endpoints),
  'core/services': erased(services),
  'discovery.k8s.io/endpointslices': erased(endpointSlices),
  'networking.k8s.io/ingressclasses': erased(ingressClasses),
  'networking.k8s.io/ingresses': erased(ingresses),
  'networking.k8s.io/ipaddresses': erased(ipAddresses),
  'networking.k8s.io/networkpolicies': erased(networkPolicies),
  'networking.k8s.io/servicecidrs': erased(serviceCidrs),
};
