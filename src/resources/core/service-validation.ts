/** What a Service must satisfy (`ValidateService`, `ValidateServiceUpdate`). */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';
import type { Service, ServicePort, ServiceSpec } from '../../generated/types/core.v1.ts';
import {
  cidr,
  dns1123Label,
  dns1123Subdomain,
  ip,
  labels,
  nonSpecialIP,
  port,
  portOrName,
  qualifiedName,
} from '../validation/formats.ts';
import { each, fields, oneOf, present, type Rule, required, unsupported } from '../validation/rules.ts';
import { addressChangeErrors, addressErrors } from './service-families.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckNodePort } from './service-fields.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const POLICIES = ['Cluster', 'Local'];
const ONLY_LOAD_BALANCERS = "may only be used when `type` is 'LoadBalancer'";

const portFields = fields<ServicePort>({
  port,
  protocol: required<string | undefined>(oneOf('SCTP', 'TCP', 'UDP')),
  targetPort: portOrName,
  appProtocol: present(qualifiedName),
});

function duplicate(path: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field: path, body: `Duplicate value: ${JSON.stringify(value)}` };
}

function ports(spec: ServiceSpec, errors: FieldError[]): void {
  const list: readonly ServicePort[] = spec.ports ?? [];
  if (list.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(requiredError('spec.ports'));
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  list.forEach((value, index) => {
    const at = `spec.ports[${index}]`;
    const { name = '', protocol = '' } = value;
    if (name === '') {
      if (list.length > 1) errors.push(requiredError(`${at}.name`));
    } else {
      dns1123Label(name, `${at}.name`, errors);
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    portFields(value, at, errors);
    const key = `${protocol}/${value.port ?? 0}`;
    if (numbers.has(key)) {
      const bare = {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: value.port ?? 0,
        TargetPort: 0,
        NodePort: 0,
      };
      errors.push(duplicate(at, bare));
    }
    numbers.add(key);
    if (!value.nodePort) return;
    if (spec.type === 'ClusterIP') {
      errors.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    const nodeKey = `${protocol}/${value.nodePort}`;
    if (nodePorts.has(nodeKey)) errors.push(duplicate(`${at}.nodePort`, value.nodePort));
    nodePorts.add(nodeKey);
  });
}

const externalIP: Rule<string> = (value, path, errors) => {
  const before = errors.length;
  ip(value, path, errors);
  if (errors.length === before) nonSpecialIP(value, path, errors);
};

function sessionAffinity(spec: ServiceSpec, errors: FieldError[]): void {
  const { sessionAffinity: kind = '', sessionAffinityConfig: config } = spec;
  if (kind === '') errors.push(requiredError('spec.sessionAffinity'));
  else if (kind !== 'ClientIP' && kind !== 'None') {
    errors.push(unsupported('spec.sessionAffinity', kind, ['ClientIP', 'None']));
  }
  const at = 'spec.sessionAffinityConfig';
  if (kind === 'ClientIP') {
    const seconds = config?.clientIP?.timeoutSeconds;
    const where = `${at}.clientIP.timeoutSeconds`;
    if (seconds === undefined) {
      errors.push(requiredError(at, 'when session affinity type is ClientIP'));
    } else if (seconds <= 0 || seconds > 86400) {
      errors.push(invalid(where, seconds, 'must be greater than 0 and less than 86400'));
    }
  } else if (kind === 'None' && config !== undefined) {
    errors.push(forbiddenField(at, 'must not be set when session affinity is None'));
  }
}

const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';

function rangesAnnotation(value: string | undefined, isLoadBalancer: boolean, errors: FieldError[]): void {
  if (value === undefined) return;
  const at = `metadata.annotations[${SOURCE_RANGES}]`;
  if (!isLoadBalancer) errors.push(forbiddenField(at, ONLY_LOAD_BALANCERS));
  if (value.trim() === '') return;
  for (const range of value.trim().split(',')) cidr(range.trim(), at, errors);
}

function topologyErrors(annotations: Record<string, string> = {}): FieldError[] {
  const [mode, hints] = [annotations[TOPOLOGY_MODE], annotations[TOPOLOGY_HINTS]];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const detail = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  return [invalid(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, detail)];
}

function loadBalancer({ metadata, spec = {} }: Service, errors: FieldError[]): void {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  // The capital letter is upstream's.
  const ranges = 'spec.LoadBalancerSourceRanges';
  if (spec.loadBalancerSourceRanges?.length) {
    if (!isLoadBalancer) errors.push(forbiddenField(ranges, ONLY_LOAD_BALANCERS));
    spec.loadBalancerSourceRanges.forEach((range, index) => {
      cidr(range.trim(), `${ranges}[${index}]`, errors);
    });
  } else rangesAnnotation(metadata.annotations?.[SOURCE_RANGES], isLoadBalancer, errors);
  const allocate = 'spec.allocateLoadBalancerNodePorts';
  if (isLoadBalancer) {
    if (spec.allocateLoadBalancerNodePorts === undefined) errors.push(requiredError(allocate));
  } else if (spec.allocateLoadBalancerNodePorts !== undefined) {
    errors.push(forbiddenField(allocate, ONLY_LOAD_BALANCERS));
  }
  loadBalancerClass(spec, errors);
}

function loadBalancerClass(spec: ServiceSpec, errors: FieldError[]): void {
  const value = spec.loadBalancerClass;
  if (value === undefined) return;
  if (spec.type !== 'LoadBalancer') errors.push(forbiddenField('spec.loadBalancerClass', ONLY_LOAD_BALANCERS));
  else qualifiedName(value, 'spec.loadBalancerClass', errors);
}

function trafficPolicies(spec: ServiceSpec, errors: FieldError[]): void {
  const external = spec.externalTrafficPolicy ?? '';
  const at = 'spec.externalTrafficPolicy';
  if (!isExternallyAccessible(spec)) {
    if (external !== '') errors.push(invalid(at, external, 'may only be set for externally-accessible services'));
  } else if (external === '') {
    if (spec.type !== 'ClusterIP') errors.push(requiredError(at));
  } else if (!POLICIES.includes(external)) {
    errors.push(unsupported(at, external, POLICIES));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined) {
    const isServed = spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    if (isServed) errors.push(requiredError('spec.internalTrafficPolicy'));
  } else {
    if (!POLICIES.includes(internal)) errors.push(unsupported('spec.internalTrafficPolicy', internal, POLICIES));
  }
  const healthPort = spec.healthCheckNodePort ?? 0;
  if (healthPort !== 0 && !needsHealthCheckNodePort(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', healthPort, detail));
  } else if (healthPort !== 0) port(healthPort, 'spec.healthCheckNodePort', errors);
}

function noAddresses(spec: ServiceSpec, errors: FieldError[]): void {
  for (const field of ['clusterIPs', 'ipFamilies'] as const) {
    if (spec[field]?.length) errors.push(forbiddenField(`spec.${field}`, 'may not be set for ExternalName services'));
  }
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(forbiddenField('spec.ipFamilyPolicy', 'may not be set for ExternalName services'));
  }
}

/** Errors of a whole Service. */
export function validateService(service: Service): FieldError[] {
  const spec: ServiceSpec = service.spec ?? {};
  const errors = topologyErrors(service.metadata.annotations);
  ports(spec, errors);
  if (spec.type === 'ExternalName') {
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    noAddresses(spec, errors);
    if (name === '') errors.push(requiredError('spec.externalName'));
    else dns1123Subdomain(name, 'spec.externalName', errors);
  }
  if (isHeadless(spec) && (spec.type === 'NodePort' || spec.type === 'LoadBalancer')) {
    const detail = `may not be set to 'None' for ${spec.type} services`;
    errors.push(invalid('spec.clusterIPs[0]', 'None', detail));
  }
  labels(spec.selector, 'spec.selector', errors);
  sessionAffinity(spec, errors);
  each<string>(externalIP)(spec.externalIPs, 'spec.externalIPs', errors);
  if (!spec.type) errors.push(requiredError('spec.type'));
  else if (!TYPES.includes(spec.type)) errors.push(unsupported('spec.type', spec.type, TYPES));
  loadBalancer(service, errors);
  trafficPolicies(spec, errors);
  errors.push(...addressErrors(spec));
  const distribution = spec.trafficDistribution;
  const known = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  if (distribution !== undefined && !known.includes(distribution)) {
    errors.push(unsupported('spec.trafficDistribution', distribution, known));
  }
  return errors;
}

/** Errors of a Service's change: its address stays, and so does the class of its load balancer. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const spec: ServiceSpec = service.spec ?? {};
  const was: ServiceSpec = old.spec ?? {};
  const errors: FieldError[] = [];
  errors.push(...addressChangeErrors(spec, was));
  const [now, before] = [spec.healthCheckNodePort ?? 0, was.healthCheckNodePort ?? 0];
  if (needsHealthCheckNodePort(spec) && needsHealthCheckNodePort(was) && now !== before) {
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'));
  }
  if (was.type === 'LoadBalancer' && spec.type === 'LoadBalancer') {
    if (!deepEqual(spec.loadBalancerClass, was.loadBalancerClass)) {
      errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
    }
  }
  // Upstream looks at it once with the change and once with the Service.
  loadBalancerClass(spec, errors);
  return [...errors, ...validateService(service)];
}
