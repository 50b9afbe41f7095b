/**
 * SPDY/3.1 as Kubernetes' streaming uses it, either side: streams with headers, data, half-close, reset, ping. Flow control windows
 * are ignored, as Go's spdystream ignores them; the socket's own back-pressure does the work.
 */
import type { Duplex } from 'node:stream';
import { createDeflate, createInflate } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';
import { decodeHeaders, encodeHeaders, HeaderCodec, type Headers, MAX_HEADERS } from './headers.ts';
import { FIN, type SpdyStream, Stream } from './stream.ts';

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
/** No frame of a well-meaning peer is larger. */
const MAX_FRAME = 8 << 20;
/** What may wait for slow readers before the transport is paused, in bytes. */
const MAX_WAITING = 4 << 20;

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
