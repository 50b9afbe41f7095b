/**
 * Streams that reach their client over plain HTTP: text frames carry what is said about the stream, binary frames its bytes. Each side
 * acknowledges what it has passed on (`{ack: bytes}`), so that neither gets far ahead of a slow reader.
 */
import type { WebSocket } from 'ws';
import type { Status } from '../../src/apimachinery/meta.ts';
import { bytes, send } from './request.ts';

/** How far the sender may be ahead, in bytes. */
const WINDOW = 4 << 20;
/** How much is passed on before it is acknowledged, in bytes. */
const ACK_EVERY = 1 << 20;

export interface Head {
  status: number;
  headers: Record<string, string | string[] | undefined>;
}

/** What is done with a request's body. */
export interface BodySink {
  /** What the stream is for, where its opening did not say. */
  asked?(call: unknown): void;
  /** Resolves when there is room for more. */
  write(chunk: Buffer): Promise<void>;
  end(): void;
}

/** The node's end of a relayed stream. Resumes the socket. */
export class Relay {
  private readonly socket: WebSocket;
  private readonly sink: BodySink | undefined;
  /** Whether it has been said how the stream goes. */
  began = false;
  private ahead = 0;
  private passed = 0;
  private caughtUp: (() => void) | undefined;

  constructor(socket: WebSocket, sink?: BodySink) {
    this.socket = socket;
    this.sink = sink;
    socket.on('message', (data, binary) => this.take(bytes(data), binary));
    socket.on('close', () => this.caughtUp?.());
    socket.resume();
  }

  /** Says how the stream goes; `{}` for a stream without a head. */
  begin(first: { status?: Status; head?: Head }): Promise<void> {
    this.began = true;
    return send(this.socket, JSON.stringify(first));
  }

  /** Sends bytes, and waits while the client is far behind. Rejects when the client has gone. */
  async send(chunk: Buffer): Promise<void> {
    this.ahead += chunk.length;
    await send(this.socket, chunk);
    if (this.ahead <= WINDOW || this.socket.readyState !== this.socket.OPEN) return;
    await new Promise<void>((resolve) => {
      this.caughtUp = resolve;
    });
  }

  /** Ends the stream well. */
  end(): void {
    this.socket.close(1000);
  }

  /** Says that there will be no stream, and why. */
  async refuse(status: Status): Promise<void> {
    await this.begin({ status }).catch(() => {});
    this.end();
  }

  private take(data: Buffer, binary: boolean): void {
    if (binary) {
      this.sink?.write(data).then(
        () => this.acknowledge(data.length),
        () => {},
      );
    } else if (data.length === 0) {
      this.sink?.end();
    } else {
      const { ack, call } = controlOf(data.toString());
      if (call !== undefined) this.sink?.asked?.(call);
      this.ahead -= ack;
      if (this.ahead <= WINDOW) this.caughtUp?.();
    }
  }

  private acknowledge(length: number): void {
    this.passed += length;
    if (this.passed < ACK_EVERY || this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(JSON.stringify({ ack: this.passed }));
    this.passed = 0;
  }
}

function controlOf(text: string): { ack: number; call?: unknown } {
  try {
    const { ack, call } = JSON.parse(text) as { ack?: unknown; call?: unknown };
    return { ack: typeof ack === 'number' ? ack : 0, call };
  } catch {
    return { ack: 0 };
  }
}
