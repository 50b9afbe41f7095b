/** Which fields of a Service belong to which of its types, and what an update takes over from the old one. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Service, ServiceSpec } from '../../generated/types/core.v1.ts';

/** Whether it has addresses of its own or is headless: all but `ExternalName`. */
const needsClusterIP = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';

/** Whether its ports are open on nodes. */
const needsNodePort = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

/** Whether load balancers ask nodes for its health. */
export const needsHealthCheckNodePort = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

/** Whether traffic reaches it from outside (`ExternallyAccessible`). */
export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' ||
  spec.type === 'NodePort' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);

/** Whether it has no address of its own on purpose. */
export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIP === 'None';

/** Keeps what was allocated before and the update does not mention (`patchAllocatedValues`). */
export function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsClusterIP(spec) && needsClusterIP(old)) {
    spec.clusterIP ||= old.clusterIP;
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = old.clusterIPs;
  }
  if (needsNodePort(spec) && needsNodePort(old)) {
    const used = new Set((spec.ports ?? []).map((port) => port.nodePort));
    const byName = new Map((old.ports ?? []).map(({ name = '', nodePort }) => [name, nodePort]));
    for (const port of spec.ports ?? []) {
      const was = byName.get(port.name ?? '');
      if (!port.nodePort && was && !used.has(was)) port.nodePort = was;
    }
  }
  if (needsHealthCheckNodePort(spec) && needsHealthCheckNodePort(old)) {
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

const nodePorts = (spec: ServiceSpec): unknown => (spec.ports ?? []).map((port) => port.nodePort ?? 0);

/** Drops fields that the new type has no use for, where the update left them as they were (`dropTypeDependentFields`). */
export function dropUnused(spec: ServiceSpec, old: ServiceSpec): void {
  const same = (field: keyof ServiceSpec): boolean => deepEqual(spec[field], old[field]);
  const drop = (...names: (keyof ServiceSpec)[]): void => {
    for (const field of names) delete spec[field];
  };
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    if (same('clusterIP') && same('clusterIPs')) drop('clusterIP', 'clusterIPs');
    for (const field of ['ipFamilies', 'ipFamilyPolicy'] as const) if (same(field)) drop(field);
  }
  if (needsNodePort(old) && !needsNodePort(spec) && deepEqual(nodePorts(spec), nodePorts(old))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheckNodePort(old) && !needsHealthCheckNodePort(spec) && same('healthCheckNodePort')) {
    drop('healthCheckNodePort');
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) drop('allocateLoadBalancerNodePorts');
    if (same('loadBalancerClass')) drop('loadBalancerClass');
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec) && same('externalTrafficPolicy')) {
    drop('externalTrafficPolicy');
  }
}

/** Keeps `clusterIP` and `clusterIPs` in step where a client knows only one of them (`NormalizeClusterIPs`). */
export function normalizeClusterIPs(service: Service, old?: Service): void {
  const spec = service.spec;
  if (spec === undefined) return;
  const was = old?.spec;
  if (was === undefined) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if (was.clusterIPs?.length && !spec.clusterIPs?.length && spec.clusterIP === was.clusterIP) {
    spec.clusterIPs = was.clusterIPs;
  }
  const sameList = deepEqual(spec.clusterIPs, was.clusterIPs);
  if ((spec.clusterIP ?? '') !== (was.clusterIP ?? '') && sameList) {
    if (!spec.clusterIP) delete spec.clusterIPs;
    else spec.clusterIPs = [spec.clusterIP];
  }
}
