import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Job, JobSpec } from '../../generated/types/batch.v1.ts';
import { podSpecWarnings } from '../core/pod-spec/warnings.ts';
import { defaultPodTemplate, selectorIsImmutable, validatePodTemplate } from '../core/pod-template.ts';
import { statusSubresource } from '../group.ts';
import { keep } from '../strategies.ts';
import { fields, immutable, nonNegative, oneOf, present } from '../validation/rules.ts';
import { matchesSelector } from '../validation/selectors.ts';
import { batch } from './group.ts';

const PREFIX = 'batch.kubernetes.io/';

/** Fills in a Job's spec; also that of a CronJob's template. */
export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const condition of rule.onPodConditions ?? []) condition.status ||= 'True';
  }
  defaultPodTemplate(spec);
}

/** The labels that tell a Job's pods from others', and the selector of them (`generateSelector`). */
function generateSelector(job: Job): void {
  const spec = job.spec;
  if (spec === undefined || spec.manualSelector === true) return;
  const uid = job.metadata.uid ?? '';
  spec.template ??= {};
  spec.template.metadata ??= { name: '' };
  spec.template.metadata.labels ??= {};
  const labels = spec.template.metadata.labels;
  labels['controller-uid'] = uid;
  labels['job-name'] = job.metadata.name;
  labels[`${PREFIX}controller-uid`] = uid;
  labels[`${PREFIX}job-name`] = job.metadata.name;
  spec.selector ??= {};
  spec.selector.matchLabels ??= {};
  spec.selector.matchLabels[`${PREFIX}controller-uid`] ??= uid;
}

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

/** Errors of a Job's spec without its selector (`validateJobSpec`); also of a CronJob's template. */
export function jobSpecErrors(spec: JobSpec, path: string, errors: FieldError[]): void {
  numbers(spec, path, errors);
  if (spec.completionMode === 'Indexed') {
    if (spec.completions === undefined) {
      errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
    }
    const most = 100000;
    if ((spec.parallelism ?? 0) > most) {
      const detail = `must be less than or equal to ${most} when completion mode is Indexed`;
      errors.push(invalid(`${path}.parallelism`, spec.parallelism, detail));
    }
    if (spec.maxFailedIndexes !== undefined && spec.maxFailedIndexes > (spec.completions ?? 0)) {
      errors.push(
        invalid(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, 'must be less than or equal to completions'),
      );
    }
  } else {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined)
        errors.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  const supported = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  present(oneOf(...supported))(spec.podReplacementPolicy, `${path}.podReplacementPolicy`, errors);
  validatePodTemplate(spec.template, `${path}.template`, errors);
  const policy = spec.template?.spec?.restartPolicy;
  const at = `${path}.template.spec.restartPolicy`;
  if (policy === '' || policy === 'Always') {
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  } else {
    oneOf('OnFailure', 'Never')(policy, at, errors);
  }
}

function validate(job: Job): FieldError[] {
  const errors: FieldError[] = [];
  const spec = job.spec ?? ({} as JobSpec);
  jobSpecErrors(spec, 'spec', errors);
  const labels = spec.template?.metadata?.labels ?? {};
  if (spec.selector === undefined) {
    errors.push(required('spec.selector'));
  } else if (!matchesSelector(spec.selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  return errors;
}

const FIXED = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

function validateUpdate(job: Job, old: Job): FieldError[] {
  const errors = validate(job);
  const spec = job.spec ?? ({} as JobSpec);
  const was = old.spec ?? ({} as JobSpec);
  selectorIsImmutable(spec.selector, was.selector, errors);
  for (const field of FIXED) immutable(spec[field] ?? null, was[field] ?? null, `spec.${field}`, errors);
  const suspendedBefore = was.suspend === true;
  if (!suspendedBefore && !deepEqual(spec.template, was.template)) {
    errors.push(invalid('spec.template', spec.template, 'field is immutable'));
  }
  if (spec.completions !== was.completions) {
    const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
    if (!elastic) {
      const detail =
        spec.completionMode === 'Indexed'
          ? 'can only be modified in tandem with spec.parallelism'
          : 'field is immutable';
      errors.push(invalid('spec.completions', spec.completions ?? null, detail));
    }
  }
  return errors;
}

/** Jobs. */
export const job = batch<Job>({
  resource: 'jobs',
  kind: 'Job',
  namespaced: true,
  categories: ['all'],
  subresources: [statusSubresource('Job')],
  strategy: {
    default(job) {
      job.spec ??= {} as JobSpec;
      defaultJobSpec(job.spec);
      const labels = job.spec.template?.metadata?.labels;
      if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
    },
    prepareForCreate(job) {
      generateSelector(job);
      const labels = job.spec?.template?.metadata?.labels;
      if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
      job.status = {};
    },
    prepareForUpdate(job, old) {
      keep(job, old, 'status');
    },
    validate,
    validateUpdate,
    warnings: (job) => podSpecWarnings(job.spec?.template?.spec, 'spec.template.spec'),
  },
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
});
