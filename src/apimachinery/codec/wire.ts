/** Protobuf's wire format: varints, lengths, tags. */
import { badRequest } from '../errors.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const truncated = (): Error => badRequest('the body is not valid protobuf: unexpected end or malformed value');

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

  /** A field's number and wire type. */
  tag(): { number: number; type: number } {
    const tag = Number(this.varint() & 0xffffffffn);
    const number = tag >>> 3;
    if (number === 0) throw truncated();
    return { number, type: tag & 7 };
  }

  /** An unsigned varint of up to 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw truncated();
  }

  /** A signed integer of 64 bits; one of 32 bits is written the same way. */
  int(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80 && this.at < this.end) {
      this.at++;
      return first;
    }
    return Number(BigInt.asIntN(64, this.varint()));
  }

  double(): number {
    if (this.at + 8 > this.end) throw truncated();
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return value;
  }

  /** The bytes of a string, a message or a byte field; not a copy. */
  slice(): Uint8Array {
    const length = this.int();
    if (length < 0 || this.at + length > this.end) throw truncated();
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return bytes;
  }

  /** Passes over a field that is not known. */
  skip(type: number): void {
    switch (type) {
      case VARINT:
        this.varint();
        break;
      case FIXED64:
        this.double();
        break;
      case BYTES:
        this.slice();
        break;
      case FIXED32:
        if (this.at + 4 > this.end) throw truncated();
        this.at += 4;
        break;
      default:
        throw truncated();
    }
  }

  private byte(): number {
    if (this.at >= this.end) throw truncated();
    return this.bytes[this.at++] as number;
  }
}

/** Writes a message's bytes. */
export class Writer {
  private buffer = new Uint8Array(256);
  private at = 0;

  tag(number: number, type: number): void {
    this.int(number * 8 + type);
  }

  /** A signed integer as a varint of 64 bits. */
  int(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.room(1);
      this.buffer[this.at++] = value;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    this.room(10);
    while (rest >= 0x80n) {
      this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  double(value: number): void {
    this.room(8);
    new DataView(this.buffer.buffer).setFloat64(this.at, value, true);
    this.at += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.int(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}
