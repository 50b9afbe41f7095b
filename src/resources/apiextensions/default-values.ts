/** That defaults are right by the schema that they stand in (`defaulting.ValidateDefaults`). */
import { declare } from '../../apimachinery/cel/declared.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import { prune } from '../../apimachinery/structural/prune.ts';
import { isMap, type StructuralSchema } from '../../apimachinery/structural/schema.ts';
import { NO_FIELD, validateStructural } from '../../apimachinery/structural/validate.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { rulesOf, validateRules } from '../custom/rules.ts';
import { itemsOf } from './structural.ts';

const HEAD = ['metadata', 'apiVersion', 'kind'];

/** Errors of all defaults of a structural schema. */
export function defaultErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, path, true, false, errors);
  return errors;
}

function walk(schema: JSONSchemaProps, path: string, isRoot: boolean, inHead: boolean, errors: FieldError[]): void {
  const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  const { default: value } = schema;
  if (value !== undefined && value !== null) {
    valueErrors(
      value as Json,
      schema as StructuralSchema,
      `${path}.default`,
      isResource,
      inHead && !isResource,
      errors,
    );
  }
  const items = itemsOf(schema);
  if (items !== undefined) walk(items, `${path}.items`, false, inHead && !isResource, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const isHead = isResource && HEAD.includes(name);
    walk(property, `${path}.properties[${name}]`, false, isHead || (inHead && !isResource), errors);
  }
}

function valueErrors(
  value: Json,
  schema: StructuralSchema,
  path: string,
  isResource: boolean,
  inHead: boolean,
  errors: FieldError[],
): void {
  if (!inHead) {
    const whole = isResource ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema;
    const pruned: JsonObject = { value: structuredClone(value) };
    prune(pruned, { properties: { value: whole } });
    if (!deepEqual(pruned['value'], value)) errors.push(invalid(path, value, 'must not have unknown fields'));
    if (isResource && isMap(value)) {
      const missing = ['apiVersion', 'kind'].filter((field) => !Object.hasOwn(value, field));
      errors.push(...missing.map((field) => required(`${path}.${field}`)));
      if (missing.length > 0) return;
    }
  }
  const found = validateStructural(value, schema).map((error) => below(error, path));
  errors.push(...found);
  if (found.length > 0) return;
  errors.push(...ruleErrors(value, schema).map((error) => below(error, path)));
}

/** What rules say of a default, which stands for a new value. */
function ruleErrors(value: Json, schema: StructuralSchema): FieldError[] {
  if (!isMap(value) || declare(schema, false) === undefined) return [];
  const rules = rulesOf(schema);
  return rules === undefined ? [] : validateRules(value, undefined, rules).errors;
}

const below = (error: FieldError, path: string): FieldError => ({
  ...error,
  field: error.field === '' || error.field === NO_FIELD ? path : `${path}.${error.field}`,
});
