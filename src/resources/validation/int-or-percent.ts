/** Numbers or percentages, such as `maxSurge`. */
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { isPercent } from '../../apimachinery/names.ts';

type IntOrString = number | string | undefined;

/** 0 or more, or a percentage (`ValidatePositiveIntOrPercent`); `atMostAll`: not above 100 %. Absent is 0. */
export function validateIntOrPercent(value: IntOrString, path: string, atMostAll: boolean, errors: FieldError[]): void {
  if (typeof value === 'string') {
    const problems = isPercent(value);
    for (const problem of problems) errors.push(invalid(path, value, problem));
    if (problems.length === 0 && atMostAll && Number.parseInt(value, 10) > 100) {
      errors.push(invalid(path, value, 'must not be greater than 100%'));
    }
  } else if ((value ?? 0) < 0) {
    errors.push(invalid(path, value, 'must be greater than or equal to 0'));
  }
}

/** Whether it comes to nothing, as a number or a percentage; a malformed one does, but for the text of a number. */
export function isZero(value: IntOrString): boolean {
  if (typeof value !== 'string') return (value ?? 0) === 0;
  return /^(\d+%|[+-]?\d+)$/.test(value) ? Number.parseInt(value, 10) === 0 : true;
}
