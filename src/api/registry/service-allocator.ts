/**
 * Cluster IPs and node ports of Services. It lives beside the Services' store and works inside its transaction: what is free is what
 * no stored Service holds, so nothing is handed out twice and nothing leaks.
 */
import { invalidObject } from '../../apimachinery/errors.ts';
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import type { Service, ServicePort } from '../../generated/types/core.v1.ts';
import { withoutResourceVersion, withResourceVersion } from '../../store/text.ts';
import type { Change, Decide, Row } from '../../store/types.ts';
import { SERVICE_CIDR } from '../bootstrap/objects.ts';
import { decodeText, encodeStored } from './encode.ts';
import { resourceNamed } from './resource-name.ts';

const FIRST_PORT = 30000;
const LAST_PORT = 32767;
/** The ports of a dry run count from here: such a one is never handed out. */
const DRY_RUN_PORT = 32768;
/** Addresses that are left to Services which ask for one by name, as upstream leaves the lower band of its range. */
const STATIC_BAND = 256;

const [base = '', bits = '16'] = SERVICE_CIDR.split('/');
const NETWORK = toNumber(base);
const SIZE = 2 ** (32 - Number(bits));

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function inRange(ip: string): boolean {
  const offset = toNumber(ip) - NETWORK;
  return offset > 0 && offset < SIZE - 1;
}

interface Holding {
  ips: string[];
  /** `TCP/30080` */
  ports: string[];
}

/** What a stored Service holds. */
function holdingOf(service: Service): Holding {
  const { spec } = service;
  const ips = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  const ports = (spec?.ports ?? []).filter((p) => (p.nodePort ?? 0) > 0).map((p) => portKey(p));
  if ((spec?.healthCheckNodePort ?? 0) > 0) ports.push(`TCP/${spec?.healthCheckNodePort}`);
  return { ips: ips.filter((ip) => ip !== 'None' && ip !== ''), ports };
}

const portOf = (key: string): number => Number(key.slice(key.indexOf('/') + 1));
const portKey = ({ protocol, nodePort }: ServicePort): string => `${protocol ?? 'TCP'}/${nodePort}`;

export class ServiceAllocator {
  /** Who holds an address or a port, by key of the Service. */
  private readonly holders = new Map<string, string>();

  /** @param rows every stored Service */
  constructor(rows: Iterable<Row>) {
    for (const row of rows) this.hold(row);
  }

  /** Keeps up with a commit. */
  observe({ type, row, previous }: Change): void {
    if (previous !== undefined) this.release(previous);
    if (type !== 'DELETED') this.hold(row);
  }

  /** The decision with addresses and ports filled in where it writes a Service that lacks them. */
  wrap(key: string, decide: Decide): Decide {
    const services = resourceNamed('core/v1/services');
    return (current, resourceVersion) => {
      const outcome = decide(current, resourceVersion);
      // A dry run is told what it would get.
      const dryRun = outcome.do === 'answer' && outcome.text !== current?.text;
      if (outcome.do !== 'write' && !dryRun) return outcome;
      const service = decodeText<Service>(outcome.do === 'write' ? outcome.object.text : outcome.text);
      const errors = this.allocate(key, service, dryRun);
      if (errors.length > 0)
        return { do: 'fail', status: invalidObject(services, service.metadata.name, errors).status };
      const object = encodeStored(services, service);
      if (!dryRun) return { ...outcome, object };
      const text =
        current === undefined
          ? withoutResourceVersion(object.text)
          : withResourceVersion(object.text, current.resourceVersion);
      return { ...outcome, text };
    };
  }

  /** Fills in place what the Service needs; answers why it cannot have what it asks for. */
  private allocate(key: string, service: Service, dryRun: boolean): FieldError[] {
    const { spec } = service;
    if (spec === undefined) return [];
    const errors: FieldError[] = [];
    if (spec.type !== 'ExternalName') this.allocateAddress(key, service, errors);
    const exposes =
      spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const taken = new Set<string>();
    const free = (protocol: string, preferred?: number): number =>
      dryRun ? Math.max(DRY_RUN_PORT, ...[...taken].map(portOf)) + 1 : this.freePort(protocol, taken, preferred);
    for (const [i, port] of (spec.ports ?? []).entries()) {
      if ((port.nodePort ?? 0) > 0) this.checkPort(key, port, i, errors);
      else if (exposes) port.nodePort = free(port.protocol ?? 'TCP', samePort(spec.ports ?? [], port, i));
      if (port.nodePort) taken.add(portKey(port));
    }
    if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && !spec.healthCheckNodePort) {
      spec.healthCheckNodePort = free('TCP');
    }
    return errors;
  }

  private allocateAddress(key: string, { spec = {} }: Service, errors: FieldError[]): void {
    const wanted = spec.clusterIP || spec.clusterIPs?.[0] || '';
    if (wanted === 'None') {
      spec.clusterIP = 'None';
      spec.clusterIPs = ['None'];
      return;
    }
    const refuse = (why: string): void => {
      errors.push(invalid('spec.clusterIPs', spec.clusterIPs ?? [wanted], `failed to allocate IP ${wanted}: ${why}`));
    };
    if (wanted !== '') {
      const holder = this.holders.get(wanted);
      if (!inRange(wanted)) refuse(`the provided network does not match the current range`);
      else if (holder !== undefined && holder !== key) refuse('provided IP is already allocated');
    }
    const ip = wanted === '' ? this.freeAddress() : wanted;
    spec.clusterIP = ip;
    spec.clusterIPs = [ip];
  }

  /** At random above the static band; below it only when all else is taken. */
  private freeAddress(): string {
    const from = STATIC_BAND;
    const span = SIZE - 1 - from;
    const start = Math.floor(Math.random() * span);
    for (let i = 0; i < span; i++) {
      const ip = toAddress(NETWORK + from + ((start + i) % span));
      if (!this.holders.has(ip)) return ip;
    }
    for (let offset = 1; offset < from; offset++) {
      const ip = toAddress(NETWORK + offset);
      if (!this.holders.has(ip)) return ip;
    }
    throw invalidObject({ group: '', kind: 'Service' }, '', [
      invalid('spec.clusterIPs', [], 'failed to allocate a serviceIP: range is full'),
    ]);
  }

  private checkPort(key: string, port: ServicePort, index: number, errors: FieldError[]): void {
    const field = `spec.ports[${index}].nodePort`;
    const number = port.nodePort as number;
    const holder = this.holders.get(portKey(port));
    if (number < FIRST_PORT || number > LAST_PORT) {
      const range = `provided port is not in the valid range. The range of valid ports is ${FIRST_PORT}-${LAST_PORT}`;
      errors.push(invalid(field, number, range));
    } else if (holder !== undefined && holder !== key) {
      errors.push(invalid(field, number, 'provided port is already allocated'));
    }
  }

  /** A free port for a protocol; one number for TCP and UDP of one port where that can be had. */
  private freePort(protocol: string, taken: ReadonlySet<string>, preferred: number | undefined): number {
    const free = (port: number): boolean => {
      const key = `${protocol}/${port}`;
      return !this.holders.has(key) && !taken.has(key);
    };
    if (preferred !== undefined && free(preferred)) return preferred;
    const span = LAST_PORT - FIRST_PORT + 1;
    const start = Math.floor(Math.random() * span);
    for (let i = 0; i < span; i++) {
      const port = FIRST_PORT + ((start + i) % span);
      if (free(port)) return port;
    }
    throw invalidObject({ group: '', kind: 'Service' }, '', [
      invalid('spec.ports', [], 'failed to allocate a nodePort: range is full'),
    ]);
  }

  private hold(row: Row): void {
    const { ips, ports } = holdingOf(decodeText<Service>(row.text));
    for (const held of [...ips, ...ports]) this.holders.set(held, row.key);
  }

  private release(row: Row): void {
    const { ips, ports } = holdingOf(decodeText<Service>(row.text));
    for (const held of [...ips, ...ports]) if (this.holders.get(held) === row.key) this.holders.delete(held);
  }
}

/** The node port that an earlier port of the same number, of another protocol, has got. */
function samePort(ports: readonly ServicePort[], port: ServicePort, index: number): number | undefined {
  return ports.slice(0, index).find((other) => other.port === port.port && other.protocol !== port.protocol)?.nodePort;
}
