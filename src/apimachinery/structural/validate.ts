/** A custom resource against its schema, with the words of upstream's `kube-openapi/validation`. */
import { deepEqual } from '../equal.ts';
import { child, type FieldError, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../field.ts';
import { goFloat } from '../go-float.ts';
import type { Json, JsonObject } from '../meta.ts';
import { hasFormat } from './formats.ts';
import { matchesPattern } from './regex.ts';
import { fieldOf, isMap, itemsOf, type StructuralSchema } from './schema.ts';

/** Errors that concern the object as a whole have no field: Go prints a nil path. */
export const NO_FIELD = '<nil>';

/** All errors of an object (`ValidateCustomResource`); `path` is where the schema stands in the resource. */
export function validateStructural(value: Json, schema: StructuralSchema, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, path, errors);
  return errors;
}

const inBody = (path: string, what: string): string => `${path} in body ${what}`;

function check(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  checkType(value, schema, path, errors);
  checkEnum(value, schema, path, errors);
  if (value === null) return;
  if (typeof value === 'string') checkString(value, schema, path, errors);
  else if (typeof value === 'number') checkNumber(value, schema, path, errors);
  else if (Array.isArray(value)) checkList(value, schema, path, errors);
  else if (isMap(value)) checkMap(value, schema, path, errors);
  checkAlternatives(value, schema, path, errors);
}

/** The JSON Schema type of a value; a number without a fraction is an integer. */
function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const wanted = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : [schema.type ?? ''];
  if (wanted[0] === '') return;
  const actual = typeOf(value);
  if (actual === 'null' && schema.nullable === true) return;
  if (wanted.includes(actual) || (actual === 'integer' && wanted.includes('number'))) {
    if (typeof value === 'string' && schema.format && !hasFormat(schema.format, value)) {
      const why = `must be of type ${schema.format}: ${JSON.stringify(value)}`;
      errors.push(typeInvalid(path, value, inBody(path, why)));
    }
    return;
  }
  const why = `must be of type ${wanted.join(',')}: ${JSON.stringify(actual)}`;
  errors.push(typeInvalid(path, actual, inBody(path, why)));
}

function checkEnum(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (!schema.enum?.length || (value === null && schema.nullable === true)) return;
  if (schema.enum.some((allowed) => deepEqual(allowed, value))) return;
  const texts = schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed)));
  errors.push(notSupported(path, value, texts));
}

function checkString(value: string, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { maxLength, minLength, pattern } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) {
    errors.push(tooLong(path, maxLength));
  }
  if (minLength !== undefined && length < minLength) {
    errors.push(invalid(path, value, inBody(path, `should be at least ${minLength} chars long`)));
  }
  if (pattern && !matchesPattern(pattern, value)) {
    errors.push(invalid(path, value, inBody(path, `should match '${pattern}'`)));
  }
}

function checkNumber(value: number, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { maximum, minimum, multipleOf } = schema;
  if (schema.type === 'integer' && !fitsInteger(value, schema.format)) {
    const format = schema.format ? `with format ${schema.format}` : '(default format)';
    errors.push(invalid(NO_FIELD, '', `Checked value must be of type integer ${format} in ${path}`));
  }
  const say = (what: string): void => {
    errors.push(invalid(path, value, inBody(path, `should be ${what}`)));
  };
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) say(`a multiple of ${goFloat(multipleOf)}`);
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum === true && value >= maximum) say(`less than ${goFloat(maximum)}`);
    else if (value > maximum) say(`less than or equal to ${goFloat(maximum)}`);
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum === true && value <= minimum) say(`greater than ${goFloat(minimum)}`);
    else if (value < minimum) say(`greater than or equal to ${goFloat(minimum)}`);
  }
}

/** Whether a number is a whole one of the format's bits; 64 unless said. */
function fitsInteger(value: number, format: string | undefined): boolean {
  const limit = format === 'int32' ? 2 ** 31 : 2 ** 63;
  return Number.isInteger(value) && value >= -limit && value < limit;
}

function checkList(list: Json[], schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { maxItems, minItems } = schema;
  if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(path, list.length, maxItems));
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, inBody(path, `should have at least ${minItems} items`)));
  }
  const items = itemsOf(schema);
  if (items === undefined) return;
  list.forEach((item, index) => {
    check(item, items, `${path}[${index}]`, errors);
  });
}

function checkMap(map: JsonObject, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const names = Object.keys(map);
  const { maxProperties, minProperties } = schema;
  if (minProperties !== undefined && names.length < minProperties) {
    errors.push(invalid(path, names.length, inBody(path, `should have at least ${minProperties} properties`)));
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    errors.push(tooMany(path, names.length, maxProperties));
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(map, name)) errors.push(required(child(path, name)));
  }
  for (const name of names) {
    const field = fieldOf(schema, name);
    if (field !== undefined) check(map[name] as Json, field, child(path, name), errors);
  }
}

/** `allOf`, `anyOf`, `oneOf` and `not`; where none of several fits, the errors of the first are told too. */
function checkAlternatives(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { allOf, anyOf, oneOf, not } = schema;
  const whole = (what: string): void => {
    errors.push(invalid(NO_FIELD, '', `${JSON.stringify(path)} ${what}`));
  };
  const failuresOf = (branch: StructuralSchema): FieldError[] => validateStructural(value, branch, path);
  if (anyOf !== undefined) {
    const failures = anyOf.map(failuresOf);
    if (failures.every(({ length }) => length > 0)) {
      whole('must validate at least one schema (anyOf)');
      errors.push(...(failures[0] ?? []));
    }
  }
  if (oneOf !== undefined) {
    const failures = oneOf.map(failuresOf);
    const valid = failures.filter(({ length }) => length === 0).length;
    if (valid === 0) {
      whole('must validate one and only one schema (oneOf). Found none valid');
      errors.push(...(failures[0] ?? []));
    } else if (valid > 1) {
      whole(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`);
    }
  }
  if (allOf !== undefined) {
    const failures = allOf.map(failuresOf);
    const valid = failures.filter(({ length }) => length === 0).length;
    if (valid < allOf.length) whole(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`);
    errors.push(...failures.flat());
  }
  if (not !== undefined && failuresOf(not).length === 0) whole('must not validate the schema (not)');
}
