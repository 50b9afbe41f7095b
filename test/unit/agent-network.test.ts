import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Listening, startApiProxy } from '../../agent/network/api-proxy.ts';
import { cniConfig } from '../../agent/network/cni.ts';
import { bridgeName } from '../../agent/network/names.ts';
import type { AgentContext } from '../../agent/types.ts';
import { GivenCredentials } from '../support/credentials.ts';

const able = process.getuid?.() === 0 && existsSync('/usr/sbin/ip');
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe('CNI', () => {
  it('names a bridge for each data folder, short enough for the kernel', () => {
    expect(bridgeName('/a')).not.toBe(bridgeName('/b'));
    expect(bridgeName('/a').length).toBeLessThanOrEqual(15);
  });
  it('leaves masquerading to us, and lets a pod reach itself', () => {
    const bridge = { type: 'bridge', ipMasq: false, hairpinMode: true, isGateway: true };
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.244.3.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
    expect(cniConfig('/a', '10.244.3.0/24')).toMatchObject({ plugins: [{ ...bridge, ipam }, { type: 'portmap' }] });
    expect(cniConfig('/a', '10.244.3.0/24', 1400)).toMatchObject({ plugins: [{ mtu: 1400 }, {}] });
  });
});

describe('the API inside pods', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zp-network-'));
  const file = (name: string): string => join(folder, name);
  const seen: http.IncomingHttpHeaders[] = [];
  let plane: http.Server;
  let proxy: Listening;
  let finish: (() => void) | undefined;

  beforeAll(async () => {
    const subject = ['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:kubernetes.default.svc'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', file('key')];
    execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...key, '-out', file('cert'), ...subject], {
      stdio: 'pipe',
    });
    plane = http.createServer((request, response) => {
      seen.push(request.headers);
      if (request.url?.includes('watch')) {
        response.flushHeaders();
        finish = () => response.end('an event\n');
        return;
      }
      if (request.url?.includes('cut')) {
        response.write('half');
        setTimeout(() => response.socket?.destroy(), 20);
        return;
      }
      request.pipe(response.writeHead(201, { 'x-path': request.url ?? '' }));
    });
    plane.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      socket.pipe(socket);
    });
    await new Promise<void>((done) => plane.listen(0, '127.0.0.1', done));
    const server = `http://127.0.0.1:${(plane.address() as AddressInfo).port}/clusters/other`;
    const apiProxy = { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
    const context = {
      credentials: new GivenCredentials({ apiProxy }),
      client: { server, ca: '' },
      nodeIp: '127.0.0.1',
      log: quiet,
    };
    proxy = (await startApiProxy(context as unknown as AgentContext)) as Listening;
  });
  afterAll(async () => {
    await proxy.stop();
    plane.closeAllConnections();
    plane.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const request = (path: string, options: https.RequestOptions = {}, body = ''): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const ca = readFileSync(file('cert'));
      const address = { host: '127.0.0.1', port: proxy.port, path, ca, agent: false as const };
      const sent = https.request({ ...address, ...options }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  const textOf = async (response: http.IncomingMessage): Promise<string> => {
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return text;
  };

  it('forwards requests with the client’s own token, below the cluster’s path', async () => {
    const headers = { authorization: 'Bearer of-the-pod' };
    const answer = await request('/api/v1/pods?x=1', { method: 'POST', headers }, 'a body');
    expect([answer.statusCode, answer.headers['x-path']]).toEqual([201, '/clusters/other/api/v1/pods?x=1']);
    expect(await textOf(answer)).toBe('a body');
    expect(seen.at(-1)).toMatchObject({
      authorization: 'Bearer of-the-pod',
      host: expect.stringContaining('127.0.0.1'),
    });
  });
  it('answers a watch before anything happens', async () => {
    const answer = await request('/watch');
    expect(answer.statusCode).toBe(200);
    finish?.();
    expect(await textOf(answer)).toBe('an event\n');
  });
  it('ends a response that was cut off', async () => {
    await expect(textOf(await request('/cut'))).rejects.toThrow();
  });
  it('passes upgrades on', async () => {
    const text = await new Promise<string>((done, fail) => {
      const sent = https.request({
        host: '127.0.0.1',
        port: proxy.port,
        path: '/exec',
        ca: readFileSync(file('cert')),
        headers: { connection: 'Upgrade', upgrade: 'websocket' },
      });
      sent.on('upgrade', (_response, socket, head) => {
        let all = head.toString();
        socket.on('data', (chunk: Buffer) => {
          all += chunk.toString();
          if (all.endsWith('ping')) {
            socket.destroy();
            done(all);
          }
        });
        socket.write('ping');
      });
      sent.on('error', fail);
      sent.end();
    });
    expect(text).toBe('helloping');
  });
  it('says that the control plane is away', async () => {
    const context = {
      credentials: new GivenCredentials({
        apiProxy: { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') },
      }),
      client: { server: 'http://127.0.0.1:1', ca: '' },
      nodeIp: '127.0.0.1',
      log: quiet,
    };
    const other = (await startApiProxy(context as unknown as AgentContext)) as Listening;
    const answer = await request('/api', { port: other.port });
    expect(JSON.parse(await textOf(answer))).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable', code: 503 });
    await other.stop();
  });
});

describe.skipIf(!able)('routes between nodes', () => {
  const ID = `zpr${process.pid % 10_000}`;
  const [A, B] = [`${ID}-a`, `${ID}-b`];
  const sh = (command: string): string => execFileSync('sh', ['-ec', command], { encoding: 'utf8', stdio: 'pipe' });
  beforeAll(() => {
    sh(`ip netns add ${A}; ip netns add ${B}
      ip link add eth0 netns ${A} type veth peer name eth0 netns ${B}
      ip -n ${A} addr add 198.51.100.1/24 dev eth0; ip -n ${A} link set eth0 up
      ip -n ${B} addr add 198.51.100.2/24 dev eth0; ip -n ${B} link set eth0 up
      ip -n ${B} link add br0 type bridge; ip -n ${B} addr add 10.244.2.1/24 dev br0; ip -n ${B} link set br0 up
      ip -n ${A} route add 10.244.9.0/24 via 198.51.100.2 proto 190`);
  });
  afterAll(() => {
    sh(`ip netns del ${A}; ip netns del ${B}`);
  });

  it('are not taken by bridges of other agents: empty ones go, others have no addresses until their agent is back', () => {
    const bridge = (name: string, address: string): string =>
      `ip -n ${B} link add ${name} type bridge; ip -n ${B} addr add ${address}/24 dev ${name}; ip -n ${B} link set ${name} up;`;
    sh(`${bridge('zp-00000001', '10.244.7.1')} ${bridge('zp-00000002', '10.244.7.1')} ${bridge('zp-00000003', '10.244.8.1')}
      ${bridge('zp-00000004', '10.244.7.1')} ${bridge('mine', '10.244.6.1')}
      ip -n ${B} link add v0 type veth peer name v1; ip -n ${B} link set v0 master zp-00000004 up
      ip -n ${B} link add v2 type veth peer name v3; ip -n ${B} link set v2 master zp-00000001 up`);
    const script = `
      const { removeIfEmpty, takeOverBridges } = await import(${JSON.stringify(join(import.meta.dirname, '../../agent/network/bridges.ts'))});
      const { execFileSync } = await import('node:child_process');
      const seen = [];
      const look = (answer) => seen.push(answer, execFileSync('ip', ['-br', '-4', 'addr', 'show', 'to', '10.244.6.0/23'], { encoding: 'utf8' }).trim().split('\\n').map((line) => line.split(/\\s+/)).map(([name, , address]) => name + ' ' + address).sort());
      look(await takeOverBridges('zp-00000001', '10.244.7.1/24'));
      look(await takeOverBridges('zp-00000004', '10.244.7.1/24'));
      look([await removeIfEmpty('zp-00000004'), await removeIfEmpty('mine'), await removeIfEmpty('zp-none')]);
      console.log(JSON.stringify(seen));
    `;
    const args = [`--net=/run/netns/${B}`, process.execPath, '--input-type=module', '-e', script];
    expect(JSON.parse(execFileSync('nsenter', args, { encoding: 'utf8' }))).toEqual([
      { removed: ['zp-00000002', 'zp-00000003'], silenced: ['zp-00000004'] },
      ['mine 10.244.6.1/24', 'zp-00000001 10.244.7.1/24'],
      { removed: [], silenced: ['zp-00000001'] },
      ['mine 10.244.6.1/24', 'zp-00000004 10.244.7.1/24'],
      [false, true, false],
      ['zp-00000004 10.244.7.1/24'],
    ]);
  });
  it('come and go with the nodes, and those of an earlier life go', () => {
    // Within the node's network namespace: a few changes one after the other, and the routes after each.
    const script = `
      const { startRoutes } = await import(${JSON.stringify(join(import.meta.dirname, '../../agent/network/routes.ts'))});
      const { execFileSync } = await import('node:child_process');
      const { connect } = await import('node:net');
      const wait = () => new Promise((done) => setTimeout(done, 250));
      const list = () => execFileSync('ip', ['route', 'show', 'proto', '190'], { encoding: 'utf8' }).trim().replace(/\\s+/g, ' ');
      let tell;
      const informer = { synced: Promise.resolve(), subscribe: (to) => { tell = to; return () => {}; } };
      const warnings = [];
      const log = { warn: (message) => warnings.push(message) };
      const running = startRoutes({ informers: { get: () => informer }, nodeName: 'a', cluster: { clusterCidr: '10.244.0.0/16' }, log });
      const node = (name, podCIDR, address) => ({ metadata: { name }, spec: { podCIDR }, status: { addresses: [{ type: 'InternalIP', address }] } });
      const said = [];
      /** What there is a moment after a change, or as soon as it is what it should be. */
      const step = async (type, object, wanted) => {
        tell({ type, object });
        await wait();
        for (const end = Date.now() + 20_000; list() !== wanted && Date.now() < end; ) await wait();
        said.push(list());
      };
      const route = (cidr) => cidr + ' via 198.51.100.2 dev eth0';
      const [two, three] = [route('10.244.2.0/24'), route('10.244.3.0/24')];
      await step('ADDED', node('b', '10.244.2.0/24', '198.51.100.2'), two);
      // Nothing listens there: it is the node behind the route that says so.
      said.push(await new Promise((done) => connect(9, '10.244.2.1').on('error', ({ code }) => done(code))));
      await step('ADDED', node('a', '10.244.1.0/24', '198.51.100.1'), two);
      await step('ADDED', node('far', '10.244.4.0/24', '203.0.113.9'), two);
      await step('MODIFIED', node('far', '10.244.4.0/24', '203.0.113.9'), two);
      await step('MODIFIED', node('b', '10.244.3.0/24', '198.51.100.2'), three);
      await step('DELETED', node('b', '10.244.3.0/24', '198.51.100.2'), '');
      await step('ADDED', node('b', '10.244.2.0/24', '198.51.100.2'), two);
      await running.stop();
      said.push(list());
      console.log(JSON.stringify({ said, warnings }));
    `;
    const args = [`--net=/run/netns/${A}`, process.execPath, '--input-type=module', '-e', script];
    const { said, warnings } = JSON.parse(execFileSync('nsenter', args, { encoding: 'utf8', stdio: 'pipe' })) as Record<
      string,
      string[]
    >;
    const route = (cidr: string): string => `${cidr} via 198.51.100.2 dev eth0`;
    const two = route('10.244.2.0/24');
    expect(said).toEqual([two, 'ECONNREFUSED', two, two, two, route('10.244.3.0/24'), '', two, '']);
    expect(warnings).toEqual(['no route to a node']);
  });
});
