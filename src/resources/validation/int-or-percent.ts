/** Numbers or percentages, such as `maxSurge`. */
import { type FieldError, invalid } from '../../apimachinery/field.ts';

const PERCENT = /^[0-9]+%$/;
const PERCENT_TEXT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

type IntOrString = number | string | undefined;

/** 0 or more, or a percentage (`ValidatePositiveIntOrPercent`); `atMostAll`: not above 100 %. Absent is 0. */
export function validateIntOrPercent(value: IntOrString, path: string, atMostAll: boolean, errors: FieldError[]): void {
  if (typeof value === 'string') {
    if (!PERCENT.test(value)) errors.push(invalid(path, value, PERCENT_TEXT));
    else if (atMostAll && Number.parseInt(value, 10) > 100)
      errors.push(invalid(path, value, 'must not be greater than 100%'));
  } else if ((value ?? 0) < 0) {
    errors.push(invalid(path, value, 'must be greater than or equal to 0'));
  }
}

/** Whether it comes to nothing, as a number or a percentage; a malformed one does. */
export function isZero(value: IntOrString): boolean {
  return typeof value === 'string' ? !PERCENT.test(value) || Number.parseInt(value, 10) === 0 : (value ?? 0) === 0;
}
