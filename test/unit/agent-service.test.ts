import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { StreamRequest } from '../../agent/streaming/request.ts';
import { serviceHandler } from '../../agent/streaming/service.ts';
import {
  type Authority,
  createAuthority,
  issueApiProxy,
  issueFrontProxy,
} from '../../src/api/certificates/authority.ts';
import type { ServiceCall } from '../../src/apimachinery/service-call.ts';
import { selfSigned } from '../support/certificates.ts';

interface Said {
  texts: { head?: { status: number; headers: Record<string, string> }; status?: { code: number; message: string } }[];
  body: string;
  code: number;
}

describe('a call of a Service by its node', () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let authority: Authority;
  let serving: { cert: string; key: string };
  let server: https.Server;

  beforeAll(async () => {
    authority = await createAuthority();
    serving = await issueApiProxy(authority);
    const tls = { ...serving, ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
    server = https.createServer(tls, (request, response) => {
      const { authorized } = request.socket as TLSSocket;
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => {
        const user = Buffer.from(String(request.headers['x-remote-user'] ?? ''), 'latin1').toString();
        const groups = request.rawHeaders.filter((_, i) => request.rawHeaders[i - 1] === 'X-Remote-Group');
        const got = { url: request.url, method: request.method, size, user, groups, authorized };
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify(got));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    sockets.on('connection', (socket) => {
      socket.pause();
      void serviceHandler({} as StreamRequest, socket).catch(() => socket.close(1011));
    });
  });
  afterAll(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
  });

  async function call(more: Partial<ServiceCall>, body: Buffer[] = []): Promise<Said> {
    const socket = new WebSocket(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
    await once(socket, 'open');
    const texts: Said['texts'] = [];
    const bytes: Buffer[] = [];
    socket.on('message', (data, binary) =>
      binary ? bytes.push(data as Buffer) : texts.push(JSON.parse(String(data)) as Said['texts'][number]),
    );
    const { port } = server.address() as AddressInfo;
    const whole: ServiceCall = {
      host: '127.0.0.1',
      port,
      serverName: 'kubernetes.default.svc',
      method: 'GET',
      path: '/apis?x=1',
      headers: {},
      ca: authority.certificate,
      ...more,
    };
    // All at once, as when the agent dials back late.
    socket.send(JSON.stringify({ call: whole }));
    for (const chunk of body) socket.send(chunk);
    socket.send('');
    const [code] = (await once(socket, 'close')) as [number];
    return { texts, body: Buffer.concat(bytes).toString(), code };
  }

  it('carries the request, its body and its answer', async () => {
    const headers = { 'X-Remote-User': 'jürgen', 'X-Remote-Group': ['a', 'b,c'] };
    const said = await call({ method: 'POST', headers }, [Buffer.alloc(70_000), Buffer.alloc(5)]);
    expect(said.texts.find(({ head }) => head)?.head).toMatchObject({ status: 201 });
    expect(JSON.parse(said.body)).toEqual({
      url: '/apis?x=1',
      method: 'POST',
      size: 70_005,
      user: 'jürgen',
      groups: ['a', 'b,c'],
      authorized: false,
    });
    expect(said.code).toBe(1000);
  });
  it('believes an address that the certificate names, and says the host that it is told', async () => {
    const { cert, key } = await selfSigned('127.0.0.1');
    const other = https.createServer({ cert, key }, (request, response) => response.end(request.headers.host));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const said = await call({ port, serverName: '127.0.0.1', ca: cert, headers: { host: 'as.told' } });
    expect(said).toMatchObject({ texts: [{ head: { status: 200 } }], body: 'as.told' });
    other.close();
  });
  it('shows the certificate of the caller', async () => {
    const certificate = await issueFrontProxy(authority);
    expect(JSON.parse((await call({ certificate })).body)).toMatchObject({ authorized: true });
  });
  it.each<[string, Partial<ServiceCall>, RegExp]>([
    ['no authority', { ca: '' }, /certificate signed by unknown authority$/],
    ['another name', { serverName: 'other.default.svc' }, /^tls: failed to verify certificate: x509: .*other.default/],
    ['another address', { serverName: '127.0.0.1' }, /^tls: failed to verify certificate: x509: .*127\.0\.0\.1/],
    ['nobody', { port: 1 }, /^dial tcp 127\.0\.0\.1:1: connect: connection refused$/],
    [
      'nobody at any address of a name',
      { host: 'localhost', port: 1 },
      /^dial tcp \S+:1: connect: connection refused$/,
    ],
    ['a name that nobody has', { host: 'nobody.invalid' }, /^dial tcp: lookup nobody\.invalid/],
    ['a header that is none', { headers: { 'x-a': 'b\r\nc: d' } }, /Invalid character/],
  ])('says why when it meets %s', async (_what, more, message) => {
    const { texts } = await call(more);
    expect(texts[0]?.status?.code).toBe(503);
    expect(texts[0]?.status?.message).toMatch(message);
  });
  it('believes anybody when told so', async () => {
    const said = await call({ insecure: true, serverName: 'other.default.svc' });
    expect(said.texts[0]?.head?.status).toBe(201);
  });
});
