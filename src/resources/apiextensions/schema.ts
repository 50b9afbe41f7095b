/** What the schema of a custom resource may say: it must be structural, and can do without what costs too much. */
import { deepEqual } from '../../apimachinery/equal.ts';
import {
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
  typeInvalid,
} from '../../apimachinery/field.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { ruleFieldErrors } from './rules.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'set', 'map'];
const MAP_TYPES = ['granular', 'atomic'];
/** Parts of JSON Schema that are not taken. */
const UNSUPPORTED = ['$ref', '$schema', 'id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies'];
type Level = 'root' | 'field' | 'item';

const EMPTY: Record<Level, string> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};

function typeErrors(schema: JSONSchemaProps, level: Level, path: string, errors: FieldError[]): void {
  const at = `${path}.type`;
  const type = schema.type ?? '';
  const isOpen =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === '') {
    if (level === 'root' || !isOpen) errors.push(required(at, EMPTY[level]));
  } else {
    if (level === 'root' && type !== 'object') errors.push(invalid(at, type, 'must be object at the root'));
    if (!TYPES.includes(type)) errors.push(notSupported(at, type, TYPES));
  }
  if (schema['x-kubernetes-int-or-string'] === true && type !== '') {
    errors.push(forbiddenField(at, 'must be empty if x-kubernetes-int-or-string is true'));
  }
  if (schema['x-kubernetes-embedded-resource'] === true && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(at, detail) : invalid(at, type, detail));
  }
}

function listErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const { type = '', 'x-kubernetes-list-type': list, 'x-kubernetes-map-type': map } = schema;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const must = (what: string, why: string): void => {
    if (type === what) return;
    const detail = `must be ${what} if ${why} is specified`;
    errors.push(type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
  };
  if (list !== undefined) {
    must('array', 'x-kubernetes-list-type');
    if (!LIST_TYPES.includes(list)) errors.push(notSupported(`${path}.x-kubernetes-list-type`, list, LIST_TYPES));
  }
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (list === 'map' && keys.length === 0) {
    errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (keys.length > 0 && list !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = `${path}.x-kubernetes-list-type`;
    errors.push(list === undefined ? required(at, detail) : invalid(at, list, detail));
  }
  if (map !== undefined) {
    must('object', 'x-kubernetes-map-type');
    if (!MAP_TYPES.includes(map)) errors.push(notSupported(`${path}.x-kubernetes-map-type`, map, MAP_TYPES));
  }
}

function unsupportedErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const said = schema as Record<string, unknown>;
  for (const field of UNSUPPORTED) {
    const value = said[field];
    if (value === undefined || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) {
      continue;
    }
    errors.push(forbiddenField(`${path}.${field}`, `${field} is not supported`));
  }
  if (schema.uniqueItems === true) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenField(`${path}.uniqueItems`, detail));
  }
  if (schema.additionalProperties === false) {
    errors.push(forbiddenField(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'));
  } else if (schema.additionalProperties !== undefined && Object.keys(schema.properties ?? {}).length > 0) {
    const detail = 'additionalProperties and properties are mutual exclusive';
    errors.push(forbiddenField(`${path}.additionalProperties`, detail));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'));
  }
}

const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

/** Errors of a default by the two rules that almost all defaults are about. */
function defaultErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const { default: value, type = '', enum: values } = schema;
  if (value === undefined) return;
  const at = `${path}.default`;
  const actual = typeOf(value);
  const fits = actual === type || (actual === 'integer' && type === 'number');
  if (type !== '' && !fits && !(value === null && schema.nullable === true)) {
    errors.push(typeInvalid(at, actual, ` in body must be of type ${type}: "${actual}"`));
  }
  if (values !== undefined && values.length > 0 && !values.some((other) => deepEqual(other, value))) {
    const texts = values.map((other) => (typeof other === 'string' ? other : JSON.stringify(other)));
    errors.push(notSupported(at, value, texts));
  }
}

/** What stands in `allOf` and the like says what values are right, not what there is. */
const NOT_IN_VALUE_RULES: [string, string][] = [
  ['description', 'must be empty to be structural'],
  ['type', 'must be empty to be structural'],
  ['title', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['nullable', 'must be false to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
];

function valueRuleErrors(schema: JSONSchemaProps, typeIsFine: boolean, path: string, errors: FieldError[]): void {
  const said = schema as Record<string, unknown>;
  for (const [field, detail] of NOT_IN_VALUE_RULES) {
    const value = said[field];
    const isSaid = value !== undefined && value !== '' && (value !== false || field === 'default');
    if (isSaid && !(field === 'type' && typeIsFine)) errors.push(forbiddenField(`${path}.${field}`, detail));
  }
  valueRules(schema, path, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    valueRuleErrors(property, false, `${path}.properties[${name}]`, errors);
  }
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    valueRuleErrors(schema.items, false, `${path}.items`, errors);
  }
}

function valueRules(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  // A number or a text is said with an anyOf of the two types.
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[field]?.forEach((rule, index) => {
      const at = `${path}.${field}[${index}]`;
      const typeIsFine = isIntOrString && (field === 'anyOf' || field === 'allOf');
      if (typeIsFine && rule.anyOf !== undefined) return;
      valueRuleErrors(rule, typeIsFine, at, errors);
    });
  }
  if (schema.not !== undefined) valueRuleErrors(schema.not, false, `${path}.not`, errors);
}

/** Errors of a schema and all below it. */
export function schemaErrors(schema: JSONSchemaProps, level: Level, path: string, errors: FieldError[]): void {
  unsupportedErrors(schema, path, errors);
  typeErrors(schema, level, path, errors);
  listErrors(schema, path, errors);
  defaultErrors(schema, path, errors);
  valueRules(schema, path, errors);
  ruleFieldErrors(schema, path, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    schemaErrors(property, 'field', `${path}.properties[${name}]`, errors);
  }
  if (typeof schema.additionalProperties === 'object') {
    schemaErrors(schema.additionalProperties, 'field', `${path}.additionalProperties`, errors);
  }
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    schemaErrors(schema.items, 'item', `${path}.items`, errors);
  }
}
