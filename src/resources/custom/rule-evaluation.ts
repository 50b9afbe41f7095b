/** The rules of one value, evaluated, with upstream's words for what comes of it. */
import { failureOf } from '../../apimachinery/cel/failure.ts';
import { none, some } from '../../apimachinery/cel/libraries/optionals.ts';
import { type Budget, type Program, TOO_MUCH } from '../../apimachinery/cel/program.ts';
import { toTyped } from '../../apimachinery/cel/typed-values.ts';
import {
  child,
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  invalidOmitted,
  required,
} from '../../apimachinery/field.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { ValidationRule } from '../../apimachinery/structural/schema.ts';
import { NO_FIELD } from '../../apimachinery/structural/validate.ts';
import type { CompiledRule, Level } from './rule-programs.ts';

/** Longest message that a messageExpression may give, in bytes. */
const LONGEST_MESSAGE = 5 * 1024;
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run';

/** An error, and whether its rule looks at what the value was. */
export interface RuleError {
  error: FieldError;
  usesOldSelf: boolean;
}

type Variables = Record<string, unknown>;

/** Errors of the rules of a level for one value; when the budget is spent it is below zero, and nothing more is to be run. */
export function evaluateRules(
  value: Json,
  old: Json | undefined,
  { rules, declared, schema }: Level,
  path: string,
  budget: Budget,
): RuleError[] {
  const at = path === '' ? NO_FIELD : path;
  const type = schema.type ?? '';
  const self = toTyped(value, declared);
  const hasOld = old !== undefined && old !== null;
  const oldSelf = hasOld ? toTyped(old, declared, { value, typed: self }) : undefined;
  const optional: Variables = { self, oldSelf: hasOld ? some(oldSelf) : none() };
  const plain: Variables = hasOld ? { self, oldSelf } : { self };
  const errors: RuleError[] = [];
  for (const compiled of rules) {
    const { rule, program, problem, usesOldSelf } = compiled;
    const add = (error: FieldError): void => void errors.push({ error, usesOldSelf });
    const failed = (detail: string): void => void errors.push({ error: invalid(at, type, detail), usesOldSelf: true });
    if (problem !== undefined) failed(`rule compile error: ${problem}`);
    if (program === undefined || (usesOldSelf && !hasOld && rule.optionalOldSelf !== true)) continue;
    const variables = rule.optionalOldSelf === true ? optional : plain;
    const outcome = run(program, variables, budget);
    if (budget.left < 0) {
      failed(OUT_OF_BUDGET);
      return errors;
    }
    if ('failure' in outcome) {
      failed(failureText(outcome.failure, rule));
      if (outcome.failure.startsWith(TOO_MUCH)) {
        budget.left = -1;
        return errors;
      }
    } else if (outcome.value !== true) {
      const where = compiled.fieldPath === '' ? at : child(path, compiled.fieldPath).replace('.[', '[');
      const message = messageOf(compiled, variables, budget);
      if (typeof message !== 'string') {
        add(invalid(where, type, message.fatal));
        budget.left = -1;
        return errors;
      }
      add(errorOf(where, value, message, rule.reason));
    }
  }
  return errors;
}

function run(program: Program, variables: Variables, budget: Budget): { value: unknown } | { failure: string } {
  try {
    return { value: program.evaluate(variables, budget) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

const nameOf = ({ message, rule }: ValidationRule): string => (message || rule || '').trim();

function failureText(failure: string, rule: ValidationRule): string {
  if (failure.startsWith('no such overload')) {
    const why = 'call arguments did not match a supported operator, function or macro signature for rule';
    return `'${failure}': ${why}: ${nameOf(rule)}`;
  }
  if (failure.startsWith(TOO_MUCH)) {
    const why = 'no further validation rules will be run due to call cost exceeds limit for rule';
    return `'${failure}': ${why}: ${nameOf(rule)}`;
  }
  return `${failure} evaluating rule: ${nameOf(rule)}`;
}

/** What a broken rule says: its messageExpression if that gives a message, else its message, else itself. */
function messageOf({ rule, message }: CompiledRule, variables: Variables, budget: Budget): string | { fatal: string } {
  const fallback = rule.message ? rule.message.trim() : `failed rule: ${nameOf(rule)}`;
  if (message === undefined) return fallback;
  const outcome = run(message, variables, budget);
  if (budget.left < 0) {
    const why = 'running out of cost budget, no further validation rules will be run';
    return { fatal: `messageExpression evaluation failed due to ${why}` };
  }
  if ('failure' in outcome) {
    if (!outcome.failure.startsWith(TOO_MUCH)) return fallback;
    const why = 'no further validation rules will be run due to call cost exceeds limit for messageExpression';
    return { fatal: `${why}: ${JSON.stringify(rule.messageExpression)}` };
  }
  const text = typeof outcome.value === 'string' ? outcome.value.trim() : '';
  const isFine = text !== '' && !text.includes('\n') && new TextEncoder().encode(text).length <= LONGEST_MESSAGE;
  return isFine ? text : fallback;
}

/** Values that are objects or lists are not printed. */
function errorOf(field: string, value: Json, detail: string, reason: string | undefined): FieldError {
  const isWhole = typeof value === 'object';
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenField(field, detail);
    case 'FieldValueRequired':
      return required(field, detail);
    case 'FieldValueDuplicate':
      return isWhole ? { type: 'FieldValueDuplicate', field, body: 'Duplicate value' } : duplicate(field, value);
    default:
      return isWhole ? invalidOmitted(field, detail) : invalid(field, value, detail);
  }
}
