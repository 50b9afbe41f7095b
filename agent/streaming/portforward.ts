/** Port-forward: kubectl speaks SPDY inside WebSocket frames; each pair of streams is one connection to a port of the pod. */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { CriClient } from '../runtime/cri.ts';
import { bytes, send, type StreamHandler } from './request.ts';
import { connectSpdy } from './spdy/client.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';

const RUNTIME_PROTOCOL = 'portforward.k8s.io';

export interface PortForwardDeps {
  cri: Pick<CriClient, 'portForward'>;
  findSandbox(namespace: string, pod: string, uid?: string): string;
}

/** Serves port-forwards until the client goes away. */
export function portForwardHandler({ cri, findSandbox }: PortForwardDeps): StreamHandler {
  return async (request, socket) => {
    const sandbox = findSandbox(request.namespace, request.name, request.uid);
    const errors = new Map<string, SpdyStream>();
    const client = new SpdyConnection(overWebSocket(socket), {
      side: 'server',
      onStream: (stream) => {
        const id = stream.headers['requestid'] ?? '';
        if (stream.headers['streamtype'] === 'error') errors.set(id, stream);
        else void forward(cri, sandbox, stream, errors.get(id)).finally(() => errors.delete(id));
      },
    });
    await client.closed;
  };
}

/** One connection: to the runtime, and from there into the pod. */
async function forward(
  cri: PortForwardDeps['cri'],
  sandbox: string,
  data: SpdyStream,
  error: SpdyStream | undefined,
): Promise<void> {
  const port = Number(data.headers['port']);
  try {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`invalid port ${data.headers['port']}`);
    const runtime = await connectSpdy(await cri.portForward(sandbox, [port]), RUNTIME_PROTOCOL);
    const headers = { port: String(port), requestid: data.headers['requestid'] ?? '0' };
    const remoteError = await runtime.open({ streamtype: 'error', ...headers });
    const remote = await runtime.open({ streamtype: 'data', ...headers });
    remoteError.end();
    data.pipe(remote);
    remote.pipe(data);
    let said = '';
    for await (const chunk of remoteError) said += (chunk as Buffer).toString();
    if (said !== '') throw new Error(said);
    await new Promise<void>((resolve) => remote.once('close', resolve).once('end', resolve));
    error?.end();
    runtime.close();
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    error?.end(`error forwarding port ${port} to pod: ${message}`);
    data.reset();
  }
}

/** A WebSocket's binary frames as a byte stream. */
export function overWebSocket(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read() {
      socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      send(socket, chunk).then(() => done(), done);
    },
    final(done) {
      socket.close(1000);
      done();
    },
    destroy(error, done) {
      socket.close(1000);
      done(error);
    },
  });
  socket.on('message', (data) => {
    if (!stream.push(bytes(data))) socket.pause();
  });
  socket.on('close', () => {
    stream.push(null);
    stream.destroy();
  });
  socket.resume();
  return stream;
}
