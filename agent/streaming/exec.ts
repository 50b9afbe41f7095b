/** exec and attach: Kubernetes' channels over a WebSocket on one side, the runtime's SPDY streams on the other. */
import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { failure } from '../../src/apimachinery/errors.ts';
import type { Status } from '../../src/apimachinery/meta.ts';
import type { CriClient } from '../runtime/cri.ts';
import { bytes, send, type StreamHandler } from './request.ts';
import { connectSpdy } from './spdy/client.ts';
import type { SpdyConnection, SpdyStream } from './spdy/connection.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5 alone: the channel that is named in the next byte is closed. */
const CLOSE = 255;

const RUNTIME_PROTOCOL = 'v4.channel.k8s.io';
const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };

export interface ExecDeps {
  cri: Pick<CriClient, 'exec' | 'attach'>;
  /** The id of a running container; throws a StatusError where there is none. */
  findContainer(namespace: string, pod: string, uid: string | undefined, container: string | undefined): string;
}

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true' || query.get(name) === '1';

/** Serves exec (`kind: exec`) and attach. */
export function execHandler({ cri, findContainer }: ExecDeps): StreamHandler {
  return async (request, socket) => {
    const query = new URLSearchParams(request.query);
    const tty = flag(query, 'tty');
    const wants = { stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr') && !tty };
    const containerId = findContainer(request.namespace, request.name, request.uid, request.container);
    const options = { containerId, tty, ...wants };
    const url =
      request.kind === 'exec'
        ? await cri.exec({ ...options, cmd: query.getAll('command') } as Parameters<CriClient['exec']>[0])
        : await cri.attach(options as Parameters<CriClient['attach']>[0]);
    const runtime = await connectSpdy(url, RUNTIME_PROTOCOL);
    try {
      await pump(socket, runtime, { ...wants, tty });
    } finally {
      runtime.close();
    }
  };
}

interface Wants {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

async function pump(socket: WebSocket, runtime: SpdyConnection, wants: Wants): Promise<void> {
  const error = await runtime.open({ streamtype: 'error' });
  error.end();
  const stdin = wants.stdin ? await runtime.open({ streamtype: 'stdin' }) : undefined;
  const stdout = wants.stdout ? await runtime.open({ streamtype: 'stdout' }) : undefined;
  const stderr = wants.stderr ? await runtime.open({ streamtype: 'stderr' }) : undefined;
  const resize = wants.tty ? await runtime.open({ streamtype: 'resize' }) : undefined;
  stdout?.end();
  stderr?.end();

  socket.on('message', (data) => void fromClient(bytes(data), stdin, resize));
  socket.on('close', () => runtime.close());
  socket.resume();
  const outputs = [forward(socket, STDOUT, stdout), forward(socket, STDERR, stderr)];
  const outcome = await textOf(error);
  await Promise.all(outputs);
  const status = statusOf(outcome);
  await send(socket, channel(ERROR, Buffer.from(JSON.stringify(status))));
  socket.close(1000);
}

function fromClient(frame: Buffer, stdin: SpdyStream | undefined, resize: SpdyStream | undefined): void {
  const payload = frame.subarray(1);
  switch (frame[0]) {
    case STDIN:
      if (payload.length > 0) stdin?.write(payload);
      break;
    case RESIZE:
      resize?.write(payload);
      break;
    case CLOSE:
      if (payload[0] === STDIN) stdin?.end();
      break;
  }
}

function channel(number: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number]), payload]);
}

async function forward(socket: WebSocket, number: number, stream: Readable | undefined): Promise<void> {
  if (stream === undefined) return;
  for await (const chunk of stream) await send(socket, channel(number, chunk as Buffer));
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += (chunk as Buffer).toString();
  return text;
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
  return failure(500, 'InternalError', text, { causes: [{ message: text }] });
}
