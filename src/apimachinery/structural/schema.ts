/** Structural schemas of custom resources (`apiextensions.JSONSchemaProps` that passed validation), and how to walk along them. */
import type { Json, JsonObject } from '../meta.ts';

/** A rule in CEL (`x-kubernetes-validations`). */
export interface ValidationRule {
  rule?: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** The keywords that a stored schema can have. */
export interface StructuralSchema {
  type?: string;
  format?: string;
  description?: string;
  default?: Json;
  maximum?: number;
  exclusiveMaximum?: boolean;
  minimum?: number;
  exclusiveMinimum?: boolean;
  maxLength?: number;
  minLength?: number;
  pattern?: string;
  maxItems?: number;
  minItems?: number;
  uniqueItems?: boolean;
  multipleOf?: number;
  enum?: Json[];
  maxProperties?: number;
  minProperties?: number;
  required?: string[];
  items?: StructuralSchema | StructuralSchema[];
  allOf?: StructuralSchema[];
  oneOf?: StructuralSchema[];
  anyOf?: StructuralSchema[];
  not?: StructuralSchema;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema | boolean;
  nullable?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-validations'?: ValidationRule[];
}

/** Whether a value is a JSON object. */
export const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema of a list's items; a structural schema has one for all. */
export function itemsOf(schema: StructuralSchema): StructuralSchema | undefined {
  return Array.isArray(schema.items) ? schema.items[0] : schema.items;
}

/** The schema of a field: that of its name, else that of all other fields. Undefined where nothing is said of it. */
export function fieldOf(schema: StructuralSchema, name: string): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
