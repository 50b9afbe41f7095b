/** Field errors and paths, after upstream's `util/validation/field`: validators return lists of them and never change an object. */
import type { StatusCause } from './meta.ts';

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  type: FieldErrorType;
  /** `spec.containers[0].name` */
  field: string;
  /** Without the field: `Required value: must be set`. */
  body: string;
}

/** How upstream prints a bad value: strings quoted, objects as JSON, absent as null. */
function printValue(value: unknown): string {
  if (value === undefined) return 'null';
  const text = JSON.stringify(value);
  return typeof value === 'object' ? escapeMarkup(text) : text;
}

/** As Go's `json.Marshal` writes what HTML would read. */
const escapeMarkup = (text: string): string =>
  text.replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

const detailed = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`);

/** `field.Required`. */
export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, body: detailed('Required value', detail) };
}

/** `field.Invalid`. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, body: detailed(`Invalid value: ${printValue(value)}`, detail) };
}

/** `field.Invalid` of a value that is not told (`field.OmitValueType`). */
export function invalidOmitted(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, body: detailed('Invalid value', detail) };
}

/** `field.TypeInvalid`. */
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, body: detailed(`Invalid value: ${printValue(value)}`, detail) };
}

/** `field.Duplicate`. */
export function duplicate(field: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, body: `Duplicate value: ${printValue(value)}` };
}

/** `field.NotSupported`; the values in the order given. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((s) => JSON.stringify(s));
  const detail = list.length === 0 ? '' : `supported values: ${list.join(', ')}`;
  return { type: 'FieldValueNotSupported', field, body: detailed(`Unsupported value: ${printValue(value)}`, detail) };
}

/** `field.Forbidden`. */
export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, body: detailed('Forbidden', detail) };
}

/** `field.InternalError`. */
export function internalError(field: string, detail: string): FieldError {
  return { type: 'InternalError', field, body: detailed('Internal error', detail) };
}

/** `field.TooLong`. */
export function tooLong(field: string, max: number): FieldError {
  return {
    type: 'FieldValueTooLong',
    field,
    body: `Too long: may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`,
  };
}

/** `field.TooMany`. */
export function tooMany(field: string, actual: number, max: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    field,
    body: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
  };
}

/** Path of a child: `child('spec', 'ports') === 'spec.ports'`. */
export function child(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Path of an item: `item('spec.ports', 0) === 'spec.ports[0]'`; with a string, of a map's entry. */
export function item(path: string, key: number | string): string {
  return `${path}[${key}]`;
}

/** The cause that a `Status` carries for a field error. */
export function toCause(error: FieldError): StatusCause {
  return { reason: error.type, message: error.body, field: error.field };
}

/** `field: body`, as in a Status message. */
export function toMessage(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}
