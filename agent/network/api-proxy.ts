/** The API inside the cluster: TLS with a certificate of the cluster's CA on the node, forwarded to the control plane. */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import tls from 'node:tls';
import { failure } from '../../src/apimachinery/errors.ts';
import type { AgentContext, Running } from '../types.ts';

/** Where a local server listens. */
export interface Listening extends Running {
  ip: string;
  port: number;
}

/** Serves `https://kubernetes.default.svc` for this node's pods. The client's own token goes with its request. */
export async function startApiProxy(context: AgentContext): Promise<Listening | undefined> {
  const { credentials, client, nodeIp, log } = context;
  const { apiProxy } = credentials.credential();
  if (apiProxy === undefined) {
    log.warn('the cluster gave no certificate for its API: pods cannot reach it by name');
    return undefined;
  }
  const target = new URL(client.server);
  const secure = target.protocol === 'https:';
  const ca = client.ca === undefined || client.ca === '' ? {} : { ca: client.ca };
  const agent = secure ? new https.Agent({ keepAlive: true, ...ca }) : new http.Agent({ keepAlive: true });
  const server = https.createServer(apiProxy);
  // Connections that are open go on with the certificate that they began with.
  const unsubscribe = credentials.subscribe((renewed) => {
    if (renewed.apiProxy !== undefined) server.setSecureContext(renewed.apiProxy);
  });
  // Go's clients keep connections for 90 s: the side that closes first must be theirs.
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  const base = target.pathname.replace(/\/$/, '');

  server.on('request', (request, response) => {
    const options = {
      host: target.hostname,
      port: target.port || (secure ? 443 : 80),
      method: request.method,
      path: base + (request.url ?? '/'),
      headers: { ...request.headers, host: target.host },
      agent,
    };
    const send = (mayRetry: boolean): void => {
      const outgoing = (secure ? https : http).request(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        // A watch's client waits for the headers, however long nothing happens.
        response.flushHeaders();
        pipeline(answer, response, () => {});
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The server may close an idle connection in the moment in which it is used again.
        if (mayRetry && outgoing.reusedSocket && error.code === 'ECONNRESET' && !response.headersSent)
          return send(false);
        refuse(response);
      });
      response.on('close', () => outgoing.destroy());
      request.pipe(outgoing);
    };
    send(request.method === 'GET' || request.method === 'HEAD');
  });
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => upgrade(request, socket, head, target, base, ca));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, nodeIp, () => resolve());
  });
  return {
    ip: nodeIp,
    port: (server.address() as net.AddressInfo).port,
    stop() {
      unsubscribe();
      agent.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Tells a client that the control plane is away, as an API server would. */
function refuse(response: http.ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = failure(503, 'ServiceUnavailable', 'the control plane cannot be reached', { retryAfterSeconds: 1 });
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify(status));
}

/** A connection that becomes something else is passed on byte by byte. */
function upgrade(
  request: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: URL,
  base: string,
  ca: { ca?: string },
): void {
  const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80));
  const options = {
    host: target.hostname,
    port,
    ...(net.isIP(target.hostname) ? {} : { servername: target.hostname }),
  };
  const upstream = target.protocol === 'https:' ? tls.connect({ ...options, ...ca }) : net.connect(options);
  const lines = [`${request.method} ${base}${request.url} HTTP/1.1`, `Host: ${target.host}`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() !== 'host')
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
  }
  upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
  upstream.write(head);
  upstream.pipe(socket).pipe(upstream);
  upstream.on('error', () => socket.destroy());
  socket.on('error', () => upstream.destroy());
  socket.on('close', () => upstream.destroy());
}
