/** SPDY's header blocks: name and value pairs, compressed with one dictionary for all. */
import { constants, type Deflate, type Inflate } from 'node:zlib';

/** Of one frame's headers in bytes, before and after they are inflated. */
export const MAX_HEADERS = 64 << 10;

export type Headers = Record<string, string>;

/** One direction's header compression: a single zlib stream, flushed after every frame. */
export class HeaderCodec {
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

/** A header block, before it is compressed. */
export function encodeHeaders(headers: Headers): Buffer {
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

/** Reads a header block that has been inflated. Throws a RangeError where it ends too early. */
export function decodeHeaders(block: Buffer): Headers {
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
