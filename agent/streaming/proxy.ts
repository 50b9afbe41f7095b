/** `proxy`: one HTTP request to a pod. Text frames carry heads, binary frames bodies; an empty text frame ends the request's body. */
import http from 'node:http';
import https from 'node:https';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { failure } from '../../src/apimachinery/errors.ts';
import { bytes, send, type StreamHandler } from './request.ts';

/** Between two servers these mean nothing, or something else. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-length', 'host']);

/** Serves a proxied request to a pod's address. */
export function proxyHandler(pods: () => Pod[]): StreamHandler {
  return async (request, socket) => {
    const pod = pods().find((p) => p.metadata.namespace === request.namespace && p.metadata.name === request.name);
    const target = request.http;
    const ip = pod?.status?.podIP;
    if (target === undefined || !ip) {
      const status = failure(503, 'ServiceUnavailable', `pod ${request.name} has no address`);
      await send(socket, JSON.stringify({ status }));
      socket.close(1000);
      return;
    }
    const secure = target.scheme === 'https';
    const url = `${target.scheme}://${ip}:${target.port}${target.path}`;
    // A pod's certificate names no address of its own: upstream does not verify it either.
    const options = { method: target.method, headers: target.headers, ...(secure ? { rejectUnauthorized: false } : {}) };
    await new Promise<void>((resolve) => {
      const outgoing = (secure ? https : http).request(url, options, (response) => {
        const headers = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
        const relay = async (): Promise<void> => {
          await send(socket, JSON.stringify({ head: { status: response.statusCode, headers } }));
          for await (const chunk of response) await send(socket, chunk as Buffer);
          socket.close(1000);
        };
        void relay().catch(() => socket.close(1011)).finally(resolve);
      });
      outgoing.on('error', (error) => {
        const status = failure(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`);
        void send(socket, JSON.stringify({ status }))
          .catch(() => {})
          .finally(() => {
            socket.close(1000);
            resolve();
          });
      });
      socket.on('message', (data, binary) => {
        if (binary) outgoing.write(bytes(data));
        else outgoing.end();
      });
      socket.on('close', () => outgoing.destroy());
      socket.resume();
    });
  };
}
