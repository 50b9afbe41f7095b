/** One stream of a connection, as Node's streams are. */
import { Duplex } from 'node:stream';
import type { Headers } from './headers.ts';

/** The flag of a frame that is the last of its direction. */
export const FIN = 1;
/** Bytes of one data frame, at most. */
const MAX_DATA = 1 << 20;

/** One stream: reading ends when the peer half-closes, `end()` half-closes our side. */
export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  /** Ends both directions at once. */
  reset(): void;
}

/** A {@link SpdyStream} from the side of its connection, which tells it what the peer sends. */
export class Stream extends Duplex implements SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  private readonly transport: Duplex;
  private readonly forget: () => void;
  private drained: (() => void) | undefined;

  constructor(id: number, headers: Headers, transport: Duplex, forget: () => void) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.transport = transport;
    this.forget = forget;
    this.on('error', () => {});
  }

  /** Takes data from the peer; resolves when there is room for more. */
  receive(data: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.readableEnded || this.push(data)) return undefined;
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  peerGone(): void {
    if (!this.readableEnded && !this.destroyed) this.push(null);
    this.drained?.();
    this.forget();
  }

  reset(): void {
    const frame = Buffer.alloc(16);
    frame.writeUInt32BE(0x80030003, 0);
    frame.writeUInt32BE(8, 4);
    frame.writeUInt32BE(this.id, 8);
    frame.writeUInt32BE(5, 12);
    if (!this.transport.destroyed) this.transport.write(frame);
    this.peerGone();
    this.destroy();
  }

  override _read(): void {
    this.drained?.();
    this.drained = undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    for (let at = 0; at < chunk.length; at += MAX_DATA) this.data(chunk.subarray(at, at + MAX_DATA), false);
    if (this.transport.destroyed) done(new Error('the connection is closed'));
    else if (this.transport.writableNeedDrain) this.transport.once('drain', () => done());
    else done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.data(Buffer.alloc(0), true);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.drained?.();
    this.forget();
    done(error);
  }

  private data(chunk: Buffer, fin: boolean): void {
    if (this.transport.destroyed) return;
    const head = Buffer.alloc(8);
    head.writeUInt32BE(this.id, 0);
    head.writeUInt32BE(chunk.length, 4);
    if (fin) head[4] = FIN;
    this.transport.write(Buffer.concat([head, chunk]));
  }
}
