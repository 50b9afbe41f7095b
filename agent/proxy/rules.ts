/** What nftables should hold for the cluster's Services: pure data, worked out from Services and EndpointSlices. */
import { createHash } from 'node:crypto';
import type { Service, ServicePort } from '../../src/generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

/** The mark of packets whose sender must look like the node. */
export const MASQUERADE = '0x4000';

export interface Ruleset {
  /** Chain name -> its rules. */
  chains: Map<string, string[]>;
  /** Set name -> its definition, of sets that come and go. */
  sets: Map<string, string>;
  /** Map or set name -> element -> what it maps to ('' in a set). */
  elements: Map<string, Map<string, string>>;
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
}

interface Target {
  ip: string;
  port: number;
  node: string | undefined;
}

/** Works out the whole ruleset. */
export function rulesFor(facts: ProxyFacts): Ruleset {
  const rules: Ruleset = {
    chains: new Map(),
    sets: new Map(),
    elements: new Map(
      ['services', 'node-ports', 'no-endpoints', 'no-endpoint-ports', 'hairpin'].map((name) => [name, new Map<string, string>()]),
    ),
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
  const clusterIp = spec?.clusterIP;
  if (spec === undefined || !clusterIp || clusterIp === 'None' || clusterIp.includes(':')) return;
  const key = `${metadata.namespace}/${metadata.name}`;
  for (const port of spec.ports ?? []) {
    const targets = targetsOf(facts, key, port, slices.get(key) ?? []);
    addPort(rules, facts, service, port, targets, clusterIp, key);
  }
}

function addPort(
  rules: Ruleset,
  facts: ProxyFacts,
  service: Service,
  port: ServicePort,
  targets: readonly Target[],
  clusterIp: string,
  key: string,
): void {
  const spec = service.spec ?? {};
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  const id = `${key}/${protocol}/${port.port}`;
  const element = (name: string, element: string, value: string): void => {
    rules.elements.get(name)?.set(element, value);
  };
  for (const { ip } of targets) element('hairpin', `${ip} . ${ip}`, '');
  const here = targets.filter(({ node }) => node === facts.nodeName);
  const internal = spec.internalTrafficPolicy === 'Local' ? here : targets;
  const external = spec.externalTrafficPolicy === 'Local' ? here : targets;

  const serve = (name: string, to: readonly Target[], before: readonly string[]): string | undefined => {
    if (to.length === 0) return undefined;
    const chain = `${name}-${hash(id)}`;
    rules.chains.set(chain, [...before, ...balance(rules, chain, to, protocol, spec)]);
    return `goto ${chain}`;
  };
  const inner = `${clusterIp} . ${protocol} . ${port.port}`;
  const cluster = serve('svc', internal, []);
  if (cluster !== undefined) element('services', inner, cluster);
  else element('no-endpoints', inner, 'goto refuse');

  const outside = [
    ...(spec.externalIPs ?? []),
    ...(service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : [])),
  ].filter((ip) => !ip.includes(':'));
  if (outside.length === 0 && !port.nodePort) return;
  // Where every node answers, the reply must come back through this one.
  const mark = spec.externalTrafficPolicy === 'Local' ? [] : [`meta mark set meta mark or ${MASQUERADE}`];
  const way = serve('ext', external, mark);
  for (const ip of outside) {
    const outer = `${ip} . ${protocol} . ${port.port}`;
    if (way !== undefined) element('services', outer, way);
    else element('no-endpoints', outer, 'goto refuse');
  }
  if (!port.nodePort) return;
  const onNode = `${protocol} . ${port.nodePort}`;
  if (way !== undefined) element('node-ports', onNode, way);
  else element('no-endpoint-ports', onNode, 'goto refuse');
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
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800;
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
  if (local !== undefined) return [{ ...local, node: facts.nodeName }];
  const targets = new Map<string, Target & { ready: boolean }>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const found = (slice.ports ?? []).find((p) => (p.name ?? '') === (port.name ?? ''));
    if (found?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (!isServing(endpoint)) continue;
      for (const ip of endpoint.addresses ?? []) {
        const ready = endpoint.conditions?.ready !== false;
        targets.set(`${ip}:${found.port}`, { ip, port: found.port, node: endpoint.nodeName, ready });
      }
    }
  }
  const all = [...targets.values()];
  const ready = all.filter((t) => t.ready);
  // Endpoints that are ending are better than none.
  return ready.length > 0 ? ready : all;
}

function isServing({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false || (conditions?.serving === true && conditions?.terminating === true);
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
