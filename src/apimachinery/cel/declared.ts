/** Schemas as expressions see them: types with fields, and how large their values can be (upstream's `SchemaDeclType`). */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { itemsOf, type StructuralSchema } from '../structural/schema.ts';
import { escapeName } from './escape.ts';
import { celEqual } from './values.ts';

export type DeclaredKind =
  | 'dyn'
  | 'list'
  | 'map'
  | 'object'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'bool'
  | 'double'
  | 'int';

/** What is known of the values of a schema. */
export interface Declared {
  kind: DeclaredKind;
  /** The type's name in expressions: `int`, `list<string>`, `selfType2`. */
  type: string;
  nullable: boolean;
  /** Most items, entries, characters or bytes that a value in one request can have; 0 for what has no size, as objects. */
  maxElements: number;
  /** Bytes of the shortest JSON of a value. */
  minSize: number;
  /** Of an object, by the names that expressions use. */
  fields?: ReadonlyMap<string, { property: string; declared: Declared }>;
  /** Of a list or a map. */
  element?: Declared;
  /** Of an object: what its values are made by. */
  constructs?: new () => Map<string, unknown>;
  /** Of a list: whether order counts (`atomic`), or what makes an item the same. */
  listType?: 'atomic' | 'set' | 'map';
  /** Of a list that is a map: the fields, by the names that expressions use. */
  keys?: readonly string[];
}

const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const TEXT: StructuralSchema = { type: 'string' };

/** The schema of a resource's head, that every rule at its root sees. */
const HEAD: Record<string, StructuralSchema> = {
  kind: TEXT,
  apiVersion: TEXT,
  metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
};

/**
 * Declares a schema; undefined where expressions see nothing of its values. `isRoot` of a whole (or embedded) resource. `name` is what the
 * names of its types begin with: where an environment has types of several schemas, they differ.
 */
export function declare(schema: StructuralSchema, isRoot: boolean, name = 'selfType'): Declared | undefined {
  return declareNext(schema, isRoot, { name, next: 0 });
}

type Counter = { name: string; next: number };

function declareNext(schema: StructuralSchema, isRoot: boolean, counter: Counter): Declared | undefined {
  const nullable = schema.nullable === true;
  if (schema['x-kubernetes-int-or-string'] === true) {
    const most = schema.maxLength === undefined ? MAX_REQUEST_BYTES - 2 : schema.maxLength * 4;
    return { kind: 'dyn', type: 'dyn', nullable, maxElements: most, minSize: 1 };
  }
  switch (schema.type) {
    case 'array':
      return declareList(schema, nullable, counter);
    case 'object':
      return typeof schema.additionalProperties === 'object' && !isRoot
        ? declareMap(schema, schema.additionalProperties, nullable, counter)
        : declareObject(schema, isRoot, nullable, counter);
    case 'string':
      return { ...declareText(schema), nullable };
    case 'boolean':
      return { kind: 'bool', type: 'bool', nullable, maxElements: 0, minSize: 4 };
    case 'number':
      return { kind: 'double', type: 'double', nullable, maxElements: 0, minSize: 1 };
    case 'integer':
      return { kind: 'int', type: 'int', nullable, maxElements: 0, minSize: 1 };
    default:
      return undefined;
  }
}

const isEmbedded = (schema: StructuralSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

function declareList(schema: StructuralSchema, nullable: boolean, counter: Counter): Declared | undefined {
  const items = itemsOf(schema);
  const element = items === undefined ? undefined : declareNext(items, isEmbedded(items), counter);
  if (element === undefined) return undefined;
  const maxElements = schema.maxItems ?? Math.floor((MAX_REQUEST_BYTES - 2) / (element.minSize + 1));
  const said = schema['x-kubernetes-list-type'];
  const listType = said === 'set' || said === 'map' ? said : 'atomic';
  const keys = schema['x-kubernetes-list-map-keys']?.flatMap((key) => escapeName(key) ?? []) ?? [];
  const type = `list<${typeInside(element)}>`;
  return { kind: 'list', type, nullable, maxElements, minSize: 2, element, listType, keys };
}

function declareMap(schema: StructuralSchema, values: StructuralSchema, nullable: boolean, counter: Counter) {
  const element = declareNext(values, isEmbedded(values), counter);
  if (element === undefined) return undefined;
  const maxElements = schema.maxProperties ?? Math.floor((MAX_REQUEST_BYTES - 2) / (element.minSize + 6));
  const type = `map<string, ${typeInside(element)}>`;
  return { kind: 'map', type, nullable, maxElements, minSize: 2, element } satisfies Declared;
}

function declareObject(schema: StructuralSchema, isRoot: boolean, nullable: boolean, counter: Counter): Declared {
  const properties = isRoot ? { ...schema.properties, ...HEAD } : (schema.properties ?? {});
  const type = `${counter.name}${counter.next++}`;
  const fields = new Map<string, { property: string; declared: Declared }>();
  let minSize = 2;
  for (const [property, inner] of Object.entries(properties)) {
    const declared = declareNext(inner, isEmbedded(inner), counter);
    if (declared === undefined) continue;
    const name = escapeName(property);
    if (name !== undefined) fields.set(name, { property, declared });
    // After a dot a keyword is a name, too.
    if (name === `__${property}__`) fields.set(property, { property, declared });
    const isRequired = schema.required?.includes(property) === true && inner.default === undefined;
    if (isRequired) minSize += property.length + declared.minSize + 4;
  }
  const constructs = class extends Map<string, unknown> {};
  return { kind: 'object', type, nullable, maxElements: 0, minSize, fields, constructs };
}

function declareText({ format, maxLength, enum: values }: StructuralSchema): Omit<Declared, 'nullable'> {
  switch (format) {
    case 'byte':
      return { kind: 'bytes', type: 'bytes', maxElements: maxLength ?? MAX_REQUEST_BYTES - 2, minSize: 2 };
    case 'duration':
      return { kind: 'duration', type: 'google.protobuf.Duration', maxElements: 32, minSize: 3 };
    case 'date':
      return { kind: 'timestamp', type: 'google.protobuf.Timestamp', maxElements: 12, minSize: 12 };
    case 'date-time':
      return { kind: 'timestamp', type: 'google.protobuf.Timestamp', maxElements: 32, minSize: 21 };
    default: {
      const longest = Math.max(0, ...(values ?? []).map((value) => (typeof value === 'string' ? value.length : 0)));
      // What is counted in characters may be four times as many bytes.
      const most = maxLength === undefined ? (values?.length ? longest : MAX_REQUEST_BYTES - 2) : maxLength * 4;
      return { kind: 'string', type: 'string', maxElements: most, minSize: 2 };
    }
  }
}

/** The type of a field or an item: what may be null is checked when it is evaluated. */
function typeInside({ type, kind, nullable }: Declared): string {
  if (!nullable) return type;
  return kind === 'object' || kind === 'list' || kind === 'map' || kind === 'dyn' ? 'dyn' : `dyn<${type}>`;
}

/** Makes the types of objects known to an environment, in place. */
export function registerDeclared(environment: Environment, declared: Declared): void {
  if (declared.element !== undefined) registerDeclared(environment, declared.element);
  if (declared.kind !== 'object') return;
  for (const { declared: inner } of declared.fields?.values() ?? []) registerDeclared(environment, inner);
  const fields: Record<string, string> = {};
  for (const [name, { declared: inner }] of declared.fields ?? []) fields[name] = typeInside(inner);
  const { type, constructs } = declared;
  if (constructs !== undefined) environment.registerType(type, { ctor: constructs, fields });
  environment.registerOperator(`${type} == ${type}`, (a: unknown, b: unknown) => celEqual(a, b));
  environment.registerOperator(`${type} == null`, () => false);
}
