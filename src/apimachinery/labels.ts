/** Label selectors, after upstream's `labels` package: match, print, and the form that objects carry. */
import { badRequest } from './errors.ts';
import { invalid, toMessage } from './field.ts';
import { isLabelValue, isQualifiedName } from './names.ts';

export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  key: string;
  operator: Operator;
  /** Sorted, without repetitions. */
  values: readonly string[];
}

/** All requirements must hold. An empty one selects everything; {@link NOTHING} nothing. */
export type Selector = readonly Requirement[];

/** `metav1.LabelSelector`. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key?: string; operator?: string; values?: string[] }[];
}

/** Selects nothing: what an absent selector means. No value is in an empty set. */
export const NOTHING: Selector = [{ key: '', operator: 'in', values: [] }];

/** Checks the key of a requirement; `path` is what the error calls it. Throws an Error with upstream's text. */
export function checkKey(key: string, path: string): void {
  const problems = isQualifiedName(key);
  if (problems.length > 0) throw new Error(toMessage(invalid(path, key, problems.join('; '))));
}

/** A requirement with its values sorted and checked (`labels.NewRequirement`). Throws an Error with upstream's text. */
export function newRequirement(key: string, operator: Operator, given: readonly string[]): Requirement {
  const values = [...new Set(given)].sort();
  const errors: string[] = [];
  values.forEach((value, index) => {
    const path = `values[${index}]`;
    if ((operator === 'gt' || operator === 'lt') && integer(value) === undefined) {
      errors.push(toMessage(invalid(path, value, "for 'Gt', 'Lt' operators, the value must be an integer")));
    }
  });
  values.forEach((value, index) => {
    const problems = isLabelValue(value);
    if (problems.length > 0) errors.push(toMessage(invalid(`values[${index}][${key}]`, value, problems.join('; '))));
  });
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  return { key, operator, values };
}

function integer(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,30}$/.test(text)) return undefined;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

/** The order in which a selector's requirements stand. */
export const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** Whether a label's value, undefined where there is no such label, is one that the operator asks for. */
function satisfies(operator: Operator, values: readonly string[], actual: string | undefined): boolean {
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return actual !== undefined && values.includes(actual);
    case 'notin':
    case '!=':
      return actual === undefined || !values.includes(actual);
    case 'exists':
      return actual !== undefined;
    case '!':
      return actual === undefined;
    default: {
      const number = actual === undefined ? undefined : integer(actual);
      const bound = integer(values[0] ?? '');
      if (number === undefined || bound === undefined) return false;
      return operator === 'gt' ? number > bound : number < bound;
    }
  }
}

/** Whether labels satisfy the selector. */
export function matches(selector: Selector, labels: Record<string, string> = {}): boolean {
  return selector.every(({ key, operator, values }) =>
    satisfies(operator, values, Object.hasOwn(labels, key) ? labels[key] : undefined),
  );
}

const OPERATORS: Record<string, Operator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/**
 * The selector that an object carries (`metav1.LabelSelectorAsSelector`): absent selects nothing, empty everything.
 * Throws BadRequest for an operator that does not exist.
 */
export function fromLabelSelector(selector: LabelSelector | null | undefined): Selector {
  if (selector === undefined || selector === null) return NOTHING;
  const requirements: Requirement[] = [...fromSet(selector.matchLabels)];
  for (const { key = '', operator = '', values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (known === undefined) throw badRequest(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: [...(values ?? [])].sort() });
  }
  return requirements.sort(byKey);
}

/** Whether an object's selector holds for the labels: absent, or with an operator that does not exist, it selects nothing, empty everything. */
export function selects(selector: LabelSelector | null | undefined, labels: Record<string, string> = {}): boolean {
  if (selector === undefined || selector === null) return false;
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, wanted] of Object.entries(selector.matchLabels ?? {})) if (value(key) !== wanted) return false;
  return (selector.matchExpressions ?? []).every(({ key = '', operator = '', values }) => {
    const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    return known !== undefined && satisfies(known, values ?? [], value(key));
  });
}

/** Whether an object's selector has no requirement, and so selects everything (`Selector.Empty`). */
export function selectsEverything(selector: LabelSelector | null | undefined): boolean {
  if (selector === undefined || selector === null) return false;
  return Object.keys(selector.matchLabels ?? {}).length === 0 && !selector.matchExpressions?.length;
}

/** The selector that asks for exactly these labels (`labels.SelectorFromSet`). */
export function fromSet(labels: Record<string, string> | null | undefined): Selector {
  return Object.keys(labels ?? {})
    .sort()
    .map((key) => ({ key, operator: '=', values: [(labels as Record<string, string>)[key] as string] }));
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

/** As text that `parseSelector` reads (`Selector.String`); empty for what selects everything, or nothing. */
export function formatSelector(selector: Selector): string {
  return selector === NOTHING ? '' : selector.map(formatRequirement).join(',');
}

/** An object's selector as text: `app=web,tier in (a,b),!old`; empty for an empty or absent one. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  return formatSelector(fromLabelSelector(selector));
}
