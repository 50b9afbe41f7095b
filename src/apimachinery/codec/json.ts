/** JSON bodies against their schema: one walk that checks types, drops nulls and collects unknown fields. */
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { canonical, quantityErrors } from '../quantity.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { findDuplicates } from './duplicates.ts';
import { parseMicroTime, parseTime } from './time.ts';

export interface Decoded {
  object: JsonObject;
  /** Paths of fields that the schema does not have; they are not in the object. */
  unknown: string[];
  /** Paths of keys that stand more than once; the last one counts. */
  duplicate: string[];
}

const MAX_DEPTH = 500;
/** No more unknown fields than this are named. */
const MAX_NAMED = 100;

interface State {
  kind: string;
  apiVersion: string;
  unknown: string[];
}

/**
 * Decodes a JSON text, or a value that was parsed already. Without a schema nothing is checked. `strict` looks for duplicate fields too.
 * Throws BadRequest for what is no JSON object or has a value of the wrong type.
 */
export function decodeJson(
  input: string | Json,
  schema: MessageSchema | undefined,
  { strict }: { strict: boolean },
): Decoded {
  const value = typeof input === 'string' ? parse(input) : input;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(`couldn't get version/kind; json parse error: json: cannot unmarshal ${typeOf(value)} into Go value of type struct`);
  }
  const duplicate = strict && typeof input === 'string' ? findDuplicates(input) : [];
  if (schema === undefined) return { object: value, unknown: [], duplicate };
  const state: State = {
    kind: schema.name.slice(schema.name.lastIndexOf('.') + 1),
    apiVersion: typeof value['apiVersion'] === 'string' ? value['apiVersion'] : '',
    unknown: [],
  };
  return { object: message(value, schema, '', state, 0), unknown: state.unknown, duplicate };
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

/** `strict decoding error: unknown field "spec.foo", duplicate field "spec.x"`. */
export function strictErrors(unknown: readonly string[], duplicate: readonly string[]): string {
  const parts = [...duplicate.map((f) => `duplicate field "${f}"`), ...unknown.map((f) => `unknown field "${f}"`)];
  return `strict decoding error: ${parts.join(', ')}`;
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function message(value: JsonObject, schema: MessageSchema, path: string, state: State, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw badRequest('the object is nested too deeply');
  const result: JsonObject = {};
  for (const key in value) {
    const raw = value[key];
    if (raw === null || raw === undefined) continue;
    if (schema.hasTypeMeta && (key === 'kind' || key === 'apiVersion')) {
      if (typeof raw !== 'string') throw wrongType(raw, 'string', join(path, key), schema, state);
      result[key] = raw;
      continue;
    }
    const field = schema.fields.get(key);
    if (field === undefined) {
      if (state.unknown.length < MAX_NAMED) state.unknown.push(join(path, key));
      continue;
    }
    const decoded = fieldValue(raw, field, path, schema, state, depth);
    if (decoded !== undefined) result[key] = decoded;
  }
  return result;
}

function fieldValue(
  raw: Json,
  field: Field,
  parent: string,
  schema: MessageSchema,
  state: State,
  depth: number,
): Json | undefined {
  const path = join(parent, field.name);
  if (field.shape === 'one') return single(raw, field, path, schema, state, depth);
  if (field.shape === 'repeated') {
    if (!Array.isArray(raw)) throw wrongType(raw, `[]${goType(field)}`, path, schema, state);
    return raw.map((entry, i) => {
      // Go keeps a null entry as a zero value.
      if (entry === null) return field.kind === 'message' ? {} : zeroOf(field);
      return single(entry, field, `${path}[${i}]`, schema, state, depth) as Json;
    });
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw wrongType(raw, `map[string]${goType(field)}`, path, schema, state);
  }
  const result: JsonObject = {};
  for (const key in raw) {
    const entry = raw[key];
    const decoded = entry === null ? zeroOf(field) : single(entry as Json, field, `${path}.${key}`, schema, state, depth);
    if (decoded !== undefined) define(result, key, decoded);
  }
  return result;
}

/** Maps are keyed by clients: `__proto__` is a key like any other. */
function define(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else object[key] = value;
}

function zeroOf(field: Field): Json {
  switch (field.kind) {
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'message':
      return field.message?.special === 'Quantity' ? '0' : {};
    default:
      return 0;
  }
}

function single(raw: Json, field: Field, path: string, schema: MessageSchema, state: State, depth: number): Json | undefined {
  switch (field.kind) {
    case 'string':
      if (typeof raw !== 'string') throw wrongType(raw, 'string', path, schema, state);
      return raw;
    case 'bool':
      if (typeof raw !== 'boolean') throw wrongType(raw, 'bool', path, schema, state);
      return raw;
    case 'int32':
    case 'int64':
      return integer(raw, field.kind, path, schema, state);
    case 'double':
      if (typeof raw !== 'number') throw wrongType(raw, 'float64', path, schema, state);
      return raw;
    case 'bytes':
      return bytes(raw, path, schema, state);
    default:
      return nested(raw, field.message as MessageSchema, path, schema, state, depth);
  }
}

const MAX_INT32 = 2 ** 31;

function integer(raw: Json, kind: 'int32' | 'int64', path: string, schema: MessageSchema, state: State): number {
  if (typeof raw !== 'number') throw wrongType(raw, kind, path, schema, state);
  const fits = kind === 'int64' || (raw >= -MAX_INT32 && raw < MAX_INT32);
  if (!Number.isInteger(raw) || !fits) throw wrongType(raw, kind, path, schema, state, `number ${raw}`);
  return raw;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function bytes(raw: Json, path: string, schema: MessageSchema, state: State): string {
  if (typeof raw !== 'string') throw wrongType(raw, '[]uint8', path, schema, state);
  const text = raw.replaceAll(/[\r\n]/g, '');
  if (!BASE64.test(text)) {
    const at = text.search(/[^A-Za-z0-9+/]/);
    throw handled(state, `illegal base64 data at input byte ${at < 0 ? text.length : at}`);
  }
  return text;
}

function nested(
  raw: Json,
  inner: MessageSchema,
  path: string,
  schema: MessageSchema,
  state: State,
  depth: number,
): Json | undefined {
  switch (inner.special) {
    case undefined:
      if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
        throw wrongType(raw, goName(inner), path, schema, state);
      }
      return message(raw, inner, path, state, depth + 1);
    case 'Quantity':
      return quantity(raw, path, state);
    case 'IntOrString':
      if (typeof raw === 'string') return raw;
      return integer(raw, 'int32', path, schema, state);
    case 'Time':
    case 'MicroTime':
      return time(raw, inner.special, path, schema, state);
    case 'Duration':
      if (typeof raw !== 'string') throw wrongType(raw, 'string', path, schema, state);
      return raw;
    case 'StringList':
      if (!Array.isArray(raw) || raw.some((entry) => typeof entry !== 'string')) {
        throw wrongType(raw, '[]string', path, schema, state);
      }
      return raw;
    case 'Raw':
      return raw;
    default:
      return either(raw, inner, path, state, depth);
  }
}

/** JSONSchemaPropsOrArray, …OrBool, …OrStringArray: a schema, or the other thing as it is. */
function either(raw: Json, inner: MessageSchema, path: string, state: State, depth: number): Json {
  const schema = inner.fields.get('schema')?.message as MessageSchema;
  if (Array.isArray(raw)) {
    if (inner.special !== 'SchemaOrArray') return raw;
    return raw.map((entry, i) =>
      typeof entry === 'object' && entry !== null && !Array.isArray(entry)
        ? message(entry, schema, `${path}[${i}]`, state, depth + 1)
        : entry,
    );
  }
  return typeof raw === 'object' && raw !== null ? message(raw, schema, path, state, depth + 1) : raw;
}

function quantity(raw: Json, path: string, state: State): string {
  const text = typeof raw === 'number' ? String(raw) : raw;
  if (typeof text !== 'string') throw handled(state, `json: cannot unmarshal ${typeOf(raw)} into a quantity at ${path}`);
  const trimmed = text.trim();
  const [problem] = quantityErrors(trimmed);
  if (problem !== undefined) throw handled(state, problem);
  return canonical(trimmed);
}

function time(raw: Json, special: 'Time' | 'MicroTime', path: string, schema: MessageSchema, state: State): string | undefined {
  if (typeof raw !== 'string') throw wrongType(raw, 'string', path, schema, state);
  if (raw === '') return undefined;
  const parsed = special === 'Time' ? parseTime(raw) : parseMicroTime(raw);
  if (parsed === undefined) {
    throw handled(state, `parsing time ${JSON.stringify(raw)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
  }
  return parsed;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const goName = (schema: MessageSchema): string => {
  const [group = '', version = '', kind] = schema.name.split('.');
  return kind === undefined ? `${group}.${version}` : `${version}.${kind}`;
};

function goType(field: Field): string {
  if (field.kind === 'message') return goName(field.message as MessageSchema);
  return { string: 'string', bool: 'bool', int32: 'int32', int64: 'int64', double: 'float64', bytes: '[]uint8' }[field.kind];
}

function wrongType(raw: Json, wanted: string, path: string, schema: MessageSchema, state: State, given = typeOf(raw)) {
  const struct = schema.name.slice(schema.name.lastIndexOf('.') + 1);
  const field = path.replaceAll(/\[\d+\]/g, '');
  return handled(state, `json: cannot unmarshal ${given} into Go struct field ${struct}.${field} of type ${wanted}`);
}

function handled({ kind, apiVersion }: State, why: string) {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1) || 'v1';
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}
