/** What a Job may ask for; also what a CronJob's template may. */
import { type FieldError, invalid, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { JobSpec } from '../../generated/types/batch.v1.ts';
import { validatePodTemplate } from '../core/pod-template.ts';
import { domainPrefixedPath } from '../validation/formats.ts';
import { fields, nonNegative, oneOf, present } from '../validation/rules.ts';
import { failurePolicyErrors, successPolicyErrors } from './policies.ts';

const MOST_PARALLEL = 100_000;
const MOST_FAILED = 100_000;
/** Above this many completions, retries per index are counted only for fewer of them. */
const MANY_COMPLETIONS = 100_000;
const MOST_OF_MANY = 10_000;
const LONGEST_MANAGER = 63;

const numbers = fields<JobSpec>({
  parallelism: nonNegative,
  completions: nonNegative,
  activeDeadlineSeconds: nonNegative,
  backoffLimit: nonNegative,
  backoffLimitPerIndex: nonNegative,
  ttlSecondsAfterFinished: nonNegative,
  maxFailedIndexes: nonNegative,
  completionMode: present(oneOf('NonIndexed', 'Indexed')),
});

function manyCompletionsErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { parallelism = 0, maxFailedIndexes } = spec;
  const when = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  const detail = `must be less than or equal to ${MOST_OF_MANY} ${when}`;
  if (maxFailedIndexes === undefined) {
    errors.push(
      required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`),
    );
  }
  if (parallelism > MOST_OF_MANY) errors.push(invalid(`${path}.parallelism`, parallelism, detail));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > MOST_OF_MANY) {
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, detail));
  }
}

function indexedErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism > MOST_PARALLEL) {
    const detail = `must be less than or equal to ${MOST_PARALLEL} when completion mode is Indexed`;
    errors.push(invalid(`${path}.parallelism`, parallelism, detail));
  }
  if (maxFailedIndexes !== undefined) {
    const at = `${path}.maxFailedIndexes`;
    if (completions !== undefined && maxFailedIndexes > completions) {
      errors.push(invalid(at, maxFailedIndexes, 'must be less than or equal to completions'));
    }
    if (maxFailedIndexes > MOST_FAILED) {
      errors.push(invalid(at, maxFailedIndexes, `must be less than or equal to ${MOST_FAILED}`));
    }
  }
  if ((completions ?? 0) > MANY_COMPLETIONS && spec.backoffLimitPerIndex !== undefined) {
    manyCompletionsErrors(spec, path, errors);
  }
}

function completionErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  if (spec.completionMode === 'Indexed') indexedErrors(spec, path, errors);
  if (spec.completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] === undefined) continue;
      errors.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
}

function restartErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  const at = `${path}.template.spec.restartPolicy`;
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') {
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  } else {
    oneOf('OnFailure', 'Never')(policy, at, errors);
    if (spec.podFailurePolicy !== undefined && policy === 'OnFailure') {
      errors.push(invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
    }
  }
}

/** Errors of a Job's spec without its selector (`validateJobSpec`); also of a CronJob's template. */
export function jobSpecErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  numbers(spec, path, errors);
  completionErrors(spec, path, errors);
  if (spec.managedBy !== undefined) {
    domainPrefixedPath(spec.managedBy, `${path}.managedBy`, errors);
    if (byteLength(spec.managedBy) > LONGEST_MANAGER) errors.push(tooLong(`${path}.managedBy`, LONGEST_MANAGER));
  }
  if (spec.podFailurePolicy !== undefined) failurePolicyErrors(spec, `${path}.podFailurePolicy`, errors);
  if (spec.successPolicy !== undefined) successPolicyErrors(spec, `${path}.successPolicy`, errors);
  const supported = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  present(oneOf(...supported))(spec.podReplacementPolicy, `${path}.podReplacementPolicy`, errors);
  validatePodTemplate(spec.template, `${path}.template`, errors);
  restartErrors(spec, path, errors);
}

/** Warnings of Jobs that are too large to tell which of their indexes are done (`WarningsForJobSpec`); `path` is where the spec is. */
export function completionsWarnings(spec: JobSpec | undefined, path: string): string[] {
  const isLarge = (spec?.completions ?? 0) > 100_000 && (spec?.parallelism ?? 0) > 10_000;
  if (spec?.completionMode !== 'Indexed' || !isLarge) return [];
  const what = 'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4';
  return [`${path}: ${what}, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`];
}
