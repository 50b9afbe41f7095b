/** exec and attach: Kubernetes' channels over a WebSocket on one side, the runtime's SPDY streams on the other. */
import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { failure, StatusError } from '../../src/apimachinery/errors.ts';
import type { Status } from '../../src/apimachinery/meta.ts';
import type { CriClient } from '../runtime/cri.ts';
import { bytes, type StreamHandler, type StreamRequest, send } from './request.ts';
import { connectSpdy } from './spdy/client.ts';
import type { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5 alone: the channel that is named in the next byte is closed. */
const CLOSE = 255;

/** Its error channel carries text, and nothing where all went well. */
const FIRST_PROTOCOL = 'channel.k8s.io';
const RUNTIME_PROTOCOL = 'v4.channel.k8s.io';
const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };
/** A process that does not read its input is asked again now and then, so that a client that goes is noticed. */
const LOOK_AGAIN_MS = 5000;

export interface ExecDeps {
  cri: Pick<CriClient, 'exec' | 'attach'>;
  /** The id of a running container; throws a StatusError where there is none. */
  findContainer(namespace: string, pod: string, uid: string | undefined, container: string | undefined): string;
}

interface Wants {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true' || query.get(name) === '1';

/** Serves exec (`kind: exec`) and attach. How it ended is said on the error channel, as a Status. */
export function execHandler(deps: ExecDeps): StreamHandler {
  return async (request, socket) => {
    let status: Status;
    try {
      const query = new URLSearchParams(request.query);
      const tty = flag(query, 'tty');
      const stderr = flag(query, 'stderr') && !tty;
      const wants = { tty, stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout'), stderr };
      const runtime = await connectSpdy(await streamingUrl(deps, request, query, wants), RUNTIME_PROTOCOL);
      try {
        status = await pump(socket, runtime, wants);
      } finally {
        runtime.close();
      }
    } catch (error) {
      status =
        error instanceof StatusError ? error.status : internal(error instanceof Error ? error.message : String(error));
    }
    socket.resume();
    if (socket.readyState !== socket.OPEN) return;
    const outcome = request.protocol === FIRST_PROTOCOL ? plainOutcome(status) : JSON.stringify(status);
    await send(socket, channel(ERROR, Buffer.from(outcome)));
    socket.close(1000);
  };
}

function streamingUrl(
  { cri, findContainer }: ExecDeps,
  request: StreamRequest,
  query: URLSearchParams,
  wants: Wants,
): Promise<string> {
  const containerId = findContainer(request.namespace, request.name, request.uid, request.container);
  if (request.kind === 'attach') return cri.attach({ containerId, ...wants } as Parameters<CriClient['attach']>[0]);
  return cri.exec({ containerId, ...wants, cmd: query.getAll('command') } as Parameters<CriClient['exec']>[0]);
}

/** Carries the streams until the process ends; answers with how it ended. */
async function pump(socket: WebSocket, runtime: SpdyConnection, wants: Wants): Promise<Status> {
  const error = await runtime.open({ streamtype: 'error' });
  error.end();
  const stdin = wants.stdin ? await runtime.open({ streamtype: 'stdin' }) : undefined;
  const stdout = wants.stdout ? await runtime.open({ streamtype: 'stdout' }) : undefined;
  const stderr = wants.stderr ? await runtime.open({ streamtype: 'stderr' }) : undefined;
  const resize = wants.tty ? await runtime.open({ streamtype: 'resize' }) : undefined;
  stdout?.end();
  stderr?.end();

  socket.on('message', (data) => fromClient(socket, bytes(data), stdin, resize));
  socket.on('close', () => runtime.close());
  socket.resume();
  const outputs = [forward(socket, STDOUT, stdout), forward(socket, STDERR, stderr)];
  const [outcome] = await Promise.all([textOf(error), ...outputs]);
  return statusOf(outcome);
}

function fromClient(
  socket: WebSocket,
  frame: Buffer,
  stdin: SpdyStream | undefined,
  resize: SpdyStream | undefined,
): void {
  const payload = frame.subarray(1);
  switch (frame[0]) {
    case STDIN:
      if (payload.length > 0 && stdin?.writable === true && !stdin.write(payload)) waitFor(socket, stdin);
      break;
    case RESIZE:
      if (resize?.writable === true) resize.write(payload);
      break;
    case CLOSE:
      if (payload[0] === STDIN) stdin?.end();
      break;
  }
}

/** Takes no more from the client until the process has read what there is. */
function waitFor(socket: WebSocket, stdin: SpdyStream): void {
  socket.pause();
  const goOn = (): void => {
    clearTimeout(again);
    stdin.off('drain', goOn).off('close', goOn);
    socket.resume();
  };
  const again = setTimeout(goOn, LOOK_AGAIN_MS);
  stdin.once('drain', goOn).once('close', goOn);
}

function channel(number: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number]), payload]);
}

async function forward(socket: WebSocket, number: number, stream: Readable | undefined): Promise<void> {
  if (stream === undefined) return;
  for await (const chunk of stream) await send(socket, channel(number, chunk as Buffer));
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** What the runtime said at the end: nothing or a Status is success or failure as it stands, other text an error. */
function statusOf(text: string): Status {
  if (text === '') return SUCCESS;
  try {
    const status = JSON.parse(text) as Status;
    if (status.status === 'Success' || status.status === 'Failure') return status;
  } catch {
    // Falls through: not a Status.
  }
  return internal(text);
}

const plainOutcome = ({ status, message = '' }: Status): string => (status === 'Success' ? '' : message);

const internal = (message: string): Status => failure(500, 'InternalError', message, { causes: [{ message }] });
