/** Logs: whether there are any, and their bytes. */
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { LogOptions } from '../kubelet/logs.ts';
import { Relay } from './relay.ts';
import type { StreamHandler } from './request.ts';

const QUIET_MS = 300;

const number = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  return text === null || text === '' ? undefined : Number(text);
};
const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true' || query.get(name) === '1';

/** Serves `pods/log`. */
export function logHandler(readLogs: (options: LogOptions) => AsyncIterable<Buffer>): StreamHandler {
  return async (request, socket) => {
    const query = new URLSearchParams(request.query);
    const abort = new AbortController();
    socket.on('close', () => abort.abort());
    const relay = new Relay(socket);
    const chunks = readLogs({
      namespace: request.namespace,
      pod: request.name,
      container: request.container,
      previous: flag(query, 'previous'),
      follow: flag(query, 'follow'),
      timestamps: flag(query, 'timestamps'),
      tailLines: number(query, 'tailLines'),
      sinceSeconds: number(query, 'sinceSeconds'),
      limitBytes: number(query, 'limitBytes'),
      sinceTime: query.get('sinceTime') ?? undefined,
      stream: query.get('stream') ?? undefined,
      signal: abort.signal,
    });
    // A container that says nothing yet has a log all the same: its client waits for the headers.
    const quiet = setTimeout(() => {
      if (!relay.began) void relay.begin({}).catch(() => {});
    }, QUIET_MS);
    try {
      for await (const chunk of chunks) {
        if (!relay.began) await relay.begin({});
        await relay.send(chunk);
      }
      if (!relay.began) await relay.begin({});
      relay.end();
    } catch (error) {
      if (abort.signal.aborted) return;
      if (relay.began || !(error instanceof StatusError)) throw error;
      await relay.refuse(error.status);
    } finally {
      clearTimeout(quiet);
    }
  };
}
