/** That a schema is structural: what fields there are is said outside of `allOf` and the like (`schema.ValidateStructural`). */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { patternProblem } from '../../apimachinery/structural/regex.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';

type Level = 'root' | 'field' | 'item';
type Said = Readonly<Record<string, unknown>>;

const EMPTY: Record<Level, string> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];
const ALTERNATIVES = ['anyOf', 'allOf', 'oneOf'] as const;

/** Errors of a schema that a structural one could be made of. */
export function structuralErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, 'root', path, errors);
  ruleCompleteness(schema, schema, path, path, errors);
  return errors;
}

/** The one schema of a list's items. */
export const itemsOf = ({ items }: JSONSchemaProps): JSONSchemaProps | undefined =>
  typeof items === 'object' && items !== null && !Array.isArray(items) ? (items as JSONSchemaProps) : undefined;

/** The schema of all other fields, where it is one. */
export const additionalOf = ({ additionalProperties: more }: JSONSchemaProps): JSONSchemaProps | undefined =>
  typeof more === 'object' ? (more as JSONSchemaProps) : undefined;

/** Why no structural schema can be made of this one (`schema.NewStructural`). */
export function unsupportedField(schema: JSONSchemaProps): string | undefined {
  const said = schema as Said;
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  for (const field of ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'definitions']) {
    if (!isEmpty(said[field])) return `OpenAPIV3Schema '${field === '$schema' ? 'schema' : field}' is not supported`;
  }
  if (said['additionalItems'] !== undefined) return "OpenAPIV3Schema 'additionalItems' is not supported";
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  }
  for (const inner of innerOf(schema)) {
    const problem = unsupportedField(inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** All schemas that stand in one. */
function innerOf(schema: JSONSchemaProps): JSONSchemaProps[] {
  const { properties = {}, not } = schema;
  const alone = [itemsOf(schema), additionalOf(schema), not].flatMap((inner) => inner ?? []);
  return [...alone, ...Object.values(properties), ...ALTERNATIVES.flatMap((field) => schema[field] ?? [])];
}

/** Sees a schema and all that stand in it. */
export function visitSchemas(schema: JSONSchemaProps, see: (inner: JSONSchemaProps) => void): void {
  see(schema);
  for (const inner of innerOf(schema)) visitSchemas(inner, see);
}

function invariants(schema: JSONSchemaProps, level: Level, path: string, errors: FieldError[]): void {
  const items = itemsOf(schema);
  const additional = additionalOf(schema);
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (schema.type === 'array' && items === undefined) errors.push(required(`${path}.items`, 'must be specified'));
  if (items !== undefined) invariants(items, 'item', `${path}.items`, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    invariants(property, 'field', `${path}.properties[${name}]`, errors);
  }
  if (schema.additionalProperties !== undefined) {
    const at = `${path}.additionalProperties`;
    if (level === 'root') errors.push(forbiddenField(at, 'must not be used at the root'));
    if (isEmbedded) errors.push(forbiddenField(at, 'must not be used if x-kubernetes-embedded-resource is set'));
    if (additional !== undefined) invariants(additional, 'field', at, errors);
  }
  extensionErrors(schema, path, errors);
  valueRules(
    schema,
    deepEqual(schema.anyOf, INT_OR_STRING),
    deepEqual(schema.allOf?.[0]?.anyOf, INT_OR_STRING),
    path,
    errors,
  );
  typeErrors(schema, level, path, errors);
  headErrors(schema, level, path, errors);
}

function extensionErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return;
  for (const field of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (schema[field] !== true) continue;
    errors.push(invalid(`${path}.${field}`, true, 'must be false if x-kubernetes-int-or-string is true'));
  }
}

function typeErrors(schema: JSONSchemaProps, level: Level, path: string, errors: FieldError[]): void {
  const at = `${path}.type`;
  const type = schema.type ?? '';
  if (schema['x-kubernetes-embedded-resource'] === true && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(at, detail) : invalid(at, type, detail));
  } else if (
    type === '' &&
    schema['x-kubernetes-int-or-string'] !== true &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  ) {
    errors.push(required(at, EMPTY[level]));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(at, type, 'must be object at the root'));
}

/** What every object has is as it always is. */
function headErrors(schema: JSONSchemaProps, level: Level, path: string, errors: FieldError[]): void {
  const { properties = {} } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const isResource = level === 'root' || isEmbedded;
  const mustBe = (name: string, type: string): void => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isResource || property === undefined || property.type === type) return;
    errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', `must be ${type}`));
  };
  mustBe('kind', 'string');
  mustBe('apiVersion', 'string');
  mustBe('metadata', 'object');
  const { metadata } = properties;
  if (level === 'root' && metadata !== undefined && saysMore(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(`${path}.properties[metadata]`, detail));
  }
  const hasFields = schema['x-kubernetes-preserve-unknown-fields'] === true || Object.keys(properties).length > 0;
  if (isEmbedded && !hasFields) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, detail));
  }
}

/** Whether the metadata is restricted in more than names. */
function saysMore(metadata: JSONSchemaProps): boolean {
  const names = Object.keys(metadata.properties ?? {});
  if (names.some((name) => name !== 'name' && name !== 'generateName')) return true;
  return Object.entries(metadata).some(
    ([field, value]) =>
      !['type', 'default', 'properties'].includes(field) && value !== undefined && value !== false && value !== '',
  );
}

function valueRules(
  schema: JSONSchemaProps,
  skipsAnyOf: boolean,
  skipsFirst: boolean,
  path: string,
  errors: FieldError[],
): void {
  for (const field of ALTERNATIVES) {
    if (field === 'anyOf' && skipsAnyOf) continue;
    schema[field]?.forEach((rule, index) => {
      nestedErrors(rule, skipsFirst && field === 'allOf' && index === 0, `${path}.${field}[${index}]`, errors);
    });
  }
  if (schema.not !== undefined) nestedErrors(schema.not, false, `${path}.not`, errors);
  const problem = schema.pattern ? patternProblem(schema.pattern) : undefined;
  if (problem === undefined) return;
  const detail = `must be a valid regular expression, but isn't: ${problem}`;
  errors.push(invalid(`${path}.pattern`, schema.pattern, detail));
}

/** What stands in `allOf` and the like says what values are right, not what there is. */
const NOT_NESTED: readonly [field: string, detail: string][] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function nestedErrors(schema: JSONSchemaProps, skipsAnyOf: boolean, path: string, errors: FieldError[]): void {
  const said = schema as Said;
  valueRules(schema, skipsAnyOf, false, path, errors);
  const items = itemsOf(schema);
  if (items !== undefined) nestedErrors(items, false, `${path}.items`, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    nestedErrors(property, false, `${path}.properties[${name}]`, errors);
  }
  for (const [field, detail] of NOT_NESTED) {
    const value = said[field];
    if (field === 'default' || field === 'additionalProperties') {
      if (value === undefined || value === null) continue;
    } else if (!value || (Array.isArray(value) && value.length === 0)) continue;
    errors.push(forbiddenField(`${path}.${field}`, detail));
  }
  if (Object.hasOwn(schema.properties ?? {}, 'metadata')) {
    errors.push(forbiddenField(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
}

/** Each field that rules speak of is there in the structure. */
function ruleCompleteness(
  rules: JSONSchemaProps,
  structure: JSONSchemaProps,
  at: string,
  from: string,
  errors: FieldError[],
): void {
  if (rules.not !== undefined) nestedCompleteness(rules.not, structure, at, `${from}.not`, errors);
  for (const field of ALTERNATIVES) {
    rules[field]?.forEach((rule, index) => {
      nestedCompleteness(rule, structure, at, `${from}.${field}[${index}]`, errors);
    });
  }
}

function nestedCompleteness(
  rules: JSONSchemaProps,
  structure: JSONSchemaProps | undefined,
  at: string,
  from: string,
  errors: FieldError[],
): void {
  if (structure === undefined) {
    errors.push(required(at, `because it is defined in ${from}`));
    return;
  }
  ruleCompleteness(rules, structure, at, from, errors);
  const items = itemsOf(rules);
  if (items !== undefined) nestedCompleteness(items, itemsOf(structure), `${at}.items`, `${from}.items`, errors);
  for (const [name, property] of Object.entries(rules.properties ?? {})) {
    const { properties = {} } = structure;
    const found = Object.hasOwn(properties, name) ? properties[name] : undefined;
    nestedCompleteness(property, found, `${at}.properties[${name}]`, `${from}.properties[${name}]`, errors);
  }
}
