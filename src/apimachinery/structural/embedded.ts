/** Objects within objects (`x-kubernetes-embedded-resource`): their heads are read as those of any object, after upstream's `objectmeta.Coerce`. */
import { cannotHandle, decodeJson, settle } from '../codec/index.ts';
import { StatusError } from '../errors.ts';
import { child, type FieldError, invalid } from '../field.ts';
import type { Json, JsonObject } from '../meta.ts';
import { type MessageSchema, schemaFor } from '../schema/index.ts';
import { fieldOf, isMap, itemsOf, type StructuralSchema } from './schema.ts';

interface State {
  problems: string[];
  refuse(error: FieldError): StatusError;
}

/**
 * Reads in place the metadata of embedded objects. Answers what strict decoding says of fields that metadata does not have, sorted. Throws
 * BadRequest where a value is of the wrong type.
 */
export function coerceEmbedded(object: JsonObject, schema: StructuralSchema): string[] {
  if (!embeds(schema)) return [];
  const refuse = ({ field, body }: FieldError): StatusError =>
    cannotHandle(String(object['kind']), String(object['apiVersion']), `${field}: ${body}`);
  const state: State = { problems: [], refuse };
  coerceMap(object, schema, '', state);
  return state.problems.sort();
}

function coerceMap(map: JsonObject, schema: StructuralSchema, path: string, state: State): void {
  const isResource = schema['x-kubernetes-embedded-resource'] === true;
  for (const name of Object.keys(map)) {
    const value = map[name] as Json;
    if (isResource && (name === 'apiVersion' || name === 'kind') && typeof value !== 'string') {
      throw state.refuse(invalid(child(path, name), value, 'must be a string'));
    }
    if (isResource && name === 'metadata') map[name] = metadata(value, child(path, name), state);
    const field = fieldOf(schema, name);
    if (field !== undefined) coerceValue(map[name] as Json, field, child(path, name), state);
  }
}

function coerceValue(value: Json, schema: StructuralSchema, path: string, state: State): void {
  if (isMap(value)) coerceMap(value, schema, path, state);
  else if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return;
    value.forEach((item, index) => {
      coerceValue(item, items, `${path}[${index}]`, state);
    });
  }
}

function metadata(value: Json, path: string, state: State): JsonObject {
  const schema = schemaFor('v1', 'ConfigMap')?.fields.get('metadata')?.message as MessageSchema;
  try {
    const decoded = decodeJson(value ?? {}, schema, { strict: true, path });
    state.problems.push(...decoded.problems);
    settle(decoded.object, schema);
    return decoded.object;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw state.refuse(invalid(path, value, error.message));
  }
}

const known = new WeakMap<StructuralSchema, boolean>();

/** Whether there are embedded objects anywhere. */
function embeds(schema: StructuralSchema): boolean {
  let found = known.get(schema);
  if (found === undefined) {
    const { properties = {}, additionalProperties } = schema;
    const inner = [...Object.values(properties), itemsOf(schema), additionalProperties];
    found =
      schema['x-kubernetes-embedded-resource'] === true ||
      inner.some((each) => typeof each === 'object' && embeds(each));
    known.set(schema, found);
  }
  return found;
}
