/** The schemas of built-in kinds, as far as expressions know them: what custom resources say of themselves. */
import type { Field, MessageSchema } from '../schema/index.ts';
import type { StructuralSchema } from './schema.ts';

const ANYTHING: StructuralSchema = { 'x-kubernetes-int-or-string': true };
const TEXT: StructuralSchema = { type: 'string' };
const TIME: StructuralSchema = { type: 'string', format: 'date-time' };

/** The schema of a message; of what it holds of its own kind nothing is said. */
export function structuralOf(message: MessageSchema, above: readonly MessageSchema[] = []): StructuralSchema {
  switch (message.special) {
    case undefined:
      break;
    case 'Time':
    case 'MicroTime':
      return TIME;
    case 'Duration':
      return TEXT;
    case 'StringList':
      return { type: 'array', items: TEXT };
    default:
      return ANYTHING;
  }
  if (above.includes(message)) return ANYTHING;
  const properties: Record<string, StructuralSchema> = message.hasTypeMeta ? { kind: TEXT, apiVersion: TEXT } : {};
  for (const [name, field] of message.fields) properties[name] = structuralOfField(field, [...above, message]);
  return { type: 'object', properties };
}

function structuralOfField(field: Field, above: readonly MessageSchema[]): StructuralSchema {
  const one = structuralOfElement(field, above);
  if (field.shape === 'repeated') return { type: 'array', items: one };
  return field.shape === 'map' ? { type: 'object', additionalProperties: one } : one;
}

function structuralOfElement({ kind, message }: Field, above: readonly MessageSchema[]): StructuralSchema {
  switch (kind) {
    case 'string':
      return TEXT;
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'bool':
      return { type: 'boolean' };
    case 'double':
      return { type: 'number' };
    case 'message':
      return message === undefined ? ANYTHING : structuralOf(message, above);
    default:
      return { type: 'integer' };
  }
}
