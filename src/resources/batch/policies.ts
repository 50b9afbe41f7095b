/** When a Job fails or succeeds before its time: `podFailurePolicy` and `successPolicy`. */
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from '../../generated/types/batch.v1.ts';
import { qualifiedName } from '../validation/formats.ts';
import { listOf, nullable, pointerTo, struct, text } from '../validation/go-struct.ts';
import { nonNegative } from '../validation/rules.ts';

const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;
const LONGEST_INDEXES = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** The policies as messages print them. */
export const shownFailurePolicy = pointerTo(
  struct({
    Rules: listOf(
      struct({
        Action: text,
        OnExitCodes: pointerTo(struct({ ContainerName: nullable, Operator: text, Values: nullable })),
        OnPodConditions: listOf(struct({ Type: text, Status: text })),
      }),
    ),
  }),
);
export const shownSuccessPolicy = pointerTo(
  struct({ Rules: listOf(struct({ SucceededIndexes: nullable, SucceededCount: nullable })) }),
);

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** An error that does not show the value. */
const wrong = (field: string, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  body: `Invalid value: ${detail}`,
});

type ExitCodes = NonNullable<PodFailurePolicyRule['onExitCodes']>;

function exitCodeErrors(codes: ExitCodes, names: ReadonlySet<string>, at: string, errors: FieldError[]): void {
  const { operator = '', containerName, values = [] } = codes;
  if (operator === '') errors.push(required(`${at}.operator`, `valid values: ${quoted(OPERATORS)}`));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${at}.operator`, operator, OPERATORS));
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${at}.containerName`, containerName, detail));
  }
  if (values.length === 0) errors.push(invalid(`${at}.values`, codes.values, 'at least one value is required'));
  else if (values.length > MOST_EXIT_CODES) errors.push(tooMany(`${at}.values`, values.length, MOST_EXIT_CODES));
  values.forEach((value, index) => {
    const path = `${at}.values[${index}]`;
    if (operator === 'In' && value === 0) errors.push(invalid(path, 0, 'must not be 0 for the In operator'));
    if (values.indexOf(value) < index) errors.push(duplicate(path, value));
  });
  if (values.some((value, index) => index > 0 && (values[index - 1] as number) > value)) {
    errors.push(invalid(`${at}.values`, values, 'must be ordered'));
  }
}

function actionErrors(action: string, spec: JobSpec, at: string, errors: FieldError[]): void {
  if (action === '') errors.push(required(at, `valid values: ${quoted(ACTIONS)}`));
  else if (!ACTIONS.includes(action)) errors.push(notSupported(at, action, ACTIONS));
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(at, action, 'requires the backoffLimitPerIndex to be set'));
  }
}

function failureRuleErrors(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  names: ReadonlySet<string>,
  at: string,
  errors: FieldError[],
): void {
  const { onExitCodes, onPodConditions = [] } = rule;
  actionErrors(rule.action ?? '', spec, `${at}.action`, errors);
  if (onExitCodes !== undefined) exitCodeErrors(onExitCodes, names, `${at}.onExitCodes`, errors);
  const conditions = `${at}.onPodConditions`;
  if (onPodConditions.length > MOST_RULES) errors.push(tooMany(conditions, onPodConditions.length, MOST_RULES));
  onPodConditions.forEach(({ type, status = '' }, index) => {
    qualifiedName(type, `${conditions}[${index}].type`, errors);
    const path = `${conditions}[${index}].status`;
    if (status === '') errors.push(required(path, `valid values: ${quoted(STATUSES)}`));
    else if (!STATUSES.includes(status)) errors.push(notSupported(path, status, STATUSES));
  });
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(wrong(at, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(wrong(at, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

/** Errors of `podFailurePolicy` (`validatePodFailurePolicy`). */
export function failurePolicyErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const at = `${path}.rules`;
  if (rules.length > MOST_RULES) errors.push(tooMany(at, rules.length, MOST_RULES));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name ?? ''));
  rules.forEach((rule, index) => {
    failureRuleErrors(rule, spec, names, `${at}[${index}]`, errors);
  });
}

/** Counts the indexes of `0,2-5`, which must rise and stay below `completions`; throws upstream's texts. */
function countIndexes(indexes: string, completions: number): number {
  if (indexes === '') return 0;
  let last: number | undefined;
  let total = 0;
  const read = (text: string): number => {
    if (!/^[+-]?\d+$/.test(text)) throw new Error(`cannot convert string to integer for index: "${text}"`);
    const index = Number(text);
    if (index >= completions) throw new Error(`too large index: "${text}"`);
    if (last !== undefined && last >= index) {
      throw new Error(`non-increasing order, previous: ${last}, current: ${index}`);
    }
    last = index;
    return index;
  };
  for (const interval of indexes.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2) {
      const rule = "an index interval can have at most two parts separated by '-'";
      throw new Error(`the fragment "${interval}" violates the requirement that ${rule}`);
    }
    const first = read(limits[0] as string);
    total += limits[1] === undefined ? 1 : read(limits[1]) - first + 1;
  }
  return total;
}

function successRuleErrors(rule: SuccessPolicyRule, completions: number, at: string, errors: FieldError[]): void {
  const { succeededIndexes: indexes, succeededCount: count } = rule;
  if (indexes === undefined && count === undefined) {
    errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (indexes !== undefined) {
    const path = `${at}.succeededIndexes`;
    if (byteLength(indexes) > LONGEST_INDEXES) errors.push(tooLong(path, LONGEST_INDEXES));
    try {
      total = countIndexes(indexes, completions);
    } catch (error) {
      errors.push(invalid(path, indexes, `error parsing succeededIndexes: ${(error as Error).message}`));
    }
  }
  if (count === undefined) return;
  const path = `${at}.succeededCount`;
  nonNegative(count, path, errors);
  const atMost = (most: number, what: string): void => {
    if (count > most) errors.push(invalid(path, count, `must be less than or equal to ${most} (${what})`));
  };
  atMost(completions, 'the number of specified completions');
  if (indexes !== undefined) atMost(total, 'the number of indexes in the specified succeededIndexes field');
}

/** Errors of `successPolicy` (`validateSuccessPolicy`). */
export function successPolicyErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { successPolicy } = spec;
  if (spec.completionMode !== 'Indexed') {
    errors.push(invalid(path, shownSuccessPolicy(successPolicy), 'requires indexed completion mode'));
    return;
  }
  const rules = successPolicy?.rules ?? [];
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified';
    errors.push(required(`${path}.rules`, detail));
  }
  if (rules.length > MOST_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MOST_RULES));
  rules.forEach((rule, index) => {
    successRuleErrors(rule, spec.completions ?? 0, `${path}.rules[${index}]`, errors);
  });
}
