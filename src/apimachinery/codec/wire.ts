/** Protobuf's wire format: varints, lengths, tags. */
import { badRequest, type StatusError } from '../errors.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/** Varints of more bits than a number holds exactly are put together as bigints. */
const EXACT_BITS = 49;

const malformed = (): StatusError => badRequest('the body is not valid protobuf: unexpected end or malformed value');
const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const encoder = new TextEncoder();

/** The number of a field, from its tag. */
export const numberOf = (tag: number): number => tag >>> 3;

/** The wire type of a field, from its tag. */
export const typeOf = (tag: number): number => tag & 7;

/** Reads a message's bytes; throws BadRequest where they end too early or make no sense. */
export class Reader {
  private readonly bytes: Uint8Array;
  private at: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** A field's tag: {@link numberOf} and {@link typeOf} take it apart. */
  tag(): number {
    const tag = this.unsigned();
    if (tag > 0xffffffff || tag < 8) throw malformed();
    return tag;
  }

  /** A signed integer of 64 bits; one of 32 bits is written the same way. Inexact beyond 2^53. */
  int(): number {
    const start = this.at;
    const value = this.unsigned();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.at = start;
    return Number(BigInt.asIntN(64, this.big()));
  }

  double(): number {
    if (this.at + 8 > this.end) throw malformed();
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return value;
  }

  /** The bytes of a string, a message or a byte field; not a copy. */
  slice(): Uint8Array {
    const length = this.unsigned();
    if (length > this.end - this.at) throw malformed();
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return bytes;
  }

  /** A nested message, without copying. */
  nested(): Reader {
    const length = this.unsigned();
    if (length > this.end - this.at) throw malformed();
    const reader = new Reader(this.bytes, this.at, this.at + length);
    this.at += length;
    return reader;
  }

  text(): string {
    return utf8.decode(this.slice());
  }

  /** Passes over a field that is not known. */
  skip(type: number): void {
    switch (type) {
      case VARINT:
        this.unsigned();
        break;
      case FIXED64:
        this.double();
        break;
      case BYTES:
        this.slice();
        break;
      case FIXED32:
        if (this.at + 4 > this.end) throw malformed();
        this.at += 4;
        break;
      default:
        throw malformed();
    }
  }

  /** An unsigned varint; above 2^53 only its size is right. */
  private unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let bits = 0; bits < 70; bits += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw malformed();
  }

  private big(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  private byte(): number {
    if (this.at >= this.end) throw malformed();
    return this.bytes[this.at++] as number;
  }
}

/** Writes a message's bytes, nested ones in place. */
export class Writer {
  private buffer = new Uint8Array(1024);
  private at = 0;

  tag(number: number, type: number): void {
    this.int(number * 8 + type);
  }

  /** A signed integer as a varint of 64 bits. */
  int(value: number): void {
    this.room(10);
    let rest = Math.trunc(value);
    if (rest < 0 || rest >= 2 ** EXACT_BITS) {
      this.big(rest);
      return;
    }
    while (rest >= 0x80) {
      this.buffer[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.at++] = rest;
  }

  double(value: number): void {
    this.room(8);
    new DataView(this.buffer.buffer).setFloat64(this.at, value, true);
    this.at += 8;
  }

  bytes(number: number, bytes: Uint8Array): void {
    this.tag(number, BYTES);
    this.int(bytes.length);
    this.raw(bytes);
  }

  text(number: number, text: string): void {
    this.nested(number, () => {
      this.room(text.length * 3);
      this.at += encoder.encodeInto(text, this.buffer.subarray(this.at)).written;
    });
  }

  /** A field whose length is known only once `write` has written it. */
  nested(number: number, write: () => void): void {
    this.tag(number, BYTES);
    const start = this.at;
    this.room(1);
    this.at += 1;
    write();
    const length = this.at - start - 1;
    if (length < 0x80) {
      this.buffer[start] = length;
      return;
    }
    // The length takes more than the one byte that was kept for it.
    const more = Math.ceil(Math.log2(length + 1) / 7) - 1;
    this.room(more);
    this.buffer.copyWithin(start + 1 + more, start + 1, this.at);
    const end = this.at + more;
    this.at = start;
    this.int(length);
    this.at = end;
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  private big(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}
