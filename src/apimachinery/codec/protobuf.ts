/** Kubernetes' protobuf: `k8s\0`, an envelope with kind and apiVersion, and the object by its schema's field numbers. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { type Field, type MessageSchema, schemaByName, schemaFor } from '../schema/index.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { checkDepth, define, MAX_DEPTH } from './depth.ts';
import { fromTimestamp, parseDuration, toTimestamp } from './time.ts';
import { Mismatch, quantityOf } from './values.ts';
import { BYTES, FIXED64, numberOf, Reader, typeOf, VARINT, Writer } from './wire.ts';
import { zeroIsAbsent } from './zeros.ts';

const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);
const encoder = new TextEncoder();

/** Decodes a body with its envelope. Throws BadRequest for anything that is not one. */
export function decodeProtobuf(bytes: Uint8Array): { apiVersion: string; kind: string; object: JsonObject } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix 6b 38 73 00');
  }
  const { apiVersion, kind, raw } = readEnvelope(new Reader(bytes, MAGIC.length));
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const object = decodeMessage(raw, schema, 0);
  return { apiVersion, kind, object: { kind, apiVersion, ...object } };
}

/** Encodes an object with its envelope. Throws BadRequest for kinds that are not built in. */
export function encodeProtobuf(object: JsonObject): Uint8Array {
  const apiVersion = String(object['apiVersion'] ?? '');
  const kind = String(object['kind'] ?? '');
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) throw badRequest(`${kind} of ${apiVersion} cannot be written as protobuf`);
  const writer = new Writer();
  writer.raw(MAGIC);
  writer.nested(1, () => {
    writer.text(1, apiVersion);
    writer.text(2, kind);
  });
  writer.nested(2, () => encodeMessage(writer, object, schema));
  writer.text(3, '');
  writer.text(4, '');
  return writer.finish();
}

/** Upstream's `LengthDelimitedFramer`: so many bytes say how long a frame is. */
const FRAME_HEADER = 4;

/** A watch event as a frame of a stream: its length, and `meta.v1.WatchEvent` without an envelope around the object's with one. */
export function encodeWatchEvent(type: string, object: JsonObject): Uint8Array {
  const bytes = encodeProtobuf(object);
  const writer = new Writer();
  writer.raw(new Uint8Array(FRAME_HEADER));
  writer.text(1, type);
  writer.nested(2, () => writer.bytes(1, bytes));
  const frame = writer.finish();
  new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.byteLength - FRAME_HEADER);
  return frame;
}

/** `runtime.Unknown`. */
function readEnvelope(reader: Reader): { apiVersion: string; kind: string; raw: Reader } {
  const found = { apiVersion: '', kind: '', raw: new Reader(new Uint8Array()) };
  while (!reader.done) {
    const tag = reader.tag();
    if (numberOf(tag) === 1 && typeOf(tag) === BYTES) {
      const typeMeta = decodeMessage(reader.nested(), schemaByName('runtime.TypeMeta') as MessageSchema, 0);
      found.apiVersion = String(typeMeta['apiVersion'] ?? '');
      found.kind = String(typeMeta['kind'] ?? '');
    } else if (numberOf(tag) === 2 && typeOf(tag) === BYTES) found.raw = reader.nested();
    else reader.skip(typeOf(tag));
  }
  return found;
}

interface WireField {
  field: Field;
  type: number;
  zeroIsAbsent: boolean;
}

/** By field number, once per message. */
const numbered = new WeakMap<MessageSchema, Map<number, WireField>>();

function byNumber(schema: MessageSchema): Map<number, WireField> {
  let fields = numbered.get(schema);
  if (fields === undefined) {
    fields = new Map(
      schema.wire.map((field) => [
        field.number,
        { field, type: field.shape === 'map' ? BYTES : wireType(field), zeroIsAbsent: zeroIsAbsent(schema, field) },
      ]),
    );
    numbered.set(schema, fields);
  }
  return fields;
}

function wireType({ kind }: Field): number {
  if (kind === 'string' || kind === 'bytes' || kind === 'message') return BYTES;
  return kind === 'double' ? FIXED64 : VARINT;
}

function decodeMessage(reader: Reader, schema: MessageSchema, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw badRequest('the body is nested too deeply');
  const object: JsonObject = {};
  const fields = byNumber(schema);
  while (!reader.done) {
    const tag = reader.tag();
    const known = fields.get(numberOf(tag));
    if (known === undefined || typeOf(tag) !== known.type) reader.skip(typeOf(tag));
    else readField(object, known, reader, depth);
  }
  return object;
}

function readField(object: JsonObject, { field, zeroIsAbsent }: WireField, reader: Reader, depth: number): void {
  const { name, shape } = field;
  switch (shape) {
    case 'inline':
      Object.assign(object, decodeMessage(reader.nested(), field.message as MessageSchema, depth + 1));
      break;
    case 'map':
      object[name] ??= {};
      readEntry(object[name] as JsonObject, field, reader.nested(), depth);
      break;
    case 'repeated':
      object[name] ??= [];
      (object[name] as Json[]).push(readValue(field, reader, depth) ?? null);
      break;
    default: {
      const value = readValue(field, reader, depth);
      if (value === undefined || (zeroIsAbsent && (value === '' || value === 0 || value === false)))
        delete object[name];
      else object[name] = value;
    }
  }
}

function readEntry(map: JsonObject, field: Field, reader: Reader, depth: number): void {
  let key = '';
  let value: Json | undefined =
    field.kind === 'message' ? zeroMessage(field.message as MessageSchema) : zeroScalar(field);
  while (!reader.done) {
    const tag = reader.tag();
    if (numberOf(tag) === 1 && typeOf(tag) === BYTES) key = reader.text();
    else if (numberOf(tag) === 2 && typeOf(tag) === wireType(field)) value = readValue(field, reader, depth);
    else reader.skip(typeOf(tag));
  }
  define(map, key, value ?? null);
}

const zeroScalar = ({ kind }: Field): Json =>
  kind === 'string' || kind === 'bytes' ? '' : kind === 'bool' ? false : 0;
const zeroMessage = ({ special }: MessageSchema): Json =>
  special === 'Quantity' ? '0' : special === undefined ? {} : null;

function readValue(field: Field, reader: Reader, depth: number): Json | undefined {
  switch (field.kind) {
    case 'string':
      return reader.text();
    case 'bytes':
      return toBase64(reader.slice());
    case 'bool':
      return reader.int() !== 0;
    case 'double':
      return finite(reader.double());
    case 'message':
      return readMessage(field.message as MessageSchema, reader.nested(), depth);
    case 'int32':
      return reader.int() | 0;
    default:
      return reader.int();
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw badRequest('the body holds a number that JSON cannot write');
  return value;
}

function readMessage(schema: MessageSchema, reader: Reader, depth: number): Json | undefined {
  if (schema.special === 'Raw') return rawJson(reader, schema);
  const empty = reader.done;
  const object = decodeMessage(reader, schema, depth + 1);
  switch (schema.special) {
    case undefined:
      return object;
    case 'Quantity':
      return quantity(object['string'] ?? '0');
    case 'IntOrString':
      return object['type'] === 1 ? (object['strVal'] ?? '') : (object['intVal'] ?? 0);
    case 'Time':
    case 'MicroTime': {
      // An empty message is Go's zero time, which stands for none.
      if (empty) return undefined;
      const { seconds = 0, nanos = 0 } = object as { seconds?: number; nanos?: number };
      const text = fromTimestamp(seconds, nanos, schema.special === 'MicroTime');
      if (text === undefined) throw badRequest('the body holds a time that no calendar has');
      return text;
    }
    case 'Duration':
      return `${((object['duration'] as number | undefined) ?? 0) / 1e9}s`;
    case 'StringList':
      return object['items'] ?? [];
    case 'SchemaOrArray':
      return object['jSONSchemas'] ?? object['schema'] ?? {};
    case 'SchemaOrBool':
      return object['schema'] ?? object['allows'] ?? false;
    case 'SchemaOrStringArray':
      return object['property'] ?? object['schema'] ?? {};
  }
}

function quantity(value: Json): string {
  try {
    return quantityOf(value);
  } catch (error) {
    if (error instanceof Mismatch) throw badRequest(error.message);
    throw error;
  }
}

/** Raw extensions hold JSON as bytes. */
function rawJson(reader: Reader, schema: MessageSchema): Json | undefined {
  let raw = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (numberOf(tag) === 1 && typeOf(tag) === BYTES) raw = reader.text();
    else reader.skip(typeOf(tag));
  }
  if (raw === '') return undefined;
  let value: Json;
  try {
    value = JSON.parse(raw) as Json;
  } catch {
    throw badRequest(`the body holds a ${schema.name} that is not JSON`);
  }
  checkDepth(value);
  return value;
}

function encodeMessage(writer: Writer, object: JsonObject, schema: MessageSchema): void {
  for (const field of schema.wire) {
    if (field.shape === 'inline') {
      writer.nested(field.number, () => encodeMessage(writer, object, field.message as MessageSchema));
      continue;
    }
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    if (field.shape === 'map') writeMap(writer, field, value as JsonObject);
    else if (field.shape === 'repeated')
      for (const entry of value as Json[]) writeValue(writer, field, field.number, entry);
    else writeValue(writer, field, field.number, value);
  }
}

/** Sorted by key, as Go writes maps. */
function writeMap(writer: Writer, field: Field, map: JsonObject): void {
  for (const key of Object.keys(map).sort()) {
    writer.nested(field.number, () => {
      writer.text(1, key);
      writeValue(writer, field, 2, map[key] ?? null);
    });
  }
}

function writeValue(writer: Writer, field: Field, number: number, value: Json): void {
  switch (field.kind) {
    case 'string':
      writer.text(number, String(value));
      break;
    case 'bytes':
      writer.bytes(number, fromBase64(String(value)));
      break;
    case 'double':
      writer.tag(number, FIXED64);
      writer.double(Number(value));
      break;
    case 'message':
      writer.nested(number, () => writeNested(writer, field.message as MessageSchema, value));
      break;
    default:
      writer.tag(number, VARINT);
      writer.int(Number(value));
  }
}

function writeNested(writer: Writer, schema: MessageSchema, value: Json): void {
  const write = (fields: JsonObject): void => encodeMessage(writer, fields, schema);
  switch (schema.special) {
    case undefined:
      if (value !== null) write(value as JsonObject);
      break;
    case 'Raw':
      writer.bytes(1, encoder.encode(JSON.stringify(value)));
      break;
    case 'Quantity':
      write({ string: String(value) });
      break;
    case 'IntOrString':
      write(typeof value === 'string' ? { type: 1, intVal: 0, strVal: value } : { type: 0, intVal: value, strVal: '' });
      break;
    case 'Time':
    case 'MicroTime':
      // None is Go's zero time: an empty message.
      if (value !== null) write({ ...toTimestamp(String(value)) });
      break;
    case 'Duration':
      write({ duration: (parseDuration(String(value)) ?? 0) * 1e6 });
      break;
    case 'StringList':
      write({ items: value });
      break;
    case 'SchemaOrArray':
      write(Array.isArray(value) ? { jSONSchemas: value } : { schema: value });
      break;
    case 'SchemaOrBool':
      write(typeof value === 'boolean' ? { allows: value } : { allows: true, schema: value });
      break;
    case 'SchemaOrStringArray':
      write(Array.isArray(value) ? { property: value } : { schema: value });
      break;
  }
}
