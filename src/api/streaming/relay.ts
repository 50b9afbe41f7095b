/**
 * Streams that the client gets over plain HTTP. Text frames carry what is said about the stream (`First`, `{ack}`), binary frames its
 * bytes. Each side says how much it has passed on, so that neither gets far ahead of a slow reader.
 */
import { failure, StatusError } from '../../apimachinery/errors.ts';
import type { Status } from '../../apimachinery/meta.ts';

/** How the stream goes: its failure, or the head of an HTTP response; neither for a stream without a head. */
export interface First {
  status?: Status;
  head?: { status: number; headers: Record<string, string | string[]> };
}

type Control = First & { ack?: number };

/** How far the sender may be ahead, in bytes. */
const WINDOW = 4 << 20;
/** How much is passed on before it is acknowledged, in bytes. */
const ACK_EVERY = 1 << 20;
const CHUNK = 256 << 10;

/** One end of a relayed stream: the Worker's. */
export class Relay {
  readonly body: ReadableStream;
  private readonly socket: WebSocket;
  private readonly writer: WritableStreamDefaultWriter;
  private readonly answer = Promise.withResolvers<First>();
  /** Bytes passed on and not yet acknowledged, and bytes sent and not yet acknowledged by the node. */
  private passed = 0;
  private ahead = 0;
  private caughtUp: (() => void) | undefined;
  private open = true;

  constructor(socket: WebSocket) {
    const { readable, writable } = new IdentityTransformStream();
    this.body = readable;
    this.socket = socket;
    this.writer = writable.getWriter();
    // Nobody may be waiting for the answer any more when it fails.
    this.answer.promise.catch(() => {});
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.take(data as string | ArrayBuffer));
    socket.addEventListener('close', ({ code, reason }) => this.closed(code === 1000 || code === 1005, reason));
    socket.addEventListener('error', () => this.closed(false, 'the stream broke'));
    // The client went away.
    this.writer.closed.catch(() => this.end());
    socket.accept();
  }

  /** How the stream goes. Throws the Status that the node answered with instead of a stream. */
  async first(): Promise<First> {
    const said = await this.answer.promise;
    if (said.status !== undefined) throw new StatusError(said.status);
    return said;
  }

  /** Says what the stream is for, where its opening did not. */
  ask(call: object): void {
    this.socket.send(JSON.stringify({ call }));
  }

  /** Gives the stream up: who waits for its answer or reads its body is told so. */
  abort(reason: unknown): void {
    this.answer.reject(reason);
    this.writer.abort(reason).catch(() => {});
    this.end();
  }

  /** Sends a request's body, and that it has ended. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength && this.open; at += CHUNK) {
      const chunk = bytes.slice(at, at + CHUNK);
      this.ahead += chunk.byteLength;
      this.socket.send(chunk);
      if (this.ahead > WINDOW) {
        await new Promise<void>((resolve) => {
          this.caughtUp = resolve;
        });
      }
    }
    if (this.open) this.socket.send('');
  }

  private take(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      this.writer.write(new Uint8Array(data)).then(
        () => this.acknowledge(data.byteLength),
        () => this.end(),
      );
      return;
    }
    const { ack, ...first } = JSON.parse(data) as Control;
    if (ack === undefined) {
      this.answer.resolve(first);
      return;
    }
    this.ahead -= ack;
    if (this.ahead <= WINDOW) this.caughtUp?.();
  }

  private acknowledge(bytes: number): void {
    this.passed += bytes;
    if (this.passed < ACK_EVERY || !this.open) return;
    this.socket.send(JSON.stringify({ ack: this.passed }));
    this.passed = 0;
  }

  /** The first word on it counts: the runtime may tell of a connection that is lost after it was closed, while its last bytes wait to be read. */
  private closed(well: boolean, reason: string): void {
    if (!this.open) return;
    const message = `error dialing backend: ${reason || 'the stream ended'}`;
    if (well) this.answer.resolve({});
    else this.answer.reject(new StatusError(failure(500, 'InternalError', message)));
    if (well) this.writer.close().catch(() => {});
    // A body that was cut off must not look whole.
    else this.writer.abort(new Error(message)).catch(() => {});
    this.end();
  }

  private end(): void {
    if (!this.open) return;
    this.open = false;
    // Whoever still waits for an answer gets none.
    this.answer.resolve({});
    this.caughtUp?.();
    try {
      this.socket.close(1000);
    } catch {
      // It was closed already.
    }
  }
}
