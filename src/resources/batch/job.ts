import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { selects } from '../../apimachinery/labels.ts';
import { sortedByKey } from '../../apimachinery/meta.ts';
import { isDns1123Label, isLabelValue } from '../../apimachinery/names.ts';
import type { Job, JobSpec } from '../../generated/types/batch.v1.ts';
import type { PodSpec } from '../../generated/types/core.v1.ts';
import { podSpec } from '../core/go-types/pod-spec.ts';
import { workloadWarnings } from '../core/pod-spec/warnings.ts';
import { defaultPodTemplate, selectorIsImmutable, shownSelector } from '../core/pod-template.ts';
import { statusSubresource } from '../group.ts';
import { keep, keepAllButStatus } from '../strategies.ts';
import { check, immutable } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';
import { batch } from './group.ts';
import { completionsWarnings, jobSpecErrors } from './job-spec.ts';
import { jobStatusErrors } from './job-status.ts';
import { shownFailurePolicy, shownSuccessPolicy } from './policies.ts';

const PREFIX = 'batch.kubernetes.io/';

/** Fills in a Job's spec; also that of a CronJob's template. */
function defaultJobSpec(spec: JobSpec): void {
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
  const { labels } = spec.template.metadata;
  labels['controller-uid'] = uid;
  labels['job-name'] = job.metadata.name ?? '';
  labels[`${PREFIX}controller-uid`] = uid;
  labels[`${PREFIX}job-name`] = job.metadata.name ?? '';
  spec.template.metadata.labels = sortedByKey(labels);
  spec.selector ??= {};
  spec.selector.matchLabels ??= {};
  spec.selector.matchLabels[`${PREFIX}controller-uid`] ??= uid;
}

const sorted = (map: Record<string, string> | undefined): Record<string, string> | null =>
  map === undefined ? null : sortedByKey(map);

/** Errors of a selector that was generated: pods carry the Job's uid and name, and it selects by them. */
function generatedErrors({ metadata, spec = {} }: Job, errors: FieldError[]): void {
  if (spec.manualSelector === true || spec.selector === undefined) return;
  const at = 'spec.template.metadata.labels';
  const labels = spec.template?.metadata?.labels;
  const [uid, name] = [metadata.uid ?? '', metadata.name ?? ''];
  const expected: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    [`${PREFIX}controller-uid`]: uid,
    [`${PREFIX}job-name`]: name,
  };
  for (const [key, value] of Object.entries(expected)) {
    const detail = `must be '${value}'`;
    const path = `${at}[${key}]`;
    if (labels === undefined || !Object.hasOwn(labels, key)) errors.push(required(path, detail));
    else if (labels[key] !== value) errors.push(invalid(path, sorted(labels), detail));
  }
  if (isReadable(spec.selector) && !selects(spec.selector, expected)) {
    errors.push(invalid('spec.selector', shownSelector(spec.selector), '`selector` not auto-generated'));
  }
}

/** Whether it is a selector at all: of another nobody can say what it selects. */
const isReadable = (selector: JobSpec['selector']): boolean => check(labelSelector, selector, '').length === 0;

/** The longest host name that an index gets must still be one. */
function hostNameErrors({ metadata, spec = {} }: Job, errors: FieldError[]): void {
  if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return;
  const longest = `${metadata.name ?? ''}-${(spec.completions as number) - 1}`;
  if (isDns1123Label(longest).length === 0) return;
  const detail = `will not able to create pod with invalid DNS label: ${longest}`;
  errors.push(invalid('metadata.name', metadata.name ?? '', detail));
}

/** Errors of a spec with its selector (`ValidateJobSpec`). */
function specErrors(spec: JobSpec, errors: FieldError[]): void {
  jobSpecErrors(spec, 'spec', errors);
  const labels = spec.template?.metadata?.labels;
  if (spec.selector === undefined) errors.push(required('spec.selector'));
  labelSelector(spec.selector, 'spec.selector', errors);
  if (isReadable(spec.selector) && !selects(spec.selector, labels)) {
    const detail = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sorted(labels), detail));
  }
}

function validate(job: Job): FieldError[] {
  const errors: FieldError[] = [];
  generatedErrors(job, errors);
  specErrors(job.spec ?? {}, errors);
  hostNameErrors(job, errors);
  return errors;
}

/** How the number of completions may change: only of Indexed Jobs, together with the parallelism. */
function completionsErrors(spec: JobSpec, was: JobSpec): FieldError[] {
  if (spec.completions === was.completions) return [];
  const at = 'spec.completions';
  const now = spec.completions ?? null;
  if (spec.completionMode !== 'Indexed') return [invalid(at, now, 'field is immutable')];
  // That there must be some is said elsewhere.
  if (spec.completions === undefined || spec.completions === spec.parallelism) return [];
  return [invalid(at, now, 'can only be modified in tandem with spec.parallelism')];
}

/** What may change of a template while no pod was made of it: where pods run. */
const WHERE = ['nodeSelector', 'tolerations', 'affinity', 'schedulingGates'] as const;

function templateErrors(spec: JobSpec, old: Job): FieldError[] {
  const was = old.spec?.template?.spec;
  const template = spec.template?.spec;
  const { conditions = [], startTime, active = 0 } = old.status ?? {};
  const isSuspended = conditions.some(({ type, status }) => type === 'Suspended' && status === 'True');
  const waits = old.spec?.suspend === true && active === 0 && (startTime === undefined || isSuspended);
  const compared: PodSpec = { ...was };
  if (waits) {
    for (const field of WHERE) keep<PodSpec>(compared, template ?? {}, field);
    compared.containers = withResources(was?.containers, template?.containers);
    compared.initContainers = withResources(was?.initContainers, template?.initContainers);
  }
  const [now, before] = [podSpec(template), podSpec(compared)];
  const errors = deepEqual(now, before) ? [] : [invalid('spec.template.spec', now, 'field is immutable')];
  if (!waits && !deepEqual(spec.template?.metadata, old.spec?.template?.metadata)) {
    const shown = spec.template?.metadata ?? null;
    errors.push(invalid('spec.template.metadata', shown, 'field is immutable'));
  }
  return errors;
}

function withResources(was: Containers, now: Containers): Containers {
  return was?.map((container) => {
    const other = now?.find(({ name }) => name === container.name);
    const { resources: _, ...rest } = container;
    return other?.resources === undefined ? rest : { ...rest, resources: other.resources };
  });
}

type Containers = PodSpec['containers'];

function validateUpdate(job: Job, old: Job): FieldError[] {
  const errors = validate(job);
  const spec = job.spec ?? {};
  const was = old.spec ?? {};
  // Upstream checks the spec once with the Job and once with the change.
  specErrors(spec, errors);
  errors.push(...completionsErrors(spec, was));
  selectorIsImmutable(spec.selector, was.selector, errors);
  errors.push(...templateErrors(spec, old));
  for (const field of ['completionMode', 'backoffLimitPerIndex', 'managedBy'] as const) {
    immutable(spec[field] ?? null, was[field] ?? null, `spec.${field}`, errors);
  }
  const failure = shownFailurePolicy(was.podFailurePolicy);
  immutable(shownFailurePolicy(spec.podFailurePolicy), failure, 'spec.podFailurePolicy', errors);
  const success = shownSuccessPolicy(was.successPolicy);
  immutable(shownSuccessPolicy(spec.successPolicy), success, 'spec.successPolicy', errors);
  return errors;
}

/** Jobs. */
export const job = batch<Job>({
  resource: 'jobs',
  kind: 'Job',
  namespaced: true,
  categories: ['all'],
  subresources: [statusSubresource('Job', { ...keepAllButStatus(), validateUpdate: jobStatusErrors })],
  strategy: {
    orphansDependents: true,
    deleteWarning:
      'child pods are preserved by default when jobs are deleted; ' +
      'set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    default(job) {
      job.spec ??= {} as JobSpec;
      defaultJobSpec(job.spec);
      const labels = job.spec.template?.metadata?.labels;
      if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
    },
    prepareForCreate(job) {
      generateSelector(job);
      const labels = job.spec?.template?.metadata?.labels;
      const isLabelled = Object.keys(job.metadata.labels ?? {}).length > 0;
      // Upstream labels what is stored already: a name that is no label is an error of the template's labels alone.
      if (!isLabelled && labels !== undefined && isLabelValue(job.metadata.name ?? '').length === 0) {
        job.metadata.labels = labels;
      }
      job.status = {};
    },
    prepareForUpdate(job, old) {
      keep(job, old, 'status');
    },
    validate,
    validateUpdate,
    warnings(job, old) {
      const isSame = old !== undefined && job.metadata.generation === old.metadata.generation;
      const many = isSame ? [] : completionsWarnings(job.spec, 'spec');
      return [...many, ...workloadWarnings(job, old, job.spec?.template)];
    },
  },
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
});
