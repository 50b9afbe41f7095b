/** A container's environment variables. */
import type { Container, EnvVarSource, Pod, Service } from '../../src/generated/types/core.v1.ts';
import type { PodConfigSource } from './config-source.ts';
import { expand } from './expansion.ts';
import { type Allocatable, fieldValue, resourceValue } from './field-ref.ts';

export interface EnvironmentSources {
  config: PodConfigSource;
  services: readonly Service[];
  node: { name: string; ip: string };
  allocatable: Allocatable;
}

/**
 * All variables in upstream's order of precedence: services, envFrom, env. Throws (`configmap "x" not found`,
 * `couldn't find key k in ConfigMap ns/x`) when something that is not optional is missing.
 */
export async function environment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  await addEnvFrom(pod, container, sources.config, result);
  // Upstream: a variable may use those before it, and services' ones, which it also overrides.
  const services = serviceVariables(pod, sources.services);
  const known = new Map([...services, ...result]);
  for (const variable of container.env ?? []) {
    const name = variable.name ?? '';
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', known)
        : await valueFrom(pod, container, variable.valueFrom, sources);
    if (value === undefined) continue;
    known.set(name, value);
    result.set(name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

async function addEnvFrom(
  pod: Pod,
  container: Container,
  config: PodConfigSource,
  result: Map<string, string>,
): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? '';
    const { configMapRef, secretRef } = source;
    const data = configMapRef
      ? await config.configMap(namespace, configMapRef.name ?? '', configMapRef.optional === true)
      : await config.secret(namespace, secretRef?.name ?? '', secretRef?.optional === true);
    for (const [key, value] of data?.text ?? []) result.set(prefix + key, value);
  }
}

async function valueFrom(
  pod: Pod,
  container: Container,
  source: EnvVarSource,
  { config, node, allocatable }: EnvironmentSources,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  if (source.fieldRef) return fieldValue(pod, source.fieldRef.fieldPath ?? '', node);
  if (source.resourceFieldRef) return resourceValue(pod, source.resourceFieldRef, container, allocatable);
  const reference = source.configMapKeyRef ?? source.secretKeyRef;
  if (!reference) return '';
  const optional = reference.optional === true;
  const name = reference.name ?? '';
  const key = reference.key ?? '';
  const isConfigMap = source.configMapKeyRef !== undefined;
  const data = await (isConfigMap
    ? config.configMap(namespace, name, optional)
    : config.secret(namespace, name, optional));
  const value = data?.text.get(key);
  if (value === undefined && !optional) {
    throw new Error(`couldn't find key ${key} in ${isConfigMap ? 'ConfigMap' : 'Secret'} ${namespace}/${name}`);
  }
  return value;
}

/** `REDIS_SERVICE_HOST` and friends, for the services of the pod's namespace and always for `default/kubernetes`. */
export function serviceVariables(pod: Pod, services: readonly Service[]): Map<string, string> {
  const result = new Map<string, string>();
  const links = pod.spec?.enableServiceLinks !== false;
  const isMaster = (service: Service): boolean =>
    service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes';
  const wanted = services
    .filter((service) => isMaster(service) || (links && service.metadata.namespace === pod.metadata.namespace))
    .filter((service) => service.spec?.clusterIP !== undefined && !['', 'None'].includes(service.spec.clusterIP))
    .sort((a, b) => Number(isMaster(b)) - Number(isMaster(a)));
  const names = new Set<string>();
  for (const service of wanted) {
    if (names.has(service.metadata.name)) continue;
    names.add(service.metadata.name);
    addService(service, result);
  }
  return result;
}

function addService(service: Service, result: Map<string, string>): void {
  const upper = (text: string): string => text.toUpperCase().replaceAll('-', '_');
  const name = upper(service.metadata.name);
  const ip = service.spec?.clusterIP ?? '';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const ports = service.spec?.ports ?? [];
  const first = ports[0];
  if (first === undefined) return;
  result.set(`${name}_SERVICE_HOST`, ip);
  result.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) result.set(`${name}_SERVICE_PORT_${upper(port.name)}`, String(port.port));
  const url = (port: { protocol?: string; port?: number }): string =>
    `${(port.protocol ?? 'TCP').toLowerCase()}://${host}:${port.port}`;
  result.set(`${name}_PORT`, url(first));
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP';
    const prefix = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`;
    result.set(prefix, url(port));
    result.set(`${prefix}_PROTO`, protocol.toLowerCase());
    result.set(`${prefix}_PORT`, String(port.port));
    result.set(`${prefix}_ADDR`, ip);
  }
}
