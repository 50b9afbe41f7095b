/** Options of `pods/log`, checked as upstream checks them. */
import { invalidObject } from '../../apimachinery/errors.ts';
import { type FieldError, forbiddenField, invalid } from '../../apimachinery/field.ts';

/** Throws Invalid for numbers out of range, and for two beginnings. */
export function logOptions(query: URLSearchParams): void {
  const errors: FieldError[] = [];
  const atLeast = (name: string, least: number, message: string): void => {
    const text = query.get(name);
    if (text !== null && text !== '' && !(Number(text) >= least)) errors.push(invalid(name, Number(text), message));
  };
  atLeast('tailLines', 0, 'must be greater than or equal to 0');
  atLeast('limitBytes', 1, 'must be greater than 0');
  atLeast('sinceSeconds', 1, 'must be greater than 0');
  if (query.has('sinceSeconds') && query.has('sinceTime')) {
    errors.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  }
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'PodLogOptions' }, '', errors);
}
