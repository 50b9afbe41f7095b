/** Port-forward: kubectl speaks SPDY inside WebSocket frames; each pair of streams is one connection to a port of the pod. */
import { Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { WebSocket } from 'ws';
import type { CriClient } from '../runtime/cri.ts';
import { complaint, forwardChannels, type PodConnection, portOf } from './portforward-channels.ts';
import { bytes, type StreamHandler, send } from './request.ts';
import { connectSpdy } from './spdy/client.ts';
import { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';

const RUNTIME_PROTOCOL = 'portforward.k8s.io';
const CHANNELS = 'v4.channel.k8s.io';

export interface PortForwardDeps {
  cri: Pick<CriClient, 'portForward'>;
  findSandbox(namespace: string, pod: string, uid?: string): string;
}

/** Serves port-forwards until the client goes away. */
export function portForwardHandler({ cri, findSandbox }: PortForwardDeps): StreamHandler {
  return async (request, socket) => {
    const sandbox = findSandbox(request.namespace, request.name, request.uid);
    const dial = (port: number): Promise<PodConnection> => dialPod(cri, sandbox, port);
    if (request.protocol === CHANNELS) return forwardChannels(socket, new URLSearchParams(request.query), dial);
    const errors = new Map<string, SpdyStream>();
    const open = new Set<PodConnection>();
    const client = new SpdyConnection(overWebSocket(socket), {
      side: 'server',
      onStream: (stream) => {
        const id = stream.headers['requestid'] ?? '';
        if (stream.headers['streamtype'] === 'error') errors.set(id, stream);
        else void forward(stream, errors.get(id), dial, open).finally(() => errors.delete(id));
      },
    });
    await client.closed;
    client.close();
    for (const connection of open) connection.close();
  };
}

async function dialPod(cri: PortForwardDeps['cri'], sandbox: string, port: number): Promise<PodConnection> {
  const runtime = await connectSpdy(await cri.portForward(sandbox, [port]), RUNTIME_PROTOCOL);
  const headers = { port: String(port), requestid: '0' };
  const error = await runtime.open({ streamtype: 'error', ...headers });
  const data = await runtime.open({ streamtype: 'data', ...headers });
  error.end();
  const over = async (): Promise<void> => {
    // Whoever listens to `data` may be slow: what has been received is theirs to read first.
    const [said] = await Promise.all([textOf(error), finished(data, { writable: false }).catch(() => {})]);
    if (said !== '') throw new Error(said);
  };
  return { data, over: over().finally(() => runtime.close()), close: () => runtime.close() };
}

/** One connection of the client to one of the pod. */
async function forward(
  data: SpdyStream,
  error: SpdyStream | undefined,
  dial: (port: number) => Promise<PodConnection>,
  open: Set<PodConnection>,
): Promise<void> {
  const asked = data.headers['port'];
  let connection: PodConnection | undefined;
  try {
    connection = await dial(portOf(asked));
    open.add(connection);
    data.pipe(connection.data);
    connection.data.pipe(data);
    await connection.over;
    error?.end();
  } catch (failure) {
    error?.end(complaint(asked, failure));
    data.reset();
  } finally {
    if (connection !== undefined) open.delete(connection);
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A WebSocket's binary frames as a byte stream. Resumes the socket. */
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
      socket.resume();
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
