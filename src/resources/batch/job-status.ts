/** How a Job's status may change (`ValidateJobUpdateStatus`): controllers of others may write it, and what has ended stays so. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { duplicate, type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Job, JobStatus } from '../../generated/types/batch.v1.ts';
import { indexesProblem, overlap } from './indexes.ts';

const is = (status: JobStatus, type: string): boolean =>
  (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
const isFinished = (status: JobStatus): boolean => is(status, 'Complete') || is(status, 'Failed');

/** An error that shows no value (`field.OmitValueType`). */
const wrong = (field: string, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field: `status.${field}`,
  body: `Invalid value: ${detail}`,
});
const wrongValue = (field: string, value: unknown, detail: string): FieldError =>
  invalid(`status.${field}`, value, detail);

function countErrors(status: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    const value = status[field] ?? 0;
    if (value < 0) errors.push(wrongValue(field, value, 'must be greater than or equal to 0'));
  }
  for (const half of ['succeeded', 'failed'] as const) {
    const uids = status.uncountedTerminatedPods?.[half] ?? [];
    uids.forEach((uid, index) => {
      const field = `uncountedTerminatedPods.${half}[${index}]`;
      if (uid === '') errors.push(wrongValue(field, uid, 'must not be empty'));
      else if (uids.indexOf(uid) < index) errors.push(duplicate(`status.${field}`, uid));
    });
  }
  return errors;
}

/** Rules of which each holds once one of these fields, or what the conditions say, has changed. */
type Part = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet' | 'finished' | keyof JobStatus;
interface StatusRule {
  on: readonly Part[];
  check(job: Job, status: JobStatus): FieldError | undefined | false;
}

const RULES: readonly StatusRule[] = [
  {
    on: ['Complete', 'Failed'],
    check: (_, status) =>
      is(status, 'Complete') &&
      is(status, 'Failed') &&
      wrong('conditions', 'cannot set Complete=True and Failed=true conditions'),
  },
  {
    on: ['Complete', 'FailureTarget'],
    check: (_, status) =>
      is(status, 'Complete') &&
      is(status, 'FailureTarget') &&
      wrong('conditions', 'cannot set Complete=True and FailureTarget=true conditions'),
  },
  {
    on: ['Complete', 'completionTime'],
    check: (_, status) =>
      status.completionTime !== undefined &&
      !is(status, 'Complete') &&
      wrongValue(
        'completionTime',
        status.completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
  },
  {
    on: ['Complete', 'completionTime'],
    check: (_, status) =>
      status.completionTime === undefined &&
      is(status, 'Complete') &&
      required('status.completionTime', 'completionTime is required for Complete jobs'),
  },
  {
    on: ['startTime', 'completionTime'],
    check: (_, { startTime, completionTime }) =>
      startTime !== undefined &&
      completionTime !== undefined &&
      Date.parse(completionTime) < Date.parse(startTime) &&
      wrongValue('completionTime', completionTime, 'completionTime cannot be set before startTime'),
  },
  {
    on: ['Failed', 'failedIndexes'],
    check: (_, status) =>
      is(status, 'Failed') &&
      !is(status, 'FailureTarget') &&
      wrong('conditions', 'cannot set Failed=True condition without the FailureTarget=true condition'),
  },
  {
    on: ['Complete', 'SuccessCriteriaMet'],
    check: (_, status) =>
      is(status, 'Complete') &&
      !is(status, 'SuccessCriteriaMet') &&
      wrong('conditions', 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
  },
  {
    on: ['finished', 'active'],
    check: (_, status) =>
      isFinished(status) &&
      (status.active ?? 0) > 0 &&
      wrongValue('active', status.active, 'active>0 is invalid for finished job'),
  },
  {
    on: ['finished', 'terminating'],
    check: (_, status) =>
      isFinished(status) &&
      (status.terminating ?? 0) > 0 &&
      wrongValue('terminating', status.terminating, 'terminating>0 is invalid for finished job'),
  },
  {
    on: ['ready', 'active'],
    check: (_, { ready = 0, active = 0 }) =>
      ready > active && wrongValue('ready', ready, 'cannot set more ready pods than active'),
  },
  {
    on: ['finished', 'startTime'],
    check: (_, status) =>
      isFinished(status) &&
      status.startTime === undefined &&
      required('status.startTime', 'startTime is required for finished job'),
  },
  {
    on: ['finished', 'uncountedTerminatedPods'],
    check(_, status) {
      const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
      if (!isFinished(status) || succeeded.length + failed.length === 0) return undefined;
      const detail = 'uncountedTerminatedPods needs to be empty for finished job';
      return wrongValue('uncountedTerminatedPods', status.uncountedTerminatedPods, detail);
    },
  },
  {
    on: ['completedIndexes'],
    check({ spec = {} }, { completedIndexes = '' }) {
      const refuse = (detail: string) => wrongValue('completedIndexes', completedIndexes, detail);
      if (spec.completionMode !== 'Indexed') {
        const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
        return completedIndexes !== '' && refuse(detail);
      }
      const problem = indexesProblem(completedIndexes, spec.completions);
      return problem !== undefined && refuse(`error parsing completedIndexes: ${problem}`);
    },
  },
  {
    on: ['failedIndexes'],
    check({ spec = {} }, { failedIndexes }) {
      if (failedIndexes === undefined) return undefined;
      const refuse = (detail: string) => wrongValue('failedIndexes', failedIndexes, detail);
      if (spec.backoffLimitPerIndex === undefined) {
        return refuse('cannot set non-null failedIndexes when backoffLimitPerIndex is null');
      }
      const problem = indexesProblem(failedIndexes, spec.completions);
      return problem !== undefined && refuse(`error parsing failedIndexes: ${problem}`);
    },
  },
  {
    on: ['failedIndexes', 'completedIndexes'],
    check({ spec = {} }, { failedIndexes, completedIndexes = '' }) {
      if (failedIndexes === undefined || spec.completions === undefined) return undefined;
      const both = overlap(completedIndexes, failedIndexes, spec.completions);
      const detail = `failedIndexes and completedIndexes overlap at index: ${both}`;
      return both !== undefined && wrongValue('failedIndexes', failedIndexes, detail);
    },
  },
];

const CONDITIONS: readonly Part[] = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'];

function changed(part: Part, now: JobStatus, old: JobStatus): boolean {
  if (part === 'finished') return isFinished(now) !== isFinished(old);
  if (CONDITIONS.includes(part)) return is(now, part) !== is(old, part);
  return !deepEqual(now[part as keyof JobStatus], old[part as keyof JobStatus]);
}

/** What was reached is not taken back. */
function regressions(job: Job, now: JobStatus, old: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (is(old, type) && !is(now, type)) {
      errors.push(wrong('conditions', `cannot disable the terminal ${type}=True condition`));
    }
  }
  const { completionMode, completions, parallelism, suspend } = job.spec ?? {};
  const [failed, succeeded] = [now.failed ?? 0, now.succeeded ?? 0];
  if (failed < (old.failed ?? 0)) errors.push(wrongValue('failed', failed, 'cannot decrease the failed counter'));
  // An elastic Indexed Job may be made smaller, and then fewer of its indexes have succeeded.
  const isElastic = completionMode === 'Indexed' && completions === parallelism;
  if (!isElastic && succeeded < (old.succeeded ?? 0)) {
    errors.push(wrongValue('succeeded', succeeded, 'cannot decrease the succeeded counter'));
  }
  const { startTime, completionTime } = now;
  if (completionTime !== undefined && old.completionTime !== undefined && completionTime !== old.completionTime) {
    errors.push(wrongValue('completionTime', completionTime, 'completionTime cannot be mutated'));
  }
  if (old.startTime !== undefined && startTime !== old.startTime && suspend !== true) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  }
  return errors;
}

/** Errors of a Job's new status. */
export function jobStatusErrors(job: Job, oldJob: Job): FieldError[] {
  const { status = {} } = job;
  const { status: old = {} } = oldJob;
  const errors = countErrors(status);
  for (const { on, check } of RULES) {
    const error = on.some((part) => changed(part, status, old)) && check(job, status);
    if (error) errors.push(error);
  }
  return [...errors, ...regressions(job, status, old)];
}
