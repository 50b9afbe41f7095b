import { describe, expect, it } from 'vitest';
import { contains, firstAddress, isCidr } from '../../agent/network/cidr.ts';
import { routeTo } from '../../agent/network/routes.ts';
import { difference, emptyRuleset, frame } from '../../agent/proxy/nft.ts';
import { type ProxyFacts, type Ruleset, rulesFor } from '../../agent/proxy/rules.ts';
import type { Node, Service } from '../../src/generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

const web = (spec: Service['spec'] = {}, status: Service['status'] = {}): Service => ({
  metadata: { namespace: 'shop', name: 'web' },
  spec: { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  status,
});
const ends = (endpoints: Endpoint[], port = 8080): EndpointSlice => ({
  metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port, protocol: 'TCP' }],
  endpoints,
});
const two = ends([
  { addresses: ['10.244.0.5'], nodeName: 'here', conditions: { ready: true } },
  { addresses: ['10.244.1.6'], nodeName: 'there', conditions: { ready: true } },
]);
const work = (services: Service[], slices: EndpointSlice[], more: Partial<ProxyFacts> = {}): Ruleset =>
  rulesFor({ nodeName: 'here', services, slices, local: new Map(), podCidr: '10.244.0.0/24', ...more });
/** The chain that an element of a map goes to, as text. */
const behind = (rules: Ruleset, map: string, element: string): string => {
  const verdict = rules.elements.get(map)?.get(element) ?? '';
  return rules.chains.get(verdict.replace('goto ', ''))?.join('\n') ?? verdict;
};

describe('rules', () => {
  it('sends a cluster IP to all ready endpoints', () => {
    const rules = work([web()], [two]);
    const chain = behind(rules, 'services', '10.96.0.20 . tcp . 80');
    expect(chain).toBe(
      'meta l4proto tcp dnat to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.1.6 . 8080 }',
    );
    expect([...(rules.elements.get('hairpin')?.keys() ?? [])]).toEqual([
      '10.244.0.5 . 10.244.0.5',
      '10.244.1.6 . 10.244.1.6',
    ]);
  });
  it('refuses where there is no endpoint', () => {
    const rules = work([web({ ports: [{ name: 'http', port: 80, nodePort: 30080 }] })], []);
    expect(rules.elements.get('no-endpoints')?.get('10.96.0.20 . tcp . 80')).toBe('goto refuse');
    expect(rules.elements.get('no-endpoint-ports')?.get('tcp . 30080')).toBe('goto refuse');
    expect(rules.chains.size).toBe(0);
  });
  it('keeps internal traffic on the node where the Service says so', () => {
    const rules = work([web({ internalTrafficPolicy: 'Local' })], [two]);
    expect(behind(rules, 'services', '10.96.0.20 . tcp . 80')).toBe('meta l4proto tcp dnat to 10.244.0.5:8080');
  });
  it('masquerades NodePorts', () => {
    const rules = work([web({ ports: [{ name: 'http', port: 80, nodePort: 30080 }] })], [two]);
    expect(behind(rules, 'node-ports', 'tcp . 30080')).toMatch(
      /^meta mark set meta mark or 0x4000\nmeta l4proto tcp dnat/,
    );
  });
  it('keeps outside clients on the node with externalTrafficPolicy Local, and lets those inside go anywhere', () => {
    const ports = [{ name: 'http', port: 80, nodePort: 30080 }];
    const local = work([web({ externalTrafficPolicy: 'Local', ports })], [two]);
    const lines = behind(local, 'node-ports', 'tcp . 30080').split('\n');
    expect(lines[0]).toMatch(/^ip saddr 10.244.0.0\/24 goto any-/);
    expect(lines.at(-1)).toBe('meta l4proto tcp dnat to 10.244.0.5:8080');
    expect(local.elements.get('no-endpoint-ports')?.size).toBe(0);
    const elsewhere = work([web({ externalTrafficPolicy: 'Local', ports })], [two], { nodeName: 'third' });
    expect(elsewhere.elements.get('no-endpoint-ports')?.get('tcp . 30080')).toBe('drop');
  });
  it('prefers ready endpoints, but takes ending ones when there are no others', () => {
    const ending: Endpoint = {
      addresses: ['10.244.0.9'],
      conditions: { ready: false, serving: true, terminating: true },
    };
    const dead: Endpoint = { addresses: ['10.244.0.8'], conditions: { ready: false, serving: false } };
    expect(behind(work([web()], [ends([ending, dead])]), 'services', '10.96.0.20 . tcp . 80')).toContain(
      '10.244.0.9:8080',
    );
    const both = work([web()], [ends([ending, { addresses: ['10.244.0.5'] }])]);
    expect(behind(both, 'services', '10.96.0.20 . tcp . 80')).toBe('meta l4proto tcp dnat to 10.244.0.5:8080');
  });
  it('serves load balancer addresses, to those who may', () => {
    const ingress = [{ ip: '198.51.100.7' }, { ip: '198.51.100.8', ipMode: 'Proxy' }];
    const rules = work(
      [web({ loadBalancerSourceRanges: ['192.0.2.0/24', 'nonsense'] }, { loadBalancer: { ingress } })],
      [two],
    );
    expect(rules.elements.get('services')?.has('198.51.100.7 . tcp . 80')).toBe(true);
    expect(rules.elements.get('services')?.has('198.51.100.8 . tcp . 80')).toBe(false);
    expect(behind(rules, 'source-ranges', '198.51.100.7 . tcp . 80')).toBe('ip saddr { 192.0.2.0/24 } return\ndrop');
  });
  it('answers for Services of the node itself', () => {
    const rules = work([web()], [], { local: new Map([['shop/web', { ip: '192.0.2.1', port: 4443 }]]) });
    expect(behind(rules, 'services', '10.96.0.20 . tcp . 80')).toBe('meta l4proto tcp dnat to 192.0.2.1:4443');
  });
  it.each([
    ['an address', [ends([{ addresses: ['10.244.0.5; flush ruleset'] }])], web()],
    ['a port', [ends([{ addresses: ['10.244.0.5'] }], '80; flush ruleset' as unknown as number)], web()],
    ['a port out of range', [ends([{ addresses: ['10.244.0.5'] }], 70_000)], web()],
    ['a protocol', [two], web({ ports: [{ name: 'http', port: 80, protocol: 'TCP; flush ruleset' }] })],
    ['a cluster IP', [two], web({ clusterIP: '10.96.0.1; flush ruleset' })],
    ['an external IP', [], web({ externalIPs: ['1.2.3.4; flush ruleset'] })],
    [
      'a time',
      [two],
      web({
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: '1; flush ruleset' as unknown as number } },
      }),
    ],
  ])('lets no script in through %s', (_what, slices, service) => {
    expect(difference(emptyRuleset(), work([service], slices))).not.toMatch(/flush|70000/);
  });
});

describe('differences', () => {
  it('are empty between equal rules', () => {
    const rules = work([web()], [two]);
    expect(difference(rules, work([web()], [two]))).toBe('');
  });
  it('touch nothing but what changed', () => {
    const other: Service = { ...web({ clusterIP: '10.96.0.21' }), metadata: { namespace: 'shop', name: 'other' } };
    const script = difference(work([web()], [two]), work([web(), other], [two]));
    expect(script).toBe('add element ip zeroplane no-endpoints { 10.96.0.21 . tcp . 80 : goto refuse }\n');
  });
  it('write the pods of the node into the frame', () => {
    expect(frame('10.244.0.0/24', '10.244.0.0/16')).toContain(
      'ip saddr 10.244.0.0/24 ip daddr != 10.244.0.0/16 masquerade',
    );
    expect(frame('', '10.244.0.0/16')).not.toContain('ip saddr  ');
  });
});

describe('ranges and routes', () => {
  it.each([
    ['10.244.0.0/16', true],
    ['10.244.0.0/33', false],
    ['10.244.0.0', false],
    ['10.244.0.0/16/8', false],
    ['default', false],
  ])('%s', (text, is) => expect(isCidr(text)).toBe(is));
  it.each([
    ['10.244.0.0/16', '10.244.7.0/24', true],
    ['10.244.0.0/16', '10.245.7.0/24', false],
    ['10.244.0.0/16', '10.244.0.0/8', false],
    ['10.244.0.0/16', '0.0.0.0/0', false],
  ])('%s contains %s: %s', (outer, inner, is) => expect(contains(outer, inner)).toBe(is));
  it.each([
    ['10.244.3.0/24', '10.244.3.1'],
    ['10.244.3.77/24', '10.244.3.1'],
    ['10.244.3.128/25', '10.244.3.129'],
    ['192.168.0.0/16', '192.168.0.1'],
  ])('%s begins with %s', (cidr, first) => expect(firstAddress(cidr)).toBe(first));
  const node = (podCIDR: string, address: string, labels: Record<string, string> = {}): Node => ({
    metadata: { name: 'n', labels },
    spec: { podCIDR },
    status: { addresses: [{ type: 'InternalIP', address }] },
  });
  it('routes to pods of the cluster alone', () => {
    const to = (n: Node): unknown => routeTo(n, '10.244.0.0/16');
    expect(to(node('10.244.3.0/24', '192.0.2.3'))).toEqual({ cidr: '10.244.3.0/24', via: '192.0.2.3' });
    expect(to(node('0.0.0.0/0', '192.0.2.3'))).toBeUndefined();
    expect(to(node('192.0.2.0/24', '192.0.2.3'))).toBeUndefined();
    expect(to(node('10.244.3.0/24', '10.244.1.1'))).toBeUndefined();
    expect(to(node('10.244.3.0/24', '192.0.2.3', { 'zeroplane.dev/simulated': 'true' }))).toBeUndefined();
  });
});
