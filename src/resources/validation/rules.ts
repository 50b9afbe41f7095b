/**
 * The vocabulary in which validation is written: a rule looks at one value and adds what is wrong to a list.
 * An absent string is the empty string and an absent number is 0, as in upstream's Go types.
 */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';

export type Rule<T> = (value: T, path: string, errors: FieldError[]) => void;

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** All errors of a value. */
export function check<T>(rule: Rule<T>, value: T, path: string): FieldError[] {
  const errors: FieldError[] = [];
  rule(value, path, errors);
  return errors;
}

/** Several rules, each on its own. */
export function all<T>(...rules: Rule<T>[]): Rule<T> {
  return (value, path, errors) => {
    for (const rule of rules) rule(value, path, errors);
  };
}

/** Must be there and not empty; only then is the rule asked. */
export function required<T>(rule?: Rule<NonNullable<T>>, detail = ''): Rule<T | undefined> {
  return (value, path, errors) => {
    if (isAbsent(value)) errors.push(requiredError(path, detail));
    else rule?.(value as NonNullable<T>, path, errors);
  };
}

/** Asked only when there is something: the empty string and the empty list count as nothing. */
export function optional<T>(rule: Rule<NonNullable<T>>): Rule<T | undefined> {
  return (value, path, errors) => {
    if (!isAbsent(value)) rule(value as NonNullable<T>, path, errors);
  };
}

/** Asked when the field is there at all (upstream's pointers). */
export function present<T>(rule: Rule<NonNullable<T>>): Rule<T | undefined> {
  return (value, path, errors) => {
    if (value !== undefined && value !== null) rule(value as NonNullable<T>, path, errors);
  };
}

/** Rules for the fields of an object; a field's rule is asked also when the field is absent. */
export function fields<T extends object>(rules: { [K in keyof T]?: Rule<T[K]> }): Rule<T> {
  const entries = Object.entries(rules) as [keyof T & string, Rule<unknown>][];
  return (object, path, errors) => {
    const prefix = path === '' ? '' : `${path}.`;
    for (const [field, rule] of entries) rule(object[field], prefix + field, errors);
  };
}

/** A rule for every item of a list. */
export function each<T>(rule: Rule<T>): Rule<readonly T[] | undefined> {
  return (list, path, errors) => {
    list?.forEach((value, index) => {
      rule(value, `${path}[${index}]`, errors);
    });
  };
}

/** A rule for every value of a map; its path is the map's, with the key in brackets. */
export function eachValue<T>(rule: Rule<T>): Rule<Record<string, T> | undefined> {
  return (map, path, errors) => {
    for (const key in map) rule(map[key] as T, `${path}[${key}]`, errors);
  };
}

/** No two items of a list with the same key; `field` is where in the item the error points. Empty keys do not count. */
export function unique<T>(keyOf: (item: T) => unknown, field = ''): Rule<readonly T[] | undefined> {
  return (list, path, errors) => {
    if (list === undefined || list.length < 2) return;
    const seen = new Set<unknown>();
    list.forEach((value, index) => {
      const key = keyOf(value);
      if (key === undefined || key === '') return;
      if (seen.has(key)) {
        const at = `${path}[${index}]${field === '' ? '' : `.${field}`}`;
        errors.push({ type: 'FieldValueDuplicate', field: at, body: `Duplicate value: ${JSON.stringify(key)}` });
      }
      seen.add(key);
    });
  };
}

/** A field whose value is not among the supported ones, which are listed as given. */
export function unsupported(path: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((s) => JSON.stringify(s)).join(', ');
  const body = `Unsupported value: ${JSON.stringify(value ?? '')}: supported values: ${list}`;
  return { type: 'FieldValueNotSupported', field: path, body };
}

/** One of these values. */
export function oneOf(...supported: string[]): Rule<string | undefined> {
  const known = new Set(supported);
  return (value, path, errors) => {
    if (!known.has(value ?? '')) errors.push(unsupported(path, value, supported));
  };
}

/** A check that returns texts, such as `isDns1123Label`. */
export function format(problems: (value: string) => readonly string[]): Rule<string | undefined> {
  return (value, path, errors) => {
    for (const problem of problems(value ?? '')) errors.push(invalid(path, value ?? '', problem));
  };
}

/** A condition with the text of its failure. */
export function holds<T extends string | number>(ok: (value: T) => boolean, detail: string): Rule<T> {
  return (value, path, errors) => {
    if (!ok(value)) errors.push(invalid(path, value, detail));
  };
}

/** Between two numbers, both inclusive. */
export function range(min: number, max: number): Rule<number | undefined> {
  const detail = `must be between ${min} and ${max}, inclusive`;
  return (value, path, errors) => {
    const number = value ?? 0;
    if (number < min || number > max) errors.push(invalid(path, number, detail));
  };
}

/** 0 or more; absent is fine. */
export const nonNegative: Rule<number | undefined> = (value, path, errors) => {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, 'must be greater than or equal to 0'));
};

/** More than 0. */
export const positive: Rule<number | undefined> = (value, path, errors) => {
  if ((value ?? 0) <= 0) errors.push(invalid(path, value ?? 0, 'must be greater than 0'));
};

/** A field that may not be set here. */
export function forbidden(detail: string): Rule<unknown> {
  return (value, path, errors) => {
    if (!isAbsent(value)) errors.push(forbiddenField(path, detail));
  };
}

/** The value of an update must be the old one (`ValidateImmutableField`). */
export function immutable(value: unknown, old: unknown, path: string, errors: FieldError[]): void {
  if (!deepEqual(value, old)) errors.push(invalid(path, value, 'field is immutable'));
}
