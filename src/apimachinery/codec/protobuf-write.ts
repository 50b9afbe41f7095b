/** Writes protobuf messages by their schemas. */
import { escapeHtml } from '../go-json.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { fromBase64 } from './base64.ts';
import { parseDuration, toTimestamp } from './time.ts';
import { FIXED64, VARINT, type Writer } from './wire.ts';

const encoder = new TextEncoder();

/** Appends the fields of an object, in the order of their numbers. */
export function encodeMessage(writer: Writer, object: JsonObject, schema: MessageSchema): void {
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
      writer.bytes(1, encoder.encode(escapeHtml(JSON.stringify(value))));
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
