/**
 * SPDY/3.1 as Kubernetes' streaming uses it, either side: streams with headers, data, half-close, reset, ping. Flow control windows
 * are ignored, as Go's spdystream ignores them; the socket's own back-pressure does the work.
 */
import { Duplex } from 'node:stream';
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const FIN = 1;
const MAX_DATA = 1 << 20;
/** No frame of a well-meaning peer is larger. */
const MAX_FRAME = 8 << 20;
/** Of one frame's headers, before and after they are inflated. */
const MAX_HEADERS = 64 << 10;
/** What may wait for slow readers before the transport is paused, in bytes. */
const MAX_WAITING = 4 << 20;

export type Headers = Record<string, string>;

/** One stream: reading ends when the peer half-closes, `end()` half-closes our side. */
export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  /** Ends both directions at once. */
  reset(): void;
}

/** One direction's header compression: a single zlib stream, flushed after every frame. */
class HeaderCodec {
  private readonly zlib: Deflate | Inflate;

  constructor(zlib: Deflate | Inflate) {
    this.zlib = zlib;
    this.zlib.on('error', () => {});
  }

  run(input: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const collect = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > MAX_HEADERS) this.zlib.destroy(new Error('the headers are too large'));
        else chunks.push(chunk);
      };
      this.zlib.on('data', collect);
      this.zlib.once('error', reject);
      this.zlib.write(input);
      this.zlib.flush(constants.Z_SYNC_FLUSH, () => {
        this.zlib.off('data', collect);
        this.zlib.off('error', reject);
        resolve(Buffer.concat(chunks));
      });
    });
  }
}

export interface ConnectionOptions {
  /** A server's streams have even numbers. */
  side: 'client' | 'server';
  /** Called for each stream that the peer opens. */
  onStream?(stream: SpdyStream): void;
}

/** A SPDY connection over any byte stream. */
export class SpdyConnection {
  private readonly transport: Duplex;
  private readonly options: ConnectionOptions;
  private readonly streams = new Map<number, Stream>();
  private readonly inflate = new HeaderCodec(createInflate({ dictionary: DICTIONARY }));
  private readonly deflate = new HeaderCodec(createDeflate({ dictionary: DICTIONARY }));
  /** Frames are handled, and headers compressed, one after the other. */
  private receiving: Promise<void> = Promise.resolve();
  private sending: Promise<unknown> = Promise.resolve();
  private buffer: Buffer = Buffer.alloc(0);
  private nextId: number;
  private waiting = 0;
  readonly closed: Promise<void>;

  constructor(transport: Duplex, options: ConnectionOptions, head: Buffer = Buffer.alloc(0)) {
    this.transport = transport;
    this.options = options;
    this.nextId = options.side === 'client' ? 1 : 2;
    this.closed = new Promise((resolve) => transport.once('close', () => resolve()));
    transport.on('error', () => this.end());
    transport.on('close', () => this.end());
    transport.on('end', () => this.end());
    transport.on('data', (chunk: Buffer) => this.take(chunk));
    if (head.length > 0) this.take(head);
  }

  /** Opens a stream; resolves when the request has been written. */
  open(headers: Headers): Promise<SpdyStream> {
    const opened = this.sending.then(async () => {
      const id = this.nextId;
      this.nextId += 2;
      const block = await this.deflate.run(encodeHeaders(headers));
      const frame = Buffer.alloc(18);
      frame.writeUInt32BE(0x80030001, 0);
      frame.writeUInt32BE(10 + block.length, 4);
      frame.writeUInt32BE(id, 8);
      const stream = new Stream(id, headers, this.transport, () => this.streams.delete(id));
      this.streams.set(id, stream);
      this.transport.write(Buffer.concat([frame, block]));
      return stream;
    });
    this.sending = opened.catch(() => {});
    return opened;
  }

  /** Ends the connection and all of its streams at once. */
  close(): void {
    this.transport.destroy();
    for (const stream of [...this.streams.values()]) stream.destroy();
  }

  /** The transport is gone: what has come is still handed on, in its order, before the streams end. */
  private end(): void {
    this.receiving = this.receiving.then(() => {
      for (const stream of [...this.streams.values()]) stream.peerGone();
      this.streams.clear();
    });
  }

  private take(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    while (this.buffer.length >= 8) {
      const length = this.buffer.readUIntBE(5, 3);
      if (length > MAX_FRAME) {
        this.close();
        return;
      }
      if (this.buffer.length < 8 + length) return;
      const head = this.buffer.subarray(0, 8);
      const payload = this.buffer.subarray(8, 8 + length);
      this.buffer = this.buffer.subarray(8 + length);
      this.waiting += payload.length;
      if (this.waiting > MAX_WAITING) this.transport.pause();
      this.receiving = this.receiving
        .then(() => this.frame(head, payload))
        .catch(() => this.close())
        .then(() => this.handled(payload.length));
    }
  }

  private handled(bytes: number): void {
    const wasFull = this.waiting > MAX_WAITING;
    this.waiting -= bytes;
    if (wasFull && this.waiting <= MAX_WAITING) this.transport.resume();
  }

  private async frame(head: Buffer, payload: Buffer): Promise<void> {
    const word = head.readUInt32BE(0);
    if (word >= 0x80000000 && payload.length > MAX_HEADERS) throw new Error('a control frame is too large');
    const fin = ((head[4] as number) & FIN) !== 0;
    if (word < 0x80000000) {
      const stream = this.streams.get(word);
      if (payload.length > 0 && stream !== undefined) await stream.receive(payload);
      if (fin) stream?.push(null);
      return;
    }
    switch (word & 0xffff) {
      case SYN_STREAM:
        await this.accept(payload, fin);
        break;
      case SYN_REPLY:
        // Its headers say nothing that is needed, but the compression's state goes on over them.
        await this.inflate.run(payload.subarray(4));
        if (fin) this.streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.push(null);
        break;
      case RST_STREAM:
        this.streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.peerGone();
        break;
      case PING: {
        const mine = this.options.side === 'client' ? 1 : 0;
        if (payload.readUInt32BE(0) % 2 !== mine) this.transport.write(Buffer.concat([head, payload]));
        break;
      }
    }
  }

  private async accept(payload: Buffer, fin: boolean): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = decodeHeaders(await this.inflate.run(payload.subarray(10)));
    const stream = new Stream(id, headers, this.transport, () => this.streams.delete(id));
    this.streams.set(id, stream);
    const block = await this.deflate.run(encodeHeaders({}));
    const frame = Buffer.alloc(12);
    frame.writeUInt32BE(0x80030002, 0);
    frame.writeUInt32BE(4 + block.length, 4);
    frame.writeUInt32BE(id, 8);
    this.transport.write(Buffer.concat([frame, block]));
    if (fin) stream.push(null);
    this.options.onStream?.(stream);
  }
}

class Stream extends Duplex implements SpdyStream {
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

function encodeHeaders(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  const entries = Object.entries(headers);
  number(entries.length);
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      number(Buffer.byteLength(text));
      parts.push(Buffer.from(text));
    }
  }
  return Buffer.concat(parts);
}

function decodeHeaders(block: Buffer): Headers {
  const headers: Headers = {};
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString('utf8', at - length, at);
  };
  const count = block.readUInt32BE(0);
  for (let i = 0; i < count && at < block.length; i++) {
    const name = text();
    Object.defineProperty(headers, name, { value: text(), enumerable: true });
  }
  return headers;
}
