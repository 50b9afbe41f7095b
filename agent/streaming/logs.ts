/** Logs: a first text frame says whether there are any, binary frames carry them. */
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { LogOptions } from '../kubelet/logs.ts';
import { send, type StreamHandler } from './request.ts';

const number = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  return text === null || text === '' ? undefined : Number(text);
};

/** Serves `pods/log`. */
export function logHandler(readLogs: (options: LogOptions) => AsyncIterable<Buffer>): StreamHandler {
  return async (request, socket) => {
    const query = new URLSearchParams(request.query);
    const abort = new AbortController();
    socket.on('close', () => abort.abort());
    socket.resume();
    const chunks = readLogs({
      namespace: request.namespace,
      pod: request.name,
      container: request.container,
      previous: query.get('previous') === 'true',
      follow: query.get('follow') === 'true',
      timestamps: query.get('timestamps') === 'true',
      tailLines: number(query, 'tailLines'),
      sinceSeconds: number(query, 'sinceSeconds'),
      limitBytes: number(query, 'limitBytes'),
      sinceTime: query.get('sinceTime') ?? undefined,
      signal: abort.signal,
    });
    let started = false;
    try {
      for await (const chunk of chunks) {
        if (!started) await send(socket, '{}');
        started = true;
        await send(socket, chunk);
      }
      if (!started) await send(socket, '{}');
    } catch (error) {
      if (abort.signal.aborted) return;
      if (started || !(error instanceof StatusError)) throw error;
      await send(socket, JSON.stringify({ status: error.status }));
    }
    socket.close(1000);
  };
}
