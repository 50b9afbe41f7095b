/** What webhooks and policies have in common besides rules. */
import { duplicate, type FieldError, required, tooMany } from '../../apimachinery/field.ts';
import type { MatchCondition } from '../../generated/types/admissionregistration.v1.ts';
import { qualifiedName } from '../validation/formats.ts';
import { oneOf } from '../validation/rules.ts';

const MOST_CONDITIONS = 64;

export const failurePolicy = oneOf('Fail', 'Ignore');
export const matchPolicy = oneOf('Equivalent', 'Exact');

/** Errors of conditions but for what their expressions say. */
export function conditionErrors(conditions: readonly MatchCondition[] = [], path: string, errors: FieldError[]): void {
  if (conditions.length > MOST_CONDITIONS) errors.push(tooMany(path, conditions.length, MOST_CONDITIONS));
  const names = new Set<string>();
  conditions.forEach(({ name = '', expression = '' }, index) => {
    const at = `${path}[${index}]`;
    if (expression.trim() === '') errors.push(required(`${at}.expression`));
    if (name === '') {
      errors.push(required(`${at}.name`));
      return;
    }
    qualifiedName(name, `${at}.name`, errors);
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
  });
}
