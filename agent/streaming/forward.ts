/** An HTTP request that is made for a stream, and its answer. */
import type http from 'node:http';
import type { BodySink, Relay } from './relay.ts';

/** Between two servers these mean nothing, or something else. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-length', 'host']);
const CONNECT_MS = 30_000;

/** Passes a stream's bytes on as the body of a request that may be made later. */
export function sinkOf(request: Promise<http.ClientRequest>): BodySink {
  return {
    async write(chunk) {
      const outgoing = await request;
      await new Promise<void>((done, fail) => outgoing.write(chunk, (error) => (error ? fail(error) : done())));
    },
    end: () =>
      void request.then(
        (outgoing) => outgoing.end(),
        () => {},
      ),
  };
}

/** The head of the answer. Rejects when there is none. */
export function responseOf(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.once('close', () => reject(new Error('the client has gone')));
    outgoing.once('socket', (connection) => {
      if (!connection.connecting) return;
      const deadline = setTimeout(() => outgoing.destroy(new Error('i/o timeout')), CONNECT_MS);
      connection.once('connect', () => clearTimeout(deadline));
      connection.once('close', () => clearTimeout(deadline));
    });
  });
}

/** Passes the answer on, and waits for a reader that is slow. */
export async function answer(relay: Relay, response: http.IncomingMessage): Promise<void> {
  const headers = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
  await relay.begin({ head: { status: response.statusCode ?? 502, headers } });
  for await (const chunk of response) await relay.send(chunk as Buffer);
  relay.end();
}
