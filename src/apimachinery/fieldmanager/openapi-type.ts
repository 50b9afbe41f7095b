/** Types of custom resources, from the OpenAPI schema that their definition brings (upstream's `schemaconv`). */
import type { Json } from '../meta.ts';
import {
  ATOMIC,
  asObject,
  DEDUCED,
  type FieldType,
  type ListType,
  type MapType,
  mapOf,
  type Type,
  UNTYPED,
} from './types.ts';

/** What of a structural schema says how values merge (`apiextensions.v1.JSONSchemaProps`). */
export interface OpenApiSchema {
  type?: string;
  properties?: { [name: string]: OpenApiSchema };
  additionalProperties?: OpenApiSchema | boolean;
  items?: OpenApiSchema | OpenApiSchema[];
  default?: Json;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
}

const types = new WeakMap<OpenApiSchema, MapType>();

/** The type of a custom resource; without a schema everything is deduced. `metadata` is the type of ObjectMeta. */
export function typeOfOpenApi(schema: OpenApiSchema | undefined, metadata: MapType): MapType {
  const known = schema === undefined ? undefined : types.get(schema);
  if (known !== undefined) return known;
  const properties = schema?.properties ?? {};
  const fields = new Map<string, FieldType>();
  for (const [name, property] of Object.entries(properties)) fields.set(name, fieldOf(property));
  fields.set('metadata', { type: metadata, zero: undefined });
  const open = schema === undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const type = asObject(mapOf(false, fields, open ? DEDUCED : undefined));
  if (schema !== undefined) types.set(schema, type);
  return type;
}

const fieldOf = (schema: OpenApiSchema): FieldType => ({ type: typeOf(schema), zero: undefined, keepsEmpty: true });

function typeOf(schema: OpenApiSchema): Type {
  if (schema['x-kubernetes-int-or-string']) return UNTYPED;
  switch (schema.type) {
    case 'string':
      return { kind: 'scalar', accepts: 'string' };
    case 'boolean':
      return { kind: 'scalar', accepts: 'boolean' };
    case 'integer':
    case 'number':
      return { kind: 'scalar', accepts: 'numeric' };
    case 'array':
      return listOf(schema);
    case 'object':
      return objectOf(schema);
    default:
      return schema['x-kubernetes-preserve-unknown-fields'] ? DEDUCED : ATOMIC;
  }
}

function listOf(schema: OpenApiSchema): ListType {
  const items = Array.isArray(schema.items) ? schema.items[0] : schema.items;
  const declared = schema['x-kubernetes-list-type'];
  const relation = declared === 'set' || declared === 'map' ? declared : 'atomic';
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const defaults: Record<string, Json> = {};
  for (const key of keys) {
    const value = items?.properties?.[key]?.default;
    if (value !== undefined) defaults[key] = value;
  }
  return { kind: 'list', relation, keys, defaults, zeros: {}, item: items === undefined ? DEDUCED : typeOf(items) };
}

function objectOf(schema: OpenApiSchema): Type {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  const { additionalProperties: more } = schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const values = typeof more === 'object' ? typeOf(more) : more === true || open ? DEDUCED : undefined;
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) {
    if (values === undefined) return open ? DEDUCED : ATOMIC;
    if (values === DEDUCED) return atomic ? ATOMIC : DEDUCED;
    return { kind: 'map', atomic, fields: undefined, values, zeros: [] };
  }
  return mapOf(atomic, new Map(properties.map(([name, property]) => [name, fieldOf(property)])), values);
}
