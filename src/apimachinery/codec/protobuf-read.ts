/** Reads protobuf messages by their schemas. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { toBase64 } from './base64.ts';
import { checkDepth, define, MAX_DEPTH } from './depth.ts';
import { fromTimestamp } from './time.ts';
import { Mismatch, quantityOf } from './values.ts';
import { BYTES, FIXED64, numberOf, type Reader, typeOf, VARINT } from './wire.ts';
import { zeroIsAbsent } from './zeros.ts';

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

/** The message that the reader holds, as JSON; `depth` counts the levels above it. Throws BadRequest. */
export function decodeMessage(reader: Reader, schema: MessageSchema, depth: number): JsonObject {
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
