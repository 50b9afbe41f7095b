/** The shapes that server-side apply walks objects by (upstream's `schema.Atom`), made from our schemas once and kept. */
import { zeroIsAbsent } from '../codec/zeros.ts';
import type { Json } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';

export interface ScalarType {
  kind: 'scalar';
  accepts: 'string' | 'numeric' | 'boolean' | 'untyped';
}

export interface ListType {
  kind: 'list';
  relation: 'atomic' | 'set' | 'map';
  /** Of a list map, sorted. */
  keys: readonly string[];
  /** What an absent key means. */
  defaults: Readonly<Record<string, Json>>;
  /** What a required key is where an object leaves it out. */
  zeros: Readonly<Record<string, Json>>;
  readonly item: Type;
}

export interface MapType {
  kind: 'map';
  atomic: boolean;
  /** Undefined: any key, its value being `values`. */
  readonly fields: ReadonlyMap<string, FieldType> | undefined;
  readonly values: Type | undefined;
  /** Fields that Go always writes, with what they are when nobody has set them. */
  readonly zeros: readonly (readonly [string, FieldType])[];
}

/** Whatever the value turns out to be; lists are atomic, maps are not. `atomic`: maps are too. */
export interface DeducedType {
  kind: 'deduced';
  atomic: boolean;
}

export type Type = ScalarType | ListType | MapType | DeducedType;

export interface FieldType {
  type: Type;
  /** What Go writes when nobody has set the field; undefined where it writes nothing. */
  zero: Json | undefined;
  /** Nobody's: upstream strips it from every set. */
  untracked?: boolean;
  /** A zero is the same as nothing. */
  omitsZero?: boolean;
  /** An empty list or map is kept as it is: of custom resources, which Go holds as they come. */
  keepsEmpty?: boolean;
}

export const UNTYPED: ScalarType = { kind: 'scalar', accepts: 'untyped' };
export const DEDUCED: DeducedType = { kind: 'deduced', atomic: false };
export const ATOMIC: DeducedType = { kind: 'deduced', atomic: true };
const STRING: ScalarType = { kind: 'scalar', accepts: 'string' };
const NUMERIC: ScalarType = { kind: 'scalar', accepts: 'numeric' };
const BOOLEAN: ScalarType = { kind: 'scalar', accepts: 'boolean' };
const STRINGS: ListType = { kind: 'list', relation: 'atomic', keys: [], defaults: {}, zeros: {}, item: STRING };

/** Fields of `metadata` that the server owns. */
export const UNTRACKED: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** Fields that the schema requires, and Go leaves out all the same when they are empty. */
const OMITTED = new Set([
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.policyName',
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions',
  'authentication.v1.TokenReviewSpec.token',
  'core.v1.ContainerRestartRule.action',
  'core.v1.ContainerRestartRuleOnExitCodes.operator',
  'core.v1.PodCertificateProjection.keyType',
  'core.v1.PodCertificateProjection.signerName',
  'networking.v1.IPAddressSpec.parentRef',
  'networking.v1.ParentReference.name',
  'networking.v1.ParentReference.resource',
  'resource.v1.CapacityRequestPolicyRange.min',
  'resource.v1.CounterSet.counters',
  'resource.v1.DeviceCounterConsumption.counters',
]);

const messages = new WeakMap<MessageSchema, MapType>();
const roots = new WeakMap<MessageSchema, MapType>();

/** The type of a whole object of a kind. */
export function typeOfObject(schema: MessageSchema): MapType {
  let type = roots.get(schema);
  if (type === undefined) {
    type = asObject(typeOfMessage(schema));
    roots.set(schema, type);
  }
  return type;
}

/** A type as that of a whole object: what the server owns of the metadata is left out. */
export function asObject(type: MapType): MapType {
  const fields = new Map(type.fields);
  for (const name of ['kind', 'apiVersion']) fields.set(name, { type: STRING, zero: undefined, untracked: true });
  const metadata = fields.get('metadata');
  if (metadata?.type.kind === 'map') {
    const inner = new Map(metadata.type.fields);
    for (const [name, field] of inner) if (UNTRACKED.has(name)) inner.set(name, { ...field, untracked: true });
    fields.set('metadata', { ...metadata, type: mapOf(false, inner) });
  }
  return mapOf(type.atomic, fields, type.values);
}

/** A map of named fields, and of `values` under any other name. */
export function mapOf(atomic: boolean, fields: ReadonlyMap<string, FieldType>, values?: Type): MapType {
  const zeros = [...fields].filter(([, field]) => field.zero !== undefined && !field.untracked);
  return { kind: 'map', atomic, fields, values, zeros };
}

/** The type of a message. */
export function typeOfMessage(schema: MessageSchema): MapType {
  let type = messages.get(schema);
  if (type === undefined) {
    type = lazyMap(schema, schema.atomic);
    messages.set(schema, type);
  }
  return type;
}

function lazyMap(schema: MessageSchema, atomic: boolean): MapType {
  let made: MapType | undefined;
  const make = (): MapType => {
    if (made === undefined) {
      const fields = new Map<string, FieldType>();
      if (schema.hasTypeMeta) {
        for (const name of ['kind', 'apiVersion']) fields.set(name, { type: STRING, zero: undefined });
      }
      for (const [name, field] of schema.fields) fields.set(name, fieldTypeOf(schema, field));
      made = mapOf(atomic, fields);
    }
    return made;
  };
  return {
    kind: 'map',
    atomic,
    values: undefined,
    get fields() {
      return make().fields;
    },
    get zeros() {
      return make().zeros;
    },
  };
}

function fieldTypeOf(schema: MessageSchema, field: Field): FieldType {
  const omitted = OMITTED.has(`${schema.name}.${field.name}`);
  return {
    type: typeOfField(field),
    zero: omitted ? undefined : zeroOf(field),
    omitsZero: omitted || (!field.always && zeroIsAbsent(schema, field)),
  };
}

function typeOfField(field: Field): Type {
  switch (field.shape) {
    case 'repeated':
      return listOf(field);
    case 'map': {
      const values = typeOfElement(field);
      return { kind: 'map', atomic: field.atomicMap ?? false, fields: undefined, values, zeros: [] };
    }
    default: {
      const type = typeOfElement(field);
      if (type.kind !== 'map' || field.atomicMap === undefined || field.atomicMap === type.atomic) return type;
      return lazyMap(field.message as MessageSchema, field.atomicMap);
    }
  }
}

function listOf(field: Field): ListType {
  const keys = [...(field.mapKeys ?? [])].sort();
  const defaults: Record<string, Json> = {};
  const zeros: Record<string, Json> = {};
  for (const key of keys) {
    const { default: value, required } = field.message?.fields.get(key) ?? {};
    if (value !== undefined) defaults[key] = value;
    if (required) zeros[key] = zeroOf(field.message?.fields.get(key) as Field) as Json;
  }
  return { kind: 'list', relation: field.listType ?? 'atomic', keys, defaults, zeros, item: typeOfElement(field) };
}

function typeOfElement({ kind, message }: Field): Type {
  switch (kind) {
    case 'string':
    case 'bytes':
      return STRING;
    case 'bool':
      return BOOLEAN;
    case 'message':
      return typeOfSpecial(message as MessageSchema);
    default:
      return NUMERIC;
  }
}

function typeOfSpecial(message: MessageSchema): Type {
  switch (message.special) {
    case undefined:
      return typeOfMessage(message);
    case 'Time':
    case 'MicroTime':
    case 'Duration':
      return STRING;
    case 'Quantity':
    case 'IntOrString':
      return UNTYPED;
    case 'StringList':
      return STRINGS;
    default:
      return ATOMIC;
  }
}

function zeroOf({ kind, shape, message, required, byValue, always }: Field): Json | undefined {
  if (kind === 'message' && shape === 'one') {
    if (byValue || always) return zeroOfMessage(message as MessageSchema);
    return required ? null : undefined;
  }
  if (!required && !always) return undefined;
  if (shape !== 'one') return null;
  return kind === 'string' ? '' : kind === 'bool' ? false : kind === 'bytes' ? null : 0;
}

function zeroOfMessage({ special }: MessageSchema): Json {
  if (special === undefined) return {};
  if (special === 'Quantity') return '0';
  return special === 'IntOrString' ? 0 : null;
}
