/** What the schema of a custom resource may say (`ValidateCustomResourceDefinitionOpenAPISchema`). */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { ruleFieldErrors } from './rules.ts';
import { additionalOf, itemsOf } from './structural.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'set', 'map'];
const MAP_TYPES = ['atomic', 'granular'];
/** Parts of JSON Schema that are not taken. */
const UNSUPPORTED = ['$ref', 'id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies'];
const HEAD = ['metadata', 'kind', 'apiVersion'];

/** Where a schema stands. */
interface Place {
  isRoot: boolean;
  /** Within what every object has. */
  inHead: boolean;
  /** Why there may be no default. */
  noDefault?: string;
}

/** Errors of a schema and all below it, with the schemas in or below which there are any. */
export function schemaErrors(
  schema: JSONSchemaProps,
  path: string,
): { errors: FieldError[]; wrong: Set<JSONSchemaProps> } {
  const errors: FieldError[] = [];
  const wrong = new Set<JSONSchemaProps>();
  walk(schema, path, { isRoot: true, inHead: false }, errors, wrong);
  return { errors, wrong };
}

function walk(
  schema: JSONSchemaProps,
  path: string,
  place: Place,
  errors: FieldError[],
  wrong: Set<JSONSchemaProps>,
): void {
  const before = errors.length;
  const into = (inner: JSONSchemaProps | undefined, at: string, where: Place = place): void => {
    if (inner !== undefined) walk(inner, `${path}.${at}`, { ...where, isRoot: false }, errors, wrong);
  };
  plainErrors(schema, path, place, errors);
  additionalErrors(schema, path, errors);
  const withoutDefaults = { ...place, noDefault: 'inside additionalProperties applying to object metadata' };
  into(additionalOf(schema), 'additionalProperties', place.inHead ? withoutDefaults : place);
  const isResource = place.isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const isHead = isResource && HEAD.includes(name);
    const inside: Place = isHead ? { ...place, inHead: true } : place;
    into(
      property,
      `properties[${name}]`,
      isHead && place.isRoot ? { ...inside, noDefault: `in top-level ${name}` } : inside,
    );
  }
  into(schema.not, 'not');
  for (const field of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[field]?.forEach((inner, index) => {
      into(inner, `${field}[${index}]`);
    });
  }
  for (const [name, inner] of Object.entries(schema.definitions ?? {})) into(inner, `definitions[${name}]`);
  into(itemsOf(schema), 'items');
  if (Array.isArray(schema.items)) {
    schema.items.forEach((inner: JSONSchemaProps, index: number) => {
      into(inner, `items[${index}]`);
    });
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  listErrors(schema, path, errors);
  keyErrors(schema, path, errors);
  ruleFieldErrors(schema, path, errors);
  if (errors.length > before) wrong.add(schema);
}

function plainErrors(schema: JSONSchemaProps, path: string, place: Place, errors: FieldError[]): void {
  const said = schema as Readonly<Record<string, unknown>>;
  const { type = '' } = schema;
  if (type !== '' && !TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, TYPES));
  if (type === 'null') {
    const detail = 'type cannot be set to null, use nullable as an alternative';
    errors.push(forbiddenField(`${path}.type`, detail));
  }
  if (schema.default !== undefined && schema.default !== null && place.noDefault !== undefined) {
    errors.push(forbiddenField(`${path}.default`, `must not be set ${place.noDefault}`));
  }
  for (const field of UNSUPPORTED) {
    const value = said[field];
    const isEmptyMap = typeof value === 'object' && Object.keys(value ?? {}).length === 0;
    if (value === undefined || (field === 'id' && value === '')) continue;
    if (isEmptyMap && (field === 'patternProperties' || field === 'definitions')) continue;
    errors.push(forbiddenField(`${path}.${field}`, `${field} is not supported`));
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (place.inHead && schema['x-kubernetes-embedded-resource'] === true) {
    const detail = 'must not be used inside of resource meta';
    errors.push(forbiddenField(`${path}.x-kubernetes-embedded-resource`, detail));
  }
  if (schema.uniqueItems === true) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenField(`${path}.uniqueItems`, detail));
  }
}

function additionalErrors(
  { additionalProperties, properties = {} }: JSONSchemaProps,
  path: string,
  errors: FieldError[],
) {
  if (additionalProperties === undefined || additionalProperties === true) return;
  if (Object.keys(properties).length === 0) return;
  const detail = 'additionalProperties and properties are mutual exclusive';
  errors.push(forbiddenField(`${path}.additionalProperties`, detail));
}

function listErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const { type = '', 'x-kubernetes-list-type': list, 'x-kubernetes-map-type': map } = schema;
  const must = (what: string, why: string): void => {
    if (type === what) return;
    const detail = `must be ${what} if ${why} is specified`;
    errors.push(type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
  };
  if (map !== undefined) {
    must('object', 'x-kubernetes-map-type');
    if (!MAP_TYPES.includes(map)) errors.push(notSupported(`${path}.x-kubernetes-map-type`, map, MAP_TYPES));
  }
  if (list === undefined) return;
  must('array', 'x-kubernetes-list-type');
  if (type === 'array' && list === 'set') setItemErrors(itemsOf(schema), `${path}.items`, errors);
  if (!LIST_TYPES.includes(list)) errors.push(notSupported(`${path}.x-kubernetes-list-type`, list, LIST_TYPES));
  const items = itemsOf(schema);
  if ((list === 'set' || list === 'map') && items?.nullable === true) {
    errors.push(forbiddenField(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${list}`));
  }
}

/** What is told apart by all that it is, changes as a whole. */
function setItemErrors(items: JSONSchemaProps | undefined, path: string, errors: FieldError[]): void {
  const { 'x-kubernetes-list-type': list, 'x-kubernetes-map-type': map } = items ?? {};
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  if (items?.type === 'array' && list !== undefined && list !== 'atomic') {
    errors.push(invalid(`${path}.x-kubernetes-list-type`, list, detail));
  }
  // Upstream shows the type of the list here.
  if (items?.type === 'object' && map !== 'atomic') errors.push(invalid(`${path}.x-kubernetes-map-type`, list, detail));
}

function keyErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const list = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length > 0 && list !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const field = `${path}.x-kubernetes-list-type`;
    errors.push(list === undefined ? required(field, detail) : invalid(field, list, detail));
  }
  if (list !== 'map') return;
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (schema.items === undefined) {
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  }
  const items = itemsOf(schema);
  if (items === undefined) return;
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, items.type ?? '', detail));
  }
  keys.forEach((key, index) => {
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined;
    const field = `${path}.items.properties[${key}]`;
    if (items.type === 'object') {
      if (property === undefined) errors.push(invalid(at, keys, 'entries must all be names of item properties'));
      else if (property.type === 'array' || property.type === 'object') {
        const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.push(invalid(`${field}.type`, items.type, detail));
      }
      if (keys.indexOf(key) < index) errors.push(invalid(at, keys, 'must not contain duplicate entries'));
    }
    if (property === undefined) return;
    const why = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!items.required?.includes(key) && (property.default === undefined || property.default === null)) {
      errors.push(required(`${field}.default`, `${why} must have a default or be a required property`));
    }
    if (property.nullable === true) errors.push(forbiddenField(`${field}.nullable`, `${why} cannot be nullable`));
  });
}
