/** The node's one outbound connection: it waits for streams to be asked for, and dials back one WebSocket for each. */
import { WebSocket } from 'ws';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { delay } from '../informer.ts';
import type { StreamHandler, StreamKind, StreamRequest } from '../streaming/request.ts';
import type { Log, Running } from '../types.ts';

const PING_MS = 20_000;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;
const CONNECT_MS = 15_000;
const CLOSE_MS = 1000;
/** Of a WebSocket's closing reason, in bytes. */
const MAX_REASON = 120;

export interface TunnelOptions {
  /** The API server's URL. */
  server: string;
  ca: string | undefined;
  nodeName: string;
  token: () => string;
  log: Log;
  handlers: Record<StreamKind, StreamHandler>;
}

/** Keeps the session open until it is stopped. */
export function startTunnel(options: TunnelOptions): Running {
  const abort = new AbortController();
  const done = keepOpen(options, abort.signal);
  return {
    async stop() {
      abort.abort();
      await done;
    },
  };
}

async function keepOpen(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  let retry = FIRST_RETRY_MS;
  while (!signal.aborted) {
    const opened = Date.now();
    try {
      await session(options, signal);
    } catch (error) {
      if (!signal.aborted) options.log.warn('session lost', { error });
    }
    if (Date.now() - opened > LAST_RETRY_MS) retry = FIRST_RETRY_MS;
    // Not all nodes of a cluster at the same moment.
    await delay(retry * (0.5 + Math.random()), signal);
    retry = Math.min(retry * 2, LAST_RETRY_MS);
  }
}

function dial({ server, ca, nodeName, token }: TunnelOptions, path: string): WebSocket {
  const url = `${server.replace(/^http/, 'ws').replace(/\/$/, '')}/zeroplane/v1/nodes/${nodeName}/${path}`;
  return new WebSocket(url, {
    headers: { authorization: `Bearer ${token()}` },
    handshakeTimeout: CONNECT_MS,
    perMessageDeflate: false,
    ...(ca === undefined ? {} : { ca }),
  });
}

/** One life of the session: resolves when it is over. */
function session(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = dial(options, 'session');
    const stop = (): void => {
      socket.close(1000);
      // A server that is gone does not answer the closing.
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    };
    signal.addEventListener('abort', stop, { once: true });
    let answered = true;
    // The runtime answers without waking anything; a server that does not answer is gone.
    const pings = setInterval(() => {
      if (!answered) socket.terminate();
      else if (socket.readyState === socket.OPEN) {
        answered = false;
        socket.send('ping');
      }
    }, PING_MS);
    socket.on('open', () => options.log.info('session open'));
    socket.on('message', (data) => {
      const text = String(data);
      if (text === 'pong') answered = true;
      else serve(options, text);
    });
    socket.on('error', reject);
    socket.on('close', (code, reason) => {
      clearInterval(pings);
      signal.removeEventListener('abort', stop);
      if (code === 1000) resolve();
      else reject(new Error(`closed with code ${code}${reason.length === 0 ? '' : `: ${reason}`}`));
    });
  });
}

/** Dials back for a stream that was asked for, and serves it. */
function serve(options: TunnelOptions, text: string): void {
  const open = requestOf(text);
  if (open === undefined || !Object.hasOwn(options.handlers, open.kind)) return;
  const socket = dial(options, `streams/${encodeURIComponent(open.id)}`);
  socket.on('error', (error) => options.log.debug('stream failed', { id: open.id, error }));
  // Nothing that the client says may be lost: the handler resumes the socket when it listens.
  socket.once('open', () => {
    socket.pause();
    options.handlers[open.kind](open, socket).catch((error: unknown) => {
      options.log.debug('stream ended', { id: open.id, kind: open.kind, error });
      // A paused socket would not hear that the other side closes too.
      socket.resume();
      socket.close(1011, reasonOf(error));
    });
  });
}

/** As much of an error's message as a closing reason holds. */
function reasonOf(error: unknown): string {
  const said = error instanceof StatusError ? error.status.message : error instanceof Error ? error.message : '';
  const bytes = Buffer.from(said ?? '').subarray(0, MAX_REASON);
  return bytes.toString().replace(/\uFFFD+$/, '');
}

/** What the control plane said, when it asks for a stream. */
function requestOf(text: string): StreamRequest | undefined {
  try {
    const { open } = JSON.parse(text) as { open?: StreamRequest };
    return typeof open?.id === 'string' && typeof open.kind === 'string' ? open : undefined;
  } catch {
    return undefined;
  }
}
