/** What nftables should hold for the cluster's Services: pure data, worked out from Services and EndpointSlices. */
import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Service, ServicePort } from '../../src/generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../src/generated/types/discovery.v1.ts';
import { isCidr } from '../network/cidr.ts';

/** The mark of packets whose sender must look like the node. */
export const MASQUERADE = '0x4000';

export interface Ruleset {
  /** Chain name -> its rules. */
  chains: Map<string, string[]>;
  /** Set name -> its definition, of sets that come and go. */
  sets: Map<string, string>;
  /** Map or set name -> element -> what it maps to ('' in a set). */
  elements: Map<string, Map<string, string>>;
  /** `service-address endpoint-address` of UDP: connections that conntrack must forget when they are gone. */
  udp: Set<string>;
}

export interface LocalAddress {
  ip: string;
  port: number;
}

export interface ProxyFacts {
  nodeName: string;
  services: readonly Service[];
  slices: readonly EndpointSlice[];
  /** What the node itself answers for: `namespace/name` -> address. */
  local: ReadonlyMap<string, LocalAddress>;
  /** The node's pods; '' when it is not known yet. */
  podCidr?: string;
}

interface Target {
  ip: string;
  port: number;
  node: string | undefined;
  ready: boolean;
}

const PROTOCOLS = new Set(['TCP', 'UDP', 'SCTP']);
const isPort = (port: unknown): port is number => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
const MAX_AFFINITY_SECONDS = 86_400;

/** Works out the whole ruleset. What is no address or port is left out: all of this ends up in a script that root runs. */
export function rulesFor(facts: ProxyFacts): Ruleset {
  const maps = ['services', 'node-ports', 'no-endpoints', 'no-endpoint-ports', 'hairpin', 'source-ranges'];
  const rules: Ruleset = {
    chains: new Map(),
    sets: new Map(),
    elements: new Map(maps.map((name) => [name, new Map<string, string>()])),
    udp: new Set(),
  };
  const slices = Map.groupBy(facts.slices, ({ metadata }) => {
    return `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
  });
  for (const service of facts.services) addService(rules, facts, service, slices);
  return rules;
}

function addService(
  rules: Ruleset,
  facts: ProxyFacts,
  service: Service,
  slices: ReadonlyMap<string, EndpointSlice[]>,
): void {
  const { spec, metadata } = service;
  const clusterIp = spec?.clusterIP ?? '';
  if (!isIPv4(clusterIp) || spec?.type === 'ExternalName') return;
  const key = `${metadata.namespace}/${metadata.name}`;
  for (const port of spec?.ports ?? []) {
    if (!isPort(port.port) || !PROTOCOLS.has(port.protocol ?? 'TCP')) continue;
    new PortRules(rules, facts, service, port, clusterIp, key).add(slices.get(key) ?? []);
  }
}

/** One port of one Service. */
class PortRules {
  private readonly rules: Ruleset;
  private readonly facts: ProxyFacts;
  private readonly service: Service;
  private readonly port: ServicePort;
  private readonly clusterIp: string;
  private readonly key: string;
  private readonly protocol: string;
  private readonly id: string;

  constructor(rules: Ruleset, facts: ProxyFacts, service: Service, port: ServicePort, clusterIp: string, key: string) {
    this.rules = rules;
    this.facts = facts;
    this.service = service;
    this.port = port;
    this.clusterIp = clusterIp;
    this.key = key;
    this.protocol = (port.protocol ?? 'TCP').toLowerCase();
    this.id = hash(`${key}/${this.protocol}/${port.port}`);
  }

  add(slices: readonly EndpointSlice[]): void {
    const { spec } = this.service;
    const all = targetsOf(this.facts, this.key, this.port, slices);
    const every = usable(all);
    const here = usable(all.filter(({ node }) => node === this.facts.nodeName));
    const internal = this.chain('svc', spec?.internalTrafficPolicy === 'Local' ? here : every);
    this.publish(this.clusterIp, internal);
    for (const { ip } of every) {
      this.element('hairpin', `${ip} . ${ip}`, '');
      if (this.protocol === 'udp') this.rules.udp.add(`${this.clusterIp} ${ip}`);
    }
    const { nodePort } = this.port;
    const externalIps = (spec?.externalIPs ?? []).filter((ip) => isIPv4(ip));
    const ingress = (this.service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
      ip !== undefined && isIPv4(ip) && ipMode !== 'Proxy' ? [ip] : [],
    );
    if (externalIps.length === 0 && ingress.length === 0 && !isPort(nodePort)) return;
    const outside = this.external(every, here);
    // Clients from outside must use a node that has an endpoint: upstream drops what reaches another.
    const drops = outside !== undefined && spec?.externalTrafficPolicy === 'Local' && here.length === 0;
    for (const ip of externalIps) this.publish(ip, outside, drops);
    for (const ip of ingress) {
      this.publish(ip, outside, drops);
      this.allowSources(ip);
    }
    if (!isPort(nodePort)) return;
    const onNode = `${this.protocol} . ${nodePort}`;
    if (outside !== undefined) this.element('node-ports', onNode, `goto ${outside}`);
    if (outside === undefined || drops) this.element('no-endpoint-ports', onNode, drops ? 'drop' : 'goto refuse');
  }

  /** Where traffic to outside addresses goes; undefined where nothing serves it. */
  private external(every: readonly Target[], here: readonly Target[]): string | undefined {
    // Where every node answers, the reply must come back through this one.
    const mark = `meta mark set meta mark or ${MASQUERADE}`;
    if (this.service.spec?.externalTrafficPolicy !== 'Local') return this.chain('ext', every, [mark]);
    // Clients inside the cluster have no way around it: for them any endpoint will do.
    const inside = this.chain('any', every);
    if (inside === undefined) return undefined;
    const { podCidr = '' } = this.facts;
    const name = `ext-${this.id}`;
    this.rules.chains.set(name, [
      ...(podCidr === '' ? [] : [`ip saddr ${podCidr} goto ${inside}`]),
      `fib saddr type local ${mark}`,
      `fib saddr type local goto ${inside}`,
      ...(here.length === 0 ? [] : this.balance(name, here)),
    ]);
    return name;
  }

  /** Addresses that may use a load balancer's address; all, when the Service does not say. */
  private allowSources(ip: string): void {
    const ranges = (this.service.spec?.loadBalancerSourceRanges ?? []).map((r) => r.trim()).filter(isCidr);
    if (ranges.length === 0) return;
    const name = `src-${this.id}`;
    this.rules.chains.set(name, [`ip saddr { ${ranges.join(', ')} } return`, 'drop']);
    this.element('source-ranges', `${ip} . ${this.protocol} . ${this.port.port}`, `goto ${name}`);
  }

  private publish(ip: string, chain: string | undefined, drops = false): void {
    const address = `${ip} . ${this.protocol} . ${this.port.port}`;
    if (chain !== undefined) this.element('services', address, `goto ${chain}`);
    if (chain === undefined || drops) this.element('no-endpoints', address, drops ? 'drop' : 'goto refuse');
  }

  private element(name: string, element: string, value: string): void {
    this.rules.elements.get(name)?.set(element, value);
  }

  /** Makes a chain that sends to one of the targets; undefined without any. */
  private chain(kind: string, targets: readonly Target[], before: readonly string[] = []): string | undefined {
    if (targets.length === 0) return undefined;
    const name = `${kind}-${this.id}`;
    this.rules.chains.set(name, [...before, ...this.balance(name, targets)]);
    return name;
  }

  private balance(chain: string, targets: readonly Target[]): string[] {
    return balance(this.rules, chain, targets, this.protocol, this.service.spec ?? {});
  }
}

/** The rules that choose one of the targets. */
function balance(
  rules: Ruleset,
  chain: string,
  targets: readonly Target[],
  protocol: string,
  spec: NonNullable<Service['spec']>,
): string[] {
  const sorted = [...targets].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : a.port - b.port));
  if (spec.sessionAffinity === 'ClientIP') return sticky(rules, chain, sorted, protocol, spec);
  const only = sorted[0] as Target;
  if (sorted.length === 1) return [`meta l4proto ${protocol} dnat to ${only.ip}:${only.port}`];
  const choices = sorted.map(({ ip, port }, i) => `${i} : ${ip} . ${port}`).join(', ');
  return [`meta l4proto ${protocol} dnat to numgen random mod ${sorted.length} map { ${choices} }`];
}

/** Session affinity: a client that was seen lately goes where it went. */
function sticky(
  rules: Ruleset,
  chain: string,
  targets: readonly Target[],
  protocol: string,
  spec: NonNullable<Service['spec']>,
): string[] {
  const asked = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const seconds = Number.isInteger(asked) ? Math.min(Math.max(Number(asked), 1), MAX_AFFINITY_SECONDS) : 10_800;
  const names = targets.map(({ ip, port }) => hash(`${chain}/${ip}/${port}`));
  for (const [i, { ip, port }] of targets.entries()) {
    const set = `aff-${names[i]}`;
    rules.sets.set(set, `type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s;`);
    rules.chains.set(`ep-${names[i]}`, [
      `update @${set} { ip saddr }`,
      `meta l4proto ${protocol} dnat to ${ip}:${port}`,
    ]);
  }
  const choices = names.map((name, i) => `${i} : goto ep-${name}`).join(', ');
  return [
    ...names.map((name) => `ip saddr @aff-${name} goto ep-${name}`),
    `numgen random mod ${names.length} vmap { ${choices} }`,
  ];
}

function targetsOf(facts: ProxyFacts, key: string, port: ServicePort, slices: readonly EndpointSlice[]): Target[] {
  const local = facts.local.get(key);
  if (local !== undefined) return [{ ...local, node: facts.nodeName, ready: true }];
  const targets = new Map<string, Target>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const found = (slice.ports ?? []).find((p) => (p.name ?? '') === (port.name ?? ''))?.port;
    if (!isPort(found)) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (!isServing(endpoint)) continue;
      for (const ip of (endpoint.addresses ?? []).filter((address) => isIPv4(address))) {
        const ready = endpoint.conditions?.ready !== false;
        targets.set(`${ip}:${found}`, { ip, port: found, node: endpoint.nodeName, ready });
      }
    }
  }
  return [...targets.values()];
}

/** Those that are ready; endpoints that are ending are better than none. */
function usable(targets: readonly Target[]): readonly Target[] {
  const ready = targets.filter((t) => t.ready);
  return ready.length > 0 ? ready : targets;
}

function isServing({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false || (conditions?.serving === true && conditions?.terminating === true);
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
