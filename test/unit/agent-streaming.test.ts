import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { execHandler } from '../../agent/streaming/exec.ts';
import { logHandler } from '../../agent/streaming/logs.ts';
import { overWebSocket, portForwardHandler } from '../../agent/streaming/portforward.ts';
import { proxyHandler } from '../../agent/streaming/proxy.ts';
import type { StreamHandler, StreamKind, StreamRequest } from '../../agent/streaming/request.ts';
import { serviceHandler } from '../../agent/streaming/service.ts';
import { SpdyConnection } from '../../agent/streaming/spdy/connection.ts';
import type { SpdyStream } from '../../agent/streaming/spdy/stream.ts';
import { startTunnel } from '../../agent/tunnel/session.ts';
import type { Log, Running } from '../../agent/types.ts';
import { badRequest } from '../../src/apimachinery/errors.ts';

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
const MIB = 1 << 20;

/** Stands for the runtime's streaming server: hands each connection's streams to `serve`, by their type. */
async function fakeRuntime(
  serve: (streams: Record<string, SpdyStream>, path: string) => void,
  needs: number,
): Promise<http.Server> {
  const server = http.createServer();
  server.on('upgrade', (request, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    const streams: Record<string, SpdyStream> = {};
    new SpdyConnection(socket, {
      side: 'server',
      onStream: (stream) => {
        streams[stream.headers['streamtype'] ?? ''] = stream;
        if (Object.keys(streams).length === needs) serve(streams, request.url ?? '');
      },
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
const urlOf = (server: http.Server, path: string): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

/** The control plane's side: a session, and the sockets that are dialled back. */
class FakeControlPlane {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  readonly waiting = new Map<string, (socket: WebSocket) => void>();
  readonly authorizations = new Set<string>();
  sessions: WebSocket[] = [];
  onSession: () => void = () => {};

  constructor() {
    this.server.on('connection', (socket, request) => {
      this.authorizations.add(request.headers.authorization ?? '');
      const path = request.url ?? '';
      if (path.endsWith('/session')) {
        this.sessions.push(socket);
        socket.on('message', (text) => String(text) === 'ping' && socket.send('pong'));
        this.onSession();
        return;
      }
      this.waiting.get(path.split('/').at(-1) ?? '')?.(socket);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async open(kind: StreamKind, more: Partial<StreamRequest> = {}): Promise<Talk> {
    const id = crypto.randomUUID();
    const dialled = new Promise<WebSocket>((done) => this.waiting.set(id, done));
    const request = { id, kind, namespace: 'a', name: 'p', uid: 'u', container: 'c', query: '', protocol: '', ...more };
    this.sessions.at(-1)?.send(JSON.stringify({ open: request }));
    return new Talk(await dialled);
  }
}

/** What was said on one dialled socket. */
class Talk {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly binaries: Buffer[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, binary) =>
      binary ? this.binaries.push(data as Buffer) : this.texts.push(String(data)),
    );
    this.closed = new Promise((done) => socket.on('close', (code, reason) => done({ code, reason: String(reason) })));
  }
  channel(number: number): string {
    return Buffer.concat(this.binaries.filter((b) => b[0] === number).map((b) => b.subarray(1))).toString();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.binaries);
  }
}

describe('streams', () => {
  const plane = new FakeControlPlane();
  let runtime: http.Server;
  let forwards: http.Server;
  let web: http.Server;
  let tunnel: Running;

  beforeAll(async () => {
    // `cat`: echoes stdin, then tells how much there was; `fail`: exit code 3; `flood`: 32 MiB.
    runtime = await fakeRuntime((streams, path) => {
      const { stdin, stdout, error } = streams as { stdin: SpdyStream; stdout: SpdyStream; error: SpdyStream };
      const end = (status: string): void => {
        stdout.end();
        error.end(status);
      };
      if (path === '/fail') {
        const causes = [{ reason: 'ExitCode', message: '3' }];
        end(JSON.stringify({ metadata: {}, status: 'Failure', reason: 'NonZeroExitCode', details: { causes } }));
      } else if (path === '/flood') {
        stdout.write(Buffer.alloc(32 * MIB), () => end(''));
      } else {
        let size = 0;
        stdin.on('data', (chunk: Buffer) => {
          size += chunk.length;
        });
        stdin.on('end', () => stdout.write(`got ${size}`, () => end('')));
      }
    }, 3);
    // A pod that answers in capitals on any port but 1.
    forwards = await fakeRuntime(({ data, error }) => {
      if (data?.headers['port'] === '1') {
        error?.end('connection refused');
        data.end();
        return;
      }
      data?.on('data', (chunk: Buffer) => data.write(chunk.toString().toUpperCase()));
      data?.on('end', () => {
        data.end();
        error?.end();
      });
    }, 2);
    web = http.createServer((request, response) => {
      if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.socket?.destroy());
        return;
      }
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => {
        response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-got': String(size) });
        response.end(`${request.method} ${request.url}`);
      });
    });
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));

    const findContainer = (_namespace: string, pod: string): string => {
      if (pod === 'gone') throw badRequest('container not found ("c")');
      return 'id';
    };
    const cri = {
      exec: ({ cmd }: { cmd: string[] }) => Promise.resolve(urlOf(runtime, `/${cmd[0]}`)),
      attach: () => Promise.resolve(urlOf(runtime, '/cat')),
      portForward: () => Promise.resolve(urlOf(forwards, '/forward')),
    };
    async function* logs({ container, tailLines }: { container: string; tailLines?: number }): AsyncGenerator<Buffer> {
      if (container === 'none') throw badRequest('container "none" is waiting to start');
      yield Buffer.from(`${tailLines} `);
      for (let i = 0; i < 16; i++) yield Buffer.alloc(MIB, 'x');
    }
    const exec = execHandler({ cri, findContainer } as unknown as Parameters<typeof execHandler>[0]);
    const pod = { metadata: { namespace: 'a', name: 'p' }, status: { podIP: '127.0.0.1' } };
    const handlers: Record<StreamKind, StreamHandler> = {
      exec,
      attach: exec,
      portforward: portForwardHandler({ cri, findSandbox: () => 'sandbox' }),
      log: logHandler(logs),
      proxy: proxyHandler(
        () => [pod],
        () => ({ node: { nodeName: 'node' }, pods: [] }),
      ),
      service: serviceHandler,
    };
    const opened = new Promise<void>((done) => {
      plane.onSession = done;
    });
    tunnel = startTunnel({
      server: plane.url,
      ca: undefined,
      nodeName: 'n',
      token: () => 'secret',
      log: quiet,
      handlers,
    });
    await opened;
  });
  afterAll(async () => {
    await tunnel.stop();
    for (const client of plane.server.clients) client.terminate();
    for (const server of [runtime, forwards, web]) server.close();
    plane.server.close();
  });

  const query = 'stdin=true&stdout=true&command=';
  it('exec carries stdin, its half-close, stdout and success', async () => {
    const talk = await plane.open('exec', { query: `${query}cat` });
    for (let i = 0; i < 8; i++) talk.socket.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(MIB)]));
    talk.socket.send(Buffer.from([255, 0]));
    expect(await talk.closed).toEqual({ code: 1000, reason: '' });
    expect(talk.channel(1)).toBe(`got ${8 * MIB}`);
    expect(JSON.parse(talk.channel(3))).toMatchObject({ status: 'Success' });
  });
  it('exec says the exit code', async () => {
    const talk = await plane.open('exec', { query: `${query}fail` });
    await talk.closed;
    const status = JSON.parse(talk.channel(3));
    expect(status).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });
  it('exec carries much, whole', async () => {
    const talk = await plane.open('exec', { query: `${query}flood` });
    await talk.closed;
    expect(talk.channel(1)).toHaveLength(32 * MIB);
  });
  it('exec says why there is no container', async () => {
    const talk = await plane.open('exec', { query: `${query}cat`, name: 'gone' });
    expect((await talk.closed).code).toBe(1000);
    expect(JSON.parse(talk.channel(3))).toMatchObject({ status: 'Failure', message: 'container not found ("c")' });
  });
  it('a client that goes away in the middle harms nobody', async () => {
    const talk = await plane.open('exec', { query: `${query}flood` });
    talk.socket.terminate();
    const next = await plane.open('exec', { query: `${query}fail` });
    await next.closed;
    expect(next.channel(3)).toContain('NonZeroExitCode');
  });

  it('port-forward carries SPDY in frames, one connection for each pair of streams', async () => {
    const talk = await plane.open('portforward', { protocol: 'SPDY/3.1+portforward.k8s.io' });
    talk.socket.removeAllListeners('message');
    const client = new SpdyConnection(overWebSocket(talk.socket), { side: 'client' });
    const one = async (requestid: string, port: string, text: string): Promise<{ data: string; error: string }> => {
      const error = await client.open({ streamtype: 'error', port, requestid });
      const data = await client.open({ streamtype: 'data', port, requestid });
      error.end();
      data.end(text);
      const read = async (stream: SpdyStream): Promise<string> => {
        let all = '';
        for await (const chunk of stream) all += String(chunk);
        return all;
      };
      return { data: await read(data).catch(() => ''), error: await read(error) };
    };
    expect(await Promise.all([one('0', '80', 'hello'), one('1', '81', 'world')])).toEqual([
      { data: 'HELLO', error: '' },
      { data: 'WORLD', error: '' },
    ]);
    expect((await one('2', '1', 'x')).error).toBe('error forwarding port 1 to pod: connection refused');
    expect((await one('3', '70000', 'x')).error).toContain('invalid port 70000');
    client.close();
    await talk.closed;
  });
  it('port-forward speaks channels too', async () => {
    const talk = await plane.open('portforward', { protocol: 'v4.channel.k8s.io', query: 'ports=80&ports=1' });
    talk.socket.send(Buffer.from('\0hello'));
    await expect.poll(() => talk.channel(0)).toBe('P\0HELLO');
    await expect.poll(() => talk.channel(3)).toBe('\u0001\0error forwarding port 1 to pod: connection refused');
    talk.socket.close();
  });

  it('logs wait for a reader that is behind', async () => {
    const talk = await plane.open('log', { query: 'tailLines=5' });
    await expect.poll(() => talk.bytes.length).toBeGreaterThan(4 * MIB);
    await new Promise((done) => setTimeout(done, 100));
    expect(talk.bytes.length).toBeLessThan(7 * MIB);
    talk.socket.send(JSON.stringify({ ack: 20 * MIB }));
    expect((await talk.closed).code).toBe(1000);
    expect(talk.texts).toEqual(['{}']);
    expect(talk.bytes.subarray(0, 3).toString()).toBe('5 x');
    expect(talk.bytes).toHaveLength(16 * MIB + 2);
  });
  it('logs say why there are none', async () => {
    const talk = await plane.open('log', { container: 'none' });
    await talk.closed;
    expect(JSON.parse(talk.texts[0] ?? '')).toMatchObject({
      status: { code: 400, message: 'container "none" is waiting to start' },
    });
  });

  const http1 = (method: string, path: string): Partial<StreamRequest> => ({
    http: { scheme: 'http', method, path, port: (web.address() as AddressInfo).port, headers: { 'x-a': 'b' } },
  });
  it('proxy carries a request and its response', async () => {
    const talk = await plane.open('proxy', http1('POST', '/x?y=1'));
    for (let i = 0; i < 6; i++) talk.socket.send(Buffer.alloc(MIB));
    talk.socket.send('');
    await talk.closed;
    const heads = talk.texts.map(
      (text) => JSON.parse(text) as { ack?: number; head?: { status: number; headers: object } },
    );
    expect(heads.reduce((sum, { ack = 0 }) => sum + ack, 0)).toBe(6 * MIB);
    expect(heads.find(({ head }) => head)?.head).toMatchObject({
      status: 201,
      headers: { 'set-cookie': ['a=1', 'b=2'], 'x-got': String(6 * MIB) },
    });
    expect(talk.bytes.toString()).toBe('POST /x?y=1');
  });
  it('proxy tells a body that was cut off from a whole one', async () => {
    const talk = await plane.open('proxy', http1('GET', '/cut'));
    talk.socket.send('');
    expect((await talk.closed).code).toBe(1011);
  });
  it('proxy says why nobody answers', async () => {
    const talk = await plane.open('proxy', {
      http: { scheme: 'http', method: 'GET', path: '/', port: 1, headers: {} },
    });
    talk.socket.send('');
    await talk.closed;
    expect(talk.texts[0]).toContain('error trying to reach service: connect ECONNREFUSED');
  });
  it('proxy asks the node itself', async () => {
    const talk = await plane.open('proxy', { name: '', ...http1('GET', '/healthz') });
    await talk.closed;
    expect(talk.bytes.toString()).toBe('ok');
  });

  it('the session survives nonsense, and comes back', async () => {
    for (const text of ['nonsense', '{}', '{"open":{"id":"x","kind":"__proto__"}}', '[]', 'null'])
      plane.sessions.at(-1)?.send(text);
    const again = new Promise<void>((done) => {
      plane.onSession = done;
    });
    plane.sessions.at(-1)?.terminate();
    await again;
    const talk = await plane.open('exec', { query: `${query}fail` });
    await talk.closed;
    expect(plane.authorizations).toEqual(new Set(['Bearer secret']));
  });
});

describe('SPDY', () => {
  it.each([
    ['a data frame that is too large', Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])],
    [
      'headers that are no headers',
      Buffer.concat([Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1]), Buffer.alloc(16, 7)]),
    ],
    ['a control frame that is too short', Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 1, 0])],
  ])('ends the connection on %s', async (_what, bytes) => {
    const accepted = Promise.withResolvers<SpdyConnection>();
    const server = net.createServer((socket) => accepted.resolve(new SpdyConnection(socket, { side: 'server' })));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1', () => client.write(bytes));
    client.on('error', () => {});
    await (await accepted.promise).closed;
    client.destroy();
    server.close();
  });
});
