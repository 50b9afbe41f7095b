/**
 * Port-forward as clients in JavaScript speak it (`v4.channel.k8s.io`): for the n-th port of the query, channel 2n carries data and
 * 2n + 1 errors; the first frame on each says the port, as two bytes, the lower first.
 */
import type { WebSocket } from 'ws';
import { bytes, send } from './request.ts';
import type { SpdyStream } from './spdy/stream.ts';

const MAX_PORTS = 100;

/** A connection to a port of a pod, through the runtime. */
export interface PodConnection {
  data: SpdyStream;
  /** Resolves when the connection is over; rejects with what the runtime complains of. */
  over: Promise<void>;
  close(): void;
}

/** A port number; throws for anything else. */
export function portOf(text: string | undefined): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`invalid port ${text}`);
  return port;
}

/** Why a port could not be forwarded; most runtimes say so in these words themselves. */
export function complaint(port: string | undefined, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.startsWith('error forwarding port') ? message : `error forwarding port ${port} to pod: ${message}`;
}

/** Serves one connection to each port that the query names, until all of them or the client are gone. */
export async function forwardChannels(
  socket: WebSocket,
  query: URLSearchParams,
  dial: (port: number) => Promise<PodConnection>,
): Promise<void> {
  const texts = query.getAll('ports').flatMap((text) => text.split(','));
  const ports = texts.slice(0, MAX_PORTS).map(portOf);
  if (ports.length === 0) throw new Error('query parameter "ports" is required');
  const dialled = await Promise.allSettled(ports.map(dial));
  const connections = dialled.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  for (const connection of connections) connection?.over.catch(() => {});

  socket.on('message', (data) => fromClient(socket, bytes(data), connections));
  socket.on('close', () => {
    for (const connection of connections) connection?.close();
  });
  socket.resume();
  await Promise.all(dialled.map((one, i) => toClient(socket, i, ports[i] as number, one)));
  socket.close(1000);
}

function fromClient(socket: WebSocket, frame: Buffer, connections: readonly (PodConnection | undefined)[]): void {
  const channel = frame[0] ?? 1;
  const stream = channel % 2 === 0 ? connections[channel / 2]?.data : undefined;
  if (stream?.writable !== true || frame.length < 2 || stream.write(frame.subarray(1))) return;
  socket.pause();
  const goOn = (): void => {
    stream.off('drain', goOn).off('close', goOn);
    socket.resume();
  };
  stream.once('drain', goOn).once('close', goOn);
}

async function toClient(
  socket: WebSocket,
  index: number,
  port: number,
  dialled: PromiseSettledResult<PodConnection>,
): Promise<void> {
  const frame = (channel: number, payload: Buffer): Promise<void> => {
    return send(socket, Buffer.concat([Buffer.from([channel]), payload]));
  };
  const said = Buffer.alloc(2);
  said.writeUInt16LE(port);
  try {
    await frame(2 * index, said);
    await frame(2 * index + 1, said);
    if (dialled.status === 'rejected') throw dialled.reason;
    for await (const chunk of dialled.value.data) await frame(2 * index, chunk as Buffer);
    await dialled.value.over;
  } catch (error) {
    await frame(2 * index + 1, Buffer.from(complaint(String(port), error))).catch(() => {});
  }
}
