/** Objects as Go writes them: what is held by value is always there, what is empty is not, unless the schema requires it. */
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { isObject } from './values.ts';
import { zeroIsAbsent } from './zeros.ts';

/** Fields that are written even when nobody has set them. */
const written = new WeakMap<MessageSchema, Field[]>();

/** Brings an object that was decoded against the schema into the form in which upstream encodes it, in place. */
export function settle(object: JsonObject, schema: MessageSchema): void {
  const { fields } = schema;
  for (const key in object) {
    const field = fields.get(key);
    if (field === undefined) continue;
    const value = object[key] as Json;
    if (isEmpty(value, field)) {
      // What went through the store's encoding comes back without its empty lists.
      if (isAlways(field)) object[key] = null;
      else delete object[key];
    } else if ((value === '' || value === 0 || value === false) && zeroIsAbsent(schema, field)) {
      if (!isAlways(field)) delete object[key];
    } else if (field.kind === 'message') {
      settleValue(value, field);
    }
  }
  for (const field of alwaysWritten(schema)) {
    if (object[field.name] !== undefined) continue;
    const value = zeroOf(field);
    object[field.name] = value;
    if (isObject(value)) settle(value, field.message as MessageSchema);
  }
}

function settleValue(value: Json, field: Field): void {
  const message = field.message as MessageSchema;
  if (message.special !== undefined) return;
  if (field.shape === 'one') {
    if (isObject(value)) settle(value, message);
  } else if (Array.isArray(value)) {
    for (const entry of value) if (isObject(entry)) settle(entry, message);
  } else if (isObject(value)) {
    for (const key in value) if (isObject(value[key])) settle(value[key], message);
  }
}

function isEmpty(value: Json, { shape }: Field): boolean {
  if (shape === 'repeated') return Array.isArray(value) && value.length === 0;
  if (shape !== 'map' || !isObject(value)) return false;
  for (const _ in value) return false;
  return true;
}

function alwaysWritten(schema: MessageSchema): Field[] {
  let found = written.get(schema);
  if (found === undefined) {
    found = [...schema.fields.values()].filter(isAlways);
    written.set(schema, found);
  }
  return found;
}

function isAlways({ byValue, required, kind, shape, message, always }: Field): boolean {
  if (always) return true;
  if (kind !== 'message' || shape !== 'one') return required;
  return byValue && message?.special !== 'Raw';
}

function zeroOf({ kind, shape, message }: Field): Json {
  if (shape !== 'one') return null;
  switch (kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'bytes':
      return null;
    case 'message':
      return zeroOfMessage(message as MessageSchema);
    default:
      return 0;
  }
}

function zeroOfMessage({ special }: MessageSchema): Json {
  switch (special) {
    case undefined:
      return {};
    case 'Quantity':
      return '0';
    case 'IntOrString':
      return 0;
    default:
      return null;
  }
}
