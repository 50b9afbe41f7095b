/** The cluster's DNS records, looked up in what the informers hold (the Kubernetes DNS specification). */
import { isIPv4 } from 'node:net';
import type { Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

export type Answer =
  | { type: 'A' | 'AAAA'; name: string; data: string; ttl: number }
  | { type: 'SRV'; name: string; data: { target: string; port: number; priority: number; weight: number }; ttl: number }
  | { type: 'PTR'; name: string; data: string; ttl: number };

export interface Zone {
  domain: string;
  services: { list(): Service[]; get(namespace: string, name: string): Service | undefined };
  slices: { list(): EndpointSlice[] };
  /** Whether both lists have come; absent: they have. */
  isComplete?(): boolean;
}

const TTL = 5;
const IN_ADDR = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/;

/** Answers; an empty list for a name that has none of the type; undefined for a name that does not exist. */
export function resolve(zone: Zone, name: string, type: string): Answer[] | undefined {
  const reverse = IN_ADDR.exec(name);
  if (reverse !== null) {
    const records = pointer(zone, name, reverse.slice(1).reverse().join('.'));
    return records === undefined ? undefined : only(['PTR', 'ANY'], type, records);
  }
  const suffix = `.${zone.domain}`;
  if (name === zone.domain) return [];
  if (!name.endsWith(suffix)) return undefined;
  const labels = name.slice(0, -suffix.length).split('.');
  const kind = labels.pop();
  if (kind === 'svc') return serviceRecords(zone, name, labels, type);
  if (kind === 'pod') return podRecord(name, labels, type);
  return undefined;
}

/** Whether this server is the one to ask for a name. */
export function isOurs(zone: Zone, name: string): boolean {
  if (name === zone.domain || name.endsWith(`.${zone.domain}`)) return true;
  const reverse = IN_ADDR.exec(name);
  return reverse !== null && pointer(zone, name, reverse.slice(1).reverse().join('.')) !== undefined;
}

function serviceRecords(zone: Zone, name: string, labels: string[], type: string): Answer[] | undefined {
  const namespace = labels.pop();
  const serviceName = labels.pop();
  if (namespace === undefined) return [];
  if (serviceName === undefined)
    return zone.services.list().some((s) => s.metadata.namespace === namespace) ? [] : undefined;
  const service = zone.services.get(namespace, serviceName);
  if (service === undefined) return undefined;
  if (labels.length === 2 && labels[0]?.startsWith('_')) {
    const records = srv(zone, service, name, labels[0], labels[1] ?? '');
    return records === undefined ? undefined : only(['SRV', 'ANY'], type, records);
  }
  if (service.spec?.type === 'ExternalName') return labels.length > 0 ? undefined : [];
  const ip = service.spec?.clusterIP;
  if (ip && ip !== 'None') {
    if (labels.length > 0) return undefined;
    return ip.includes(':') ? only(['AAAA', 'ANY'], type, [aaaa(name, ip)]) : only(['A', 'ANY'], type, [a(name, ip)]);
  }
  if (labels.length > 1) return undefined;
  // A headless Service that has no endpoints does not exist, says the specification.
  const hosts = endpointHosts(zone, service).filter(({ host }) => labels.length === 0 || host === labels[0]);
  if (hosts.length === 0) return undefined;
  return only(
    ['A', 'ANY'],
    type,
    [...new Set(hosts.map(({ address }) => address))].map((address) => a(name, address)),
  );
}

const a = (name: string, data: string): Answer => ({ type: 'A', name, data, ttl: TTL });
const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, data, ttl: TTL });
const only = (types: string[], type: string, answers: Answer[]): Answer[] => (types.includes(type) ? answers : []);

interface Host {
  host: string;
  address: string;
  ports: NonNullable<EndpointSlice['ports']>;
}

/** The addresses behind a headless Service, each with the name that it has there. */
function endpointHosts(zone: Zone, service: Service): Host[] {
  const { name, namespace } = service.metadata;
  return zone.slices
    .list()
    .filter(({ metadata, addressType }) => {
      const of = metadata.labels?.['kubernetes.io/service-name'];
      return addressType === 'IPv4' && metadata.namespace === namespace && of === name;
    })
    .flatMap((slice) =>
      (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false || service.spec?.publishNotReadyAddresses === true)
        .flatMap(({ addresses = [], hostname }) =>
          addresses.map((address) => ({
            host: hostname ?? address.replaceAll('.', '-'),
            address,
            ports: slice.ports ?? [],
          })),
        ),
    );
}

function srv(zone: Zone, service: Service, name: string, port: string, protocol: string): Answer[] | undefined {
  const wanted = { port: port.slice(1), protocol: protocol.slice(1).toUpperCase() };
  const base = `${service.metadata.name}.${service.metadata.namespace}.svc.${zone.domain}`;
  const record = (target: string, number: number): Answer => ({
    type: 'SRV',
    name,
    ttl: TTL,
    data: { target, port: number, priority: 0, weight: 100 },
  });
  const ip = service.spec?.clusterIP;
  if (ip && ip !== 'None') {
    const found = (service.spec?.ports ?? []).find(
      (p) => p.name === wanted.port && (p.protocol ?? 'TCP') === wanted.protocol,
    );
    return found?.port === undefined ? undefined : [record(base, found.port)];
  }
  const answers = endpointHosts(zone, service).flatMap(({ host, ports }) =>
    ports
      .filter((p) => p.name === wanted.port && (p.protocol ?? 'TCP') === wanted.protocol && p.port !== undefined)
      .map((p) => record(`${host}.${base}`, p.port as number)),
  );
  return answers.length === 0 ? undefined : answers;
}

/** `a-b-c-d.<namespace>.pod`: every address has such a name. */
function podRecord(name: string, labels: string[], type: string): Answer[] | undefined {
  const ip = (labels[0] ?? '').replaceAll('-', '.');
  return labels.length === 2 && isIPv4(ip) ? only(['A', 'ANY'], type, [a(name, ip)]) : undefined;
}

function pointer(zone: Zone, name: string, ip: string): Answer[] | undefined {
  const service = zone.services.list().find(({ spec }) => spec?.clusterIP === ip);
  const ptr = (data: string): Answer[] => [{ type: 'PTR', name, data, ttl: TTL }];
  if (service !== undefined) return ptr(`${service.metadata.name}.${service.metadata.namespace}.svc.${zone.domain}`);
  for (const slice of zone.slices.list()) {
    const endpoint = slice.endpoints?.find(({ addresses }) => addresses?.includes(ip));
    const of = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (endpoint === undefined || of === undefined) continue;
    const host = endpoint.hostname ?? ip.replaceAll('.', '-');
    return ptr(`${host}.${of}.${slice.metadata.namespace}.svc.${zone.domain}`);
  }
  return undefined;
}
