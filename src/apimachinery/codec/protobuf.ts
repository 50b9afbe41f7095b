/** Kubernetes' protobuf: `k8s\0`, an envelope with kind and apiVersion, and the object by its schema's field numbers. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { type Field, type MessageSchema, schemaByName, schemaFor } from '../schema/index.ts';
import { fromTimestamp, toTimestamp } from './time.ts';
import { BYTES, FIXED64, Reader, VARINT, Writer } from './wire.ts';

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const MAX_DEPTH = 200;
const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Go writes these even when they are zero, and leaves them out of JSON then: they are no pointers. Of other scalars a zero was meant.
 */
const ZERO_IS_ABSENT = new Set(
  [
    'active availableReplicas count currentReplicas expectedPods failed failureThreshold fullyLabeledReplicas generation',
    'healthCheckNodePort hostIPC hostNetwork hostPID hostPort initialDelaySeconds insecureSkipTLSVerify minReadySeconds nodePort',
    'numberAvailable numberUnavailable observedGeneration paused periodSeconds publishNotReadyAddresses readOnly readyReplicas',
    'stdin stdinOnce succeeded successThreshold timeoutSeconds tty unavailableReplicas unschedulable updatedNumberScheduled',
    'updatedReplicas currentRevision globalDefault',
  ]
    .join(' ')
    .split(' '),
);
/** Pointers to strings of which an empty one says something else than none. */
const EMPTY_IS_SAID = new Set(['storageClassName', 'volumeAttributesClassName']);

/** Decodes a body with its envelope. Throws BadRequest for anything that is not one. */
export function decodeProtobuf(bytes: Uint8Array): { apiVersion: string; kind: string; object: JsonObject } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix 6b 38 73 00');
  }
  const envelope = decodeMessage(bytes.subarray(MAGIC.length), schemaByName('runtime.Unknown') as MessageSchema, 0, true);
  const { typeMeta } = envelope as { typeMeta?: { apiVersion?: string; kind?: string } };
  const { apiVersion = '', kind = '' } = typeMeta ?? {};
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const raw = (envelope as { raw?: Uint8Array }).raw ?? new Uint8Array();
  const object = decodeMessage(raw, schema, 0, false);
  return { apiVersion, kind, object: { kind, apiVersion, ...object } };
}

/** Encodes an object with its envelope. Throws BadRequest for kinds that are not built in. */
export function encodeProtobuf(object: JsonObject): Uint8Array {
  const apiVersion = String(object['apiVersion'] ?? '');
  const kind = String(object['kind'] ?? '');
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) throw badRequest(`${kind} of ${apiVersion} cannot be written as protobuf`);
  const type = new Writer();
  writeString(type, 1, apiVersion);
  writeString(type, 2, kind);
  const writer = new Writer();
  writer.raw(Uint8Array.from(MAGIC));
  writeBytes(writer, 1, type.finish());
  writeBytes(writer, 2, encodeMessage(object, schema));
  writeString(writer, 3, '');
  writeString(writer, 4, '');
  return writer.finish();
}

function writeBytes(writer: Writer, number: number, bytes: Uint8Array): void {
  writer.tag(number, BYTES);
  writer.bytes(bytes);
}

function writeString(writer: Writer, number: number, text: string): void {
  writeBytes(writer, number, encoder.encode(text));
}

/** By field number, once per message. */
const numbered = new WeakMap<MessageSchema, Map<number, Field>>();

function byNumber(schema: MessageSchema): Map<number, Field> {
  let fields = numbered.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.wire.map((field) => [field.number, field]));
    numbered.set(schema, fields);
  }
  return fields;
}

/** `rawBytes`: byte fields stay as they are, for the envelope. */
function decodeMessage(bytes: Uint8Array, schema: MessageSchema, depth: number, rawBytes: boolean): JsonObject {
  if (depth > MAX_DEPTH) throw badRequest('the body is nested too deeply');
  const object: JsonObject = {};
  const fields = byNumber(schema);
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { number, type } = reader.tag();
    const field = fields.get(number);
    if (field === undefined || type !== wireType(field)) reader.skip(type);
    else readField(object, field, reader, depth, rawBytes);
  }
  return object;
}

function wireType({ kind, shape }: Field): number {
  if (shape === 'map' || kind === 'string' || kind === 'bytes' || kind === 'message') return BYTES;
  return kind === 'double' ? FIXED64 : VARINT;
}

function readField(object: JsonObject, field: Field, reader: Reader, depth: number, rawBytes: boolean): void {
  const { name, shape } = field;
  if (shape === 'inline') {
    Object.assign(object, decodeMessage(reader.slice(), field.message as MessageSchema, depth + 1, false));
  } else if (shape === 'map') {
    const [key, value] = readEntry(field, reader.slice(), depth);
    const map = (object[name] ??= {}) as JsonObject;
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    const value = rawBytes && field.kind === 'bytes' ? (reader.slice() as unknown as Json) : readValue(field, reader, depth);
    if (shape === 'repeated') ((object[name] ??= []) as Json[]).push(value ?? null);
    else if (value !== undefined && !isAbsent(field, value)) object[name] = value;
  }
}

function isAbsent(field: Field, value: Json): boolean {
  if (field.required) return false;
  if (value === '') return !EMPTY_IS_SAID.has(field.name);
  return (value === 0 || value === false) && ZERO_IS_ABSENT.has(field.name);
}

function readEntry(field: Field, bytes: Uint8Array, depth: number): [string, Json] {
  const reader = new Reader(bytes);
  let key = '';
  let value: Json | undefined;
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1 && type === BYTES) key = utf8.decode(reader.slice());
    else if (number === 2 && type === wireType({ ...field, shape: 'one' })) value = readValue(field, reader, depth);
    else reader.skip(type);
  }
  return [key, value ?? (field.kind === 'string' || field.kind === 'bytes' ? '' : field.kind === 'message' ? {} : 0)];
}

function readValue(field: Field, reader: Reader, depth: number): Json | undefined {
  switch (field.kind) {
    case 'string':
      return utf8.decode(reader.slice());
    case 'bytes':
      return toBase64(reader.slice());
    case 'bool':
      return reader.int() !== 0;
    case 'double':
      return reader.double();
    case 'message':
      return readMessage(field.message as MessageSchema, reader.slice(), depth);
    default:
      return reader.int();
  }
}

function readMessage(schema: MessageSchema, bytes: Uint8Array, depth: number): Json | undefined {
  if (schema.special === 'Raw') return rawJson(bytes, schema);
  const object = decodeMessage(bytes, schema, depth + 1, false);
  switch (schema.special) {
    case undefined:
      return object;
    case 'Quantity':
      return (object['string'] as string | undefined) ?? '0';
    case 'IntOrString':
      return object['type'] === 1 ? ((object['strVal'] as string | undefined) ?? '') : ((object['intVal'] as number | undefined) ?? 0);
    case 'Time':
    case 'MicroTime': {
      // An empty message is Go's zero time, which stands for none.
      if (bytes.length === 0) return undefined;
      const { seconds = 0, nanos = 0 } = object as { seconds?: number; nanos?: number };
      const text = fromTimestamp(seconds, nanos, schema.special === 'MicroTime');
      if (text === undefined) throw badRequest('the body holds a time that no calendar has');
      return text;
    }
    case 'Duration':
      return `${((object['duration'] as number | undefined) ?? 0) / 1e9}s`;
    case 'StringList':
      return (object['items'] as Json[] | undefined) ?? [];
    case 'SchemaOrArray':
      return (object['jSONSchemas'] as Json | undefined) ?? (object['schema'] as Json | undefined) ?? {};
    case 'SchemaOrBool':
      return (object['schema'] as Json | undefined) ?? (object['allows'] as boolean | undefined) ?? false;
    case 'SchemaOrStringArray':
      return (object['property'] as Json | undefined) ?? (object['schema'] as Json | undefined) ?? {};
  }
}

/** Raw extensions hold JSON as bytes. */
function rawJson(bytes: Uint8Array, schema: MessageSchema): Json | undefined {
  const reader = new Reader(bytes);
  let raw: Uint8Array | undefined;
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1 && type === BYTES) raw = reader.slice();
    else reader.skip(type);
  }
  if (raw === undefined || raw.length === 0) return undefined;
  try {
    return JSON.parse(utf8.decode(raw)) as Json;
  } catch {
    throw badRequest(`the body holds a ${schema.name} that is not JSON`);
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function encodeMessage(object: JsonObject, schema: MessageSchema): Uint8Array {
  const writer = new Writer();
  for (const field of schema.wire) {
    if (field.shape === 'inline') {
      writeBytes(writer, field.number, encodeMessage(object, field.message as MessageSchema));
      continue;
    }
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    if (field.shape === 'map') {
      for (const [key, entry] of Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1))) {
        const inner = new Writer();
        writeString(inner, 1, key);
        writeValue(inner, { ...field, number: 2, kind: field.kind, ...messageOf(field) }, entry as Json);
        writeBytes(writer, field.number, inner.finish());
      }
    } else if (field.shape === 'repeated') for (const entry of value as Json[]) writeValue(writer, field, entry);
    else writeValue(writer, field, value);
  }
  return writer.finish();
}

/** A copy of a field loses its lazy message. */
function messageOf(field: Field): { message?: MessageSchema } {
  return field.kind === 'message' ? { message: field.message as MessageSchema } : {};
}

function writeValue(writer: Writer, field: Field, value: Json): void {
  switch (field.kind) {
    case 'string':
      writeString(writer, field.number, String(value));
      break;
    case 'bytes':
      writeBytes(writer, field.number, fromBase64(String(value)));
      break;
    case 'double':
      writer.tag(field.number, FIXED64);
      writer.double(Number(value));
      break;
    case 'message':
      writeBytes(writer, field.number, writeNested(field.message as MessageSchema, value));
      break;
    default:
      writer.tag(field.number, VARINT);
      writer.int(Number(value));
  }
}

function writeNested(schema: MessageSchema, value: Json): Uint8Array {
  switch (schema.special) {
    case undefined:
      return encodeMessage(value as JsonObject, schema);
    case 'Raw':
      return encodeMessage({ [schema.wire[0]?.name ?? 'raw']: btoaUtf8(JSON.stringify(value)) }, { ...schema, wire: schema.wire });
    case 'Quantity':
      return encodeMessage({ string: String(value) }, schema);
    case 'IntOrString': {
      const text = typeof value === 'string';
      return encodeMessage({ type: text ? 1 : 0, intVal: text ? 0 : value, strVal: text ? value : '' }, schema);
    }
    case 'Time':
    case 'MicroTime': {
      const { seconds, nanos } = toTimestamp(String(value));
      return encodeMessage({ seconds, nanos }, schema);
    }
    case 'Duration':
      return encodeMessage({ duration: Math.round(Number.parseFloat(String(value)) * 1e9) }, schema);
    case 'StringList':
      return encodeMessage({ items: value }, schema);
    case 'SchemaOrArray':
      return encodeMessage(Array.isArray(value) ? { jSONSchemas: value } : { schema: value }, schema);
    case 'SchemaOrBool':
      return encodeMessage(typeof value === 'boolean' ? { allows: value } : { allows: true, schema: value }, schema);
    case 'SchemaOrStringArray':
      return encodeMessage(Array.isArray(value) ? { property: value } : { schema: value }, schema);
  }
}

function btoaUtf8(text: string): string {
  return toBase64(encoder.encode(text));
}
