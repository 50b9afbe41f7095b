/** Opens a SPDY connection to the runtime's streaming server. */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { SpdyConnection } from './connection.ts';

/** Upgrades an HTTP request to SPDY/3.1. Throws where the server refuses. */
export function connectSpdy(url: string, protocol: string): Promise<SpdyConnection> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol },
    });
    request.on('upgrade', (_response, socket: Duplex, head: Buffer) => {
      resolve(new SpdyConnection(socket, { side: 'client' }, head));
    });
    request.on('response', (response) => {
      response.resume();
      reject(new Error(`the runtime refused the stream with status ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}
