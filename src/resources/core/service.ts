import { labelName } from '../../apimachinery/validation/object-names.ts';
import type { Service, ServiceSpec } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import { keep } from '../strategies.ts';
import { cidrWarnings, ipWarnings } from '../validation/network-warnings.ts';
import { core } from './group.ts';
import { settleFamilies } from './service-families.ts';
import {
  dropUnused,
  isExternallyAccessible,
  isHeadless,
  keepAllocated,
  normalizeClusterIPs,
} from './service-fields.ts';
import { serviceStatus } from './service-status.ts';
import { validateService, validateServiceUpdate } from './service-validation.ts';

function setDefaults(spec: ServiceSpec): void {
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800;
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
}

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';

function warnings({ metadata, spec = {} }: Service): string[] {
  const texts: string[] = [];
  if (metadata.annotations?.[TOPOLOGY_HINTS] !== undefined) {
    texts.push(`annotation ${TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  }
  const isExternalName = spec.type === 'ExternalName';
  const headless = spec.type === 'ClusterIP' && isHeadless(spec);
  const { loadBalancerIP, clusterIPs = [], externalIPs = [], loadBalancerSourceRanges = [] } = spec;
  if (spec.clusterIP && !isHeadless(spec)) {
    texts.push(...clusterIPs.flatMap((ip, i) => ipWarnings(ip, `spec.clusterIPs[${i}]`)));
  }
  if (headless) {
    if (loadBalancerIP) texts.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) texts.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') texts.push('spec.SessionAffinity is ignored for headless services');
  }
  texts.push(...externalIPs.flatMap((ip, i) => ipWarnings(ip, `spec.externalIPs[${i}]`)));
  if (externalIPs.length > 0 && !headless && !isExternalName) {
    texts.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (loadBalancerIP) texts.push(...ipWarnings(loadBalancerIP, 'spec.loadBalancerIP'));
  texts.push(
    ...loadBalancerSourceRanges.flatMap((range, i) => cidrWarnings(range, `spec.loadBalancerSourceRanges[${i}]`)),
  );
  if (isExternalName && externalIPs.length > 0) {
    texts.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (!isExternalName && spec.externalName) {
    texts.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    texts.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return texts;
}

/** Services. Addresses and node ports are given out by the registry. */
export const service = core<Service>({
  resource: 'services',
  kind: 'Service',
  namespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [
    { name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    statusSubresource('Service', serviceStatus),
  ],
  strategy: {
    metadataChecks: [0, 1],
    returnsDeleted: true,
    createOnUpdate: true,
    nameErrors: labelName,
    default(service) {
      service.spec ??= {};
      setDefaults(service.spec);
      for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
        if (ingress.ip) ingress.ipMode ??= 'VIP';
      }
    },
    prepareForCreate(service) {
      service.status = { loadBalancer: {} };
      normalizeClusterIPs(service);
      settleFamilies(service);
    },
    prepareForUpdate(service, old) {
      keep(service, old, 'status');
      if (service.spec === undefined || old.spec === undefined) return;
      keepAllocated(service.spec, old.spec);
      normalizeClusterIPs(service, old);
      settleFamilies(service, old);
      dropUnused(service.spec, old.spec);
      if (service.spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
    },
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    warnings,
    generation: false,
  },
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
});
