/** JSON bodies against their schema: one walk that checks types and drops nulls and unknown fields. */
import { badRequest, type StatusError } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { base64Problem, toBase64 } from './base64.ts';
import { checkDepth, define, MAX_DEPTH } from './depth.ts';
import { hasDuplicates } from './duplicates.ts';
import { merged, orderedOf, parseOrdered } from './ordered.ts';
import { goPathOf, kindOf, type Place } from './place.ts';
import { strictProblems } from './strict.ts';
import { amountOf, durationOf, isObject, Mismatch, quantityOf, timeOf, typeOf } from './values.ts';

export interface Decoded {
  object: JsonObject;
  /** What strict decoding complains of, such as `unknown field "spec.foo"`; such fields are not in the object, and of duplicates the last counts. */
  problems: string[];
}

interface State {
  /** Whether fields were met that the schema does not have. */
  unknown: boolean;
}

/**
 * Decodes a JSON text, or a value that was parsed already. Without a schema only its depth is checked. `strict` asks for problems;
 * `path` is where the value stands in its object. Throws BadRequest for what is no JSON object or has a value of the wrong type.
 */
export function decodeJson(
  input: string | Json,
  schema: MessageSchema | undefined,
  { strict, path = '' }: { strict: boolean; path?: string },
): Decoded {
  const parsed = typeof input === 'string' ? parse(input) : input;
  const ordered = typeof input === 'string' && hasDuplicates(input) ? parseOrdered(input) : undefined;
  const value = ordered === undefined ? parsed : merged(ordered);
  if (!isObject(value)) {
    const into =
      'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeOf(value)} into ${into}`,
    );
  }
  if (schema === undefined) checkDepth(value);
  const state: State = { unknown: false };
  const object = schema === undefined ? value : checked(value, schema, state);
  const isFlawed = strict && (state.unknown || ordered !== undefined);
  return { object, problems: isFlawed ? strictProblems(ordered ?? orderedOf(parsed), schema, path) : [] };
}

function checked(value: JsonObject, schema: MessageSchema, state: State): JsonObject {
  try {
    return message(value, schema, undefined, state, 0);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const apiVersion = typeof value['apiVersion'] === 'string' ? value['apiVersion'] : 'v1';
    throw cannotHandle(kindOf(schema), apiVersion, error.message);
  }
}

/** Parses a text; throws BadRequest with the position where it goes wrong. */
export function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`couldn't get version/kind; json parse error: ${why}`);
  }
}

/** 400: `Pod in version "v1" cannot be handled as a Pod: why`. */
export function cannotHandle(kind: string, apiVersion: string, why: string): StatusError {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}

function message(
  value: JsonObject,
  schema: MessageSchema,
  parent: Place | undefined,
  state: State,
  depth: number,
): JsonObject {
  if (depth > MAX_DEPTH) throw badRequest('the object is nested too deeply');
  const result: JsonObject = {};
  const { fields, hasTypeMeta } = schema;
  for (const key in value) {
    const raw = value[key];
    const field = fields.get(key);
    if (field === undefined) {
      if (hasTypeMeta && (key === 'kind' || key === 'apiVersion')) {
        if (raw !== null) result[key] = typeMeta(raw as Json, key, schema);
      } else state.unknown = true;
      continue;
    }
    if (raw === null || raw === undefined) continue;
    const place: Place = { parent, schema, field };
    const decoded = field.shape === 'one' ? single(raw, place, state, depth) : several(raw, place, state, depth);
    if (decoded !== undefined) result[key] = decoded;
  }
  return result;
}

function typeMeta(raw: Json, key: string, schema: MessageSchema): string {
  if (typeof raw !== 'string') {
    throw new Mismatch(
      `json: cannot unmarshal ${typeOf(raw)} into Go struct field ${kindOf(schema)}.${key} of type string`,
    );
  }
  return raw;
}

function several(raw: Json, place: Place, state: State, depth: number): Json {
  const { field } = place;
  if (field.shape === 'repeated') {
    if (!Array.isArray(raw)) throw wrongType(raw, `[]${goType(field)}`, place);
    // Go keeps a null item as a zero value.
    return raw.map((entry) => (entry === null ? zeroOf(field) : (single(entry, place, state, depth) ?? null)));
  }
  if (!isObject(raw))
    throw wrongType(raw, isQuantities(field) ? 'v1.ResourceList' : `map[string]${goType(field)}`, place);
  const result: JsonObject = {};
  for (const key in raw) {
    const entry = raw[key] as Json;
    const decoded =
      entry === null ? zeroOf(field) : isQuantities(field) ? amountOf(entry) : single(entry, place, state, depth);
    define(result, key, decoded ?? null);
  }
  return result;
}

const isQuantities = ({ message }: Field): boolean => message?.special === 'Quantity';

function zeroOf(field: Field): Json {
  switch (field.kind) {
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'message':
      return zeroOfMessage(field.message as MessageSchema);
    default:
      return 0;
  }
}

function zeroOfMessage({ special }: MessageSchema): Json {
  if (special === undefined) return {};
  if (special === 'Quantity') return '0';
  return special === 'IntOrString' ? 0 : null;
}

function single(raw: Json, place: Place, state: State, depth: number): Json | undefined {
  switch (place.field.kind) {
    case 'string':
      if (typeof raw !== 'string') throw wrongType(raw, 'string', place);
      return raw;
    case 'bool':
      if (typeof raw !== 'boolean') throw wrongType(raw, 'bool', place);
      return raw;
    case 'int32':
    case 'int64':
      return integer(raw, place.field.kind, place);
    case 'double':
      if (typeof raw !== 'number') throw wrongType(raw, 'float64', place);
      return raw;
    case 'bytes':
      return bytes(raw, place);
    default:
      return nested(raw, place.field.message as MessageSchema, place, state, depth);
  }
}

const LIMITS = { int32: 2 ** 31, int64: 2 ** 63 };

function integer(raw: Json, kind: 'int32' | 'int64', place: Place): number {
  if (typeof raw !== 'number') throw wrongType(raw, kind, place);
  const limit = LIMITS[kind];
  if (!Number.isInteger(raw) || raw < -limit || raw >= limit) throw wrongType(raw, kind, place, `number ${raw}`);
  return raw;
}

function bytes(raw: Json, place: Place): string {
  if (Array.isArray(raw)) return bytesOf(raw, place);
  if (typeof raw !== 'string') throw wrongType(raw, '[]uint8', place);
  const text = raw.includes('\n') || raw.includes('\r') ? raw.replaceAll(/[\r\n]/g, '') : raw;
  const problem = base64Problem(text);
  if (problem >= 0) throw new Mismatch(`illegal base64 data at input byte ${problem}`);
  return text;
}

/** Go reads a list of small numbers as bytes, too. */
function bytesOf(list: readonly Json[], place: Place): string {
  const octets = list.map((entry) => {
    if (typeof entry !== 'number' && entry !== null) throw wrongType(entry, 'uint8', place);
    if (entry !== null && !(Number.isInteger(entry) && entry >= 0 && entry < 256)) {
      throw wrongType(entry, 'uint8', place, `number ${entry}`);
    }
    return entry ?? 0;
  });
  return toBase64(Uint8Array.from(octets));
}

function nested(raw: Json, inner: MessageSchema, place: Place, state: State, depth: number): Json | undefined {
  switch (inner.special) {
    case undefined:
      if (!isObject(raw)) throw wrongType(raw, goName(inner), place);
      return message(raw, inner, place, state, depth + 1);
    case 'Quantity':
      return quantityOf(raw);
    case 'IntOrString':
      return typeof raw === 'string' ? raw : integer(raw, 'int32', place);
    case 'Time':
    case 'MicroTime':
      if (typeof raw !== 'string') throw wrongType(raw, 'string', place);
      return timeOf(raw, inner.special === 'MicroTime');
    case 'Duration':
      if (typeof raw !== 'string') throw wrongType(raw, 'string', place);
      return durationOf(raw);
    case 'StringList':
      if (!Array.isArray(raw)) throw wrongType(raw, goName(inner), place);
      return raw.map((entry) => {
        if (entry !== null && typeof entry !== 'string') throw wrongType(entry, 'string', place);
        return entry ?? '';
      });
    case 'Raw':
      checkDepth(raw, depth);
      return raw;
    default:
      return either(raw, inner, place, state, depth);
  }
}

/** JSONSchemaPropsOrArray, …OrBool, …OrStringArray: a schema, or the other thing. */
function either(raw: Json, inner: MessageSchema, place: Place, state: State, depth: number): Json | undefined {
  const schema = inner.fields.get('schema')?.message as MessageSchema;
  if (isObject(raw)) return message(raw, schema, place, state, depth + 1);
  switch (inner.special) {
    case 'SchemaOrArray':
      // Upstream's own decoder looks at the first character alone, and makes nothing of what is neither.
      if (!Array.isArray(raw) || raw.length === 0) return undefined;
      return raw.map((entry) => {
        if (!isObject(entry)) throw wrongType(entry, goName(schema), place);
        return message(entry, schema, place, state, depth + 1);
      });
    case 'SchemaOrBool':
      if (typeof raw === 'boolean') return raw;
      throw new Mismatch('boolean or JSON schema expected');
    default:
      if (!Array.isArray(raw)) break;
      for (const entry of raw) if (typeof entry !== 'string') throw wrongType(entry, 'string', place);
      return raw;
  }
  throw wrongType(raw, goName(schema), place);
}

const goName = (schema: MessageSchema): string => {
  const [group = '', version = '', kind] = schema.name.split('.');
  return kind === undefined ? `${group}.${version}` : `${version}.${kind}`;
};

const GO_TYPES = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
};

function goType(field: Field): string {
  return field.kind === 'message' ? goName(field.message as MessageSchema) : GO_TYPES[field.kind];
}

function wrongType(raw: Json, wanted: string, place: Place, given = typeOf(raw)): Mismatch {
  return new Mismatch(`json: cannot unmarshal ${given} into Go struct field ${goPathOf(place)} of type ${wanted}`);
}
