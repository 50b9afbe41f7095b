/** What the control plane asks a node's agent to stream, and the socket that carries it. */
import type { RawData, WebSocket } from 'ws';

export type StreamKind = 'exec' | 'attach' | 'portforward' | 'log' | 'proxy' | 'service';

/** Sent over the session; plain data. */
export interface StreamRequest {
  id: string;
  kind: StreamKind;
  namespace: string;
  /** Of the pod; empty for the node itself. */
  name: string;
  uid: string;
  container: string;
  /** The client's query string. */
  query: string;
  /** The WebSocket subprotocol that was agreed on with the client. */
  protocol: string;
  /** Of a proxied request. */
  http?: { scheme: string; method: string; path: string; port: number; headers: Record<string, string> };
}

/** Serves one stream; resolves when it is over. The socket comes paused: resume it when listening. Errors close it with their message. */
export type StreamHandler = (request: StreamRequest, socket: WebSocket) => Promise<void>;

/** What a peer may be behind by before its source is paused, in bytes. */
const HIGH_WATER = 1 << 20;

/** Sends a frame, and waits while the peer is far behind. */
export function send(socket: WebSocket, data: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) {
      reject(new Error('the stream is closed'));
      return;
    }
    const ahead = socket.bufferedAmount > HIGH_WATER;
    socket.send(data, { binary: typeof data !== 'string' }, (error) => {
      if (error) reject(error);
      else if (ahead) resolve();
    });
    if (!ahead) resolve();
  });
}

/** A frame's bytes. */
export function bytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(new Uint8Array(data)) : data;
}
