/** The rules in the kernel: a node and two pods as network namespaces. Skipped without root or nft. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, emptyRuleset, frame } from '../../agent/proxy/nft.ts';
import { type Ruleset, rulesFor } from '../../agent/proxy/rules.ts';
import type { Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

const able = process.getuid?.() === 0 && ['/usr/sbin/nft', '/usr/sbin/ip'].every((path) => existsSync(path));
const ID = `zpt${process.pid % 10_000}`;
const NODE = `${ID}-node`;
const CLIENT = `${ID}-out`;
const PODS = ['10.244.0.5', '10.244.0.6'];
const NODE_IP = '198.51.100.1';

const sh = (command: string): string => execFileSync('sh', ['-ec', command], { encoding: 'utf8', stdio: 'pipe' });
const inside = (namespace: string, program: string[], input?: string): string =>
  execFileSync('nsenter', [`--net=/run/netns/${namespace}`, ...program], { encoding: 'utf8', stdio: 'pipe', input });

/** Serves its own name over TCP and UDP on 8080. */
const SERVER = `
  const name = process.argv[1];
  const t = require('net').createServer((s) => { s.on('error', () => {}); s.end(name + ' ' + s.remoteAddress); });
  const u = require('dgram').createSocket('udp4');
  u.on('message', (m, from) => u.send(name, from.port, from.address));
  u.bind(8080, name, () => t.listen(8080, '0.0.0.0', () => console.log('up')));
`;
/** Says what it got, or the error's code. */
const TCP = `
  const [ip, port] = process.argv.slice(1);
  const s = require('net').connect(Number(port), ip);
  s.setTimeout(3000, () => { console.log('TIMEOUT'); process.exit(); });
  s.on('data', (d) => process.stdout.write(d));
  s.on('error', (e) => console.log(e.code));
`;
const UDP = `
  const [ip, port] = process.argv.slice(1);
  const u = require('dgram').createSocket('udp4');
  u.on('message', (d) => { console.log(String(d)); process.exit(); });
  u.on('error', (e) => { console.log(e.code); process.exit(); });
  u.connect(Number(port), ip, () => u.send('x'));
  setTimeout(() => { console.log('TIMEOUT'); process.exit(); }, 3000);
`;
const ask = (namespace: string, program: string, ip: string, port: number): string =>
  inside(namespace, [process.execPath, '-e', program, ip, String(port)]).trim();

describe.skipIf(!able)('Services in nftables', () => {
  const servers: { kill(): boolean }[] = [];
  let applied: Ruleset = emptyRuleset();

  beforeAll(async () => {
    sh(`ip netns add ${NODE}; ip -n ${NODE} link set lo up
      ip -n ${NODE} link add br0 type bridge; ip -n ${NODE} addr add 10.244.0.1/24 dev br0; ip -n ${NODE} link set br0 up
      ip netns add ${CLIENT}; ip -n ${CLIENT} link set lo up
      ip link add eth0 netns ${NODE} type veth peer name eth0 netns ${CLIENT}
      ip -n ${NODE} addr add ${NODE_IP}/24 dev eth0; ip -n ${NODE} link set eth0 up; ip -n ${NODE} route add default via 198.51.100.2
      ip -n ${CLIENT} addr add 198.51.100.2/24 dev eth0; ip -n ${CLIENT} link set eth0 up`);
    inside(NODE, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    for (const [i, ip] of PODS.entries()) {
      const pod = `${ID}-p${i}`;
      sh(`ip netns add ${pod}; ip -n ${pod} link set lo up
        ip link add eth0 netns ${pod} type veth peer name v${i} netns ${NODE}
        ip -n ${NODE} link set v${i} master br0; ip -n ${NODE} link set v${i} type bridge_slave hairpin on; ip -n ${NODE} link set v${i} up
        ip -n ${pod} addr add ${ip}/24 dev eth0; ip -n ${pod} link set eth0 up; ip -n ${pod} route add default via 10.244.0.1`);
      const child = spawn('nsenter', [`--net=/run/netns/${pod}`, process.execPath, '-e', SERVER, ip]);
      servers.push(child);
      await new Promise((done) => child.stdout.once('data', done));
    }
    inside(NODE, ['nft', '-f', '-'], frame('10.244.0.0/24', '10.244.0.0/16'));
  });
  afterAll(() => {
    for (const server of servers) server.kill();
    for (const name of [NODE, CLIENT, `${ID}-p0`, `${ID}-p1`]) {
      try {
        sh(`ip netns del ${name}`);
      } catch {
        // It was never made.
      }
    }
  });

  const apply = (spec: Service['spec'], ready: string[], node = 'here'): void => {
    const service: Service = {
      metadata: { namespace: 'a', name: 'web' },
      spec: {
        clusterIP: '10.96.0.20',
        ports: [
          { name: 't', port: 80, protocol: 'TCP', nodePort: 30080 },
          { name: 'u', port: 53, protocol: 'UDP', nodePort: 30053 },
        ],
        ...spec,
      },
    };
    const slice: EndpointSlice = {
      metadata: { namespace: 'a', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [
        { name: 't', port: 8080, protocol: 'TCP' },
        { name: 'u', port: 8080, protocol: 'UDP' },
      ],
      endpoints: ready.map((ip) => ({ addresses: [ip], nodeName: node, conditions: { ready: true } })),
    };
    const wanted = rulesFor({
      nodeName: 'here',
      services: [service],
      slices: [slice],
      local: new Map(),
      podCidr: '10.244.0.0/24',
    });
    inside(NODE, ['nft', '-f', '-'], difference(applied, wanted));
    applied = wanted;
  };
  const [P0, NODE_SIDE] = [`${ID}-p0`, NODE];

  it('refuses at once where there is no endpoint', () => {
    apply({}, []);
    for (const from of [P0, NODE_SIDE]) {
      expect(ask(from, TCP, '10.96.0.20', 80)).toBe('ECONNREFUSED');
      expect(ask(from, UDP, '10.96.0.20', 53)).toBe('ECONNREFUSED');
    }
    expect(ask(CLIENT, TCP, NODE_IP, 30080)).toBe('ECONNREFUSED');
  });
  it('reaches every endpoint from a pod, itself included, and from the node', () => {
    apply({}, PODS);
    const seen = new Set(Array.from({ length: 24 }, () => ask(P0, TCP, '10.96.0.20', 80).split(' ')[0]));
    expect([...seen].sort()).toEqual(PODS);
    expect(PODS).toContain(ask(P0, UDP, '10.96.0.20', 53));
    expect(PODS).toContain(ask(NODE_SIDE, TCP, '10.96.0.20', 80).split(' ')[0]);
  });
  it('keeps the pod as the sender, but for itself', () => {
    apply({}, [PODS[1] as string]);
    expect(ask(P0, TCP, '10.96.0.20', 80)).toBe(`${PODS[1]} ${PODS[0]}`);
    apply({}, [PODS[0] as string]);
    expect(ask(P0, TCP, '10.96.0.20', 80)).toBe(`${PODS[0]} 10.244.0.1`);
  });
  it('serves NodePorts to the outside, over TCP and UDP', () => {
    apply({}, PODS);
    expect(ask(CLIENT, TCP, NODE_IP, 30080)).toMatch(/^10\.244\.0\.[56] 10\.244\.0\.1$/);
    expect(PODS).toContain(ask(CLIENT, UDP, NODE_IP, 30053));
    expect(ask(P0, TCP, NODE_IP, 30080)).toMatch(/^10\.244/);
  });
  it('shows the client with externalTrafficPolicy Local, and drops where the node has no endpoint', () => {
    apply({ externalTrafficPolicy: 'Local' }, PODS);
    expect(ask(CLIENT, TCP, NODE_IP, 30080)).toMatch(/ 198\.51\.100\.2$/);
    apply({ externalTrafficPolicy: 'Local' }, PODS, 'there');
    expect(ask(CLIENT, TCP, NODE_IP, 30080)).toBe('TIMEOUT');
    expect(ask(P0, TCP, NODE_IP, 30080)).toMatch(/^10\.244/);
  });
  it('sends a client to the same endpoint with session affinity, until the endpoint is gone', () => {
    apply({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }, PODS);
    const seen = new Set(Array.from({ length: 10 }, () => ask(NODE_SIDE, TCP, '10.96.0.20', 80).split(' ')[0]));
    expect(seen.size).toBe(1);
    const other = PODS.filter((ip) => !seen.has(ip));
    apply({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }, other);
    expect(ask(NODE_SIDE, TCP, '10.96.0.20', 80).split(' ')[0]).toBe(other[0]);
  });
  it('masquerades what leaves the cluster alone', () => {
    const code = `require('net').createServer((s) => { s.on('error', () => {}); s.end(s.remoteAddress); }).listen(9000, () => console.log('up'))`;
    const server = spawn('nsenter', [`--net=/run/netns/${CLIENT}`, process.execPath, '-e', code]);
    servers.push(server);
    return new Promise<void>((done) => {
      server.stdout.once('data', () => {
        expect(ask(P0, TCP, '198.51.100.2', 9000)).toMatch(new RegExp(`${NODE_IP}$`));
        done();
      });
    });
  });
  it('leaves nothing behind when a Service goes', () => {
    inside(NODE, ['nft', '-f', '-'], difference(applied, emptyRuleset()));
    const fresh = frame('10.244.0.0/24', '10.244.0.0/16');
    const listed = inside(NODE, ['nft', '-s', 'list', 'table', 'ip', 'zeroplane']);
    inside(NODE, ['nft', '-f', '-'], fresh);
    expect(listed).toBe(inside(NODE, ['nft', '-s', 'list', 'table', 'ip', 'zeroplane']));
  });
});
