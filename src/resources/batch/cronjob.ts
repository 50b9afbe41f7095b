import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { ObjectMeta } from '../../apimachinery/meta.ts';
import type { CronJob, CronJobSpec, JobSpec } from '../../generated/types/batch.v1.ts';
import { workloadWarnings } from '../core/pod-spec/warnings.ts';
import { defaultPodTemplate } from '../core/pod-template.ts';
import { statusSubresource } from '../group.ts';
import { keep } from '../strategies.ts';
import { fields, nonNegative, oneOf } from '../validation/rules.ts';
import { batch } from './group.ts';
import { completionsWarnings, jobSpecErrors } from './job-spec.ts';
import { parseSchedule } from './schedule.ts';

const specFields = fields<CronJobSpec>({
  startingDeadlineSeconds: nonNegative,
  successfulJobsHistoryLimit: nonNegative,
  failedJobsHistoryLimit: nonNegative,
  concurrencyPolicy: oneOf('Allow', 'Forbid', 'Replace'),
});

function scheduleErrors(schedule: string, errors: FieldError[]): void {
  const at = 'spec.schedule';
  if (schedule === '') {
    errors.push(required(at));
    return;
  }
  try {
    const [, zone, rest = schedule] = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/.exec(schedule) ?? [];
    if (zone !== undefined && !isTimeZone(zone))
      throw new Error(`provided bad location ${zone}: unknown time zone ${zone}`);
    parseSchedule(rest);
  } catch (error) {
    errors.push(invalid(at, schedule, (error as Error).message));
  }
  if (schedule.includes('TZ')) {
    errors.push(invalid(at, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  }
}

/** Whether there is a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

function timeZoneErrors(zone: string | undefined, errors: FieldError[]): void {
  if (zone === undefined) return;
  const at = 'spec.timeZone';
  if (zone === '') errors.push(invalid(at, zone, 'timeZone must be nil or non-empty string'));
  else if (zone.toLowerCase() === 'local')
    errors.push(
      invalid(at, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    );
  else if (!isTimeZone(zone)) errors.push(invalid(at, zone, `unknown time zone ${zone}`));
}

/** A Job's name is that of its CronJob and eleven characters more. */
const MAX_NAME = 52;

function validate({ spec = {} as CronJobSpec, metadata: { name = '' } }: CronJob): FieldError[] {
  const errors: FieldError[] = [];
  if (name.length > MAX_NAME)
    errors.push(invalid('metadata.name', name, `must be no more than ${MAX_NAME} characters`));
  scheduleErrors(spec.schedule ?? '', errors);
  timeZoneErrors(spec.timeZone, errors);
  specFields(spec, 'spec', errors);
  jobSpecErrors(spec.jobTemplate?.spec ?? ({} as JobSpec), 'spec.jobTemplate.spec', errors);
  return errors;
}

function warnings(cronJob: CronJob, old: CronJob | undefined): string[] {
  const { spec } = cronJob;
  const path = 'spec.jobTemplate.spec';
  const job = spec?.jobTemplate?.spec;
  const isSame = old !== undefined && cronJob.metadata.generation === old.metadata.generation;
  const texts = isSame ? [] : completionsWarnings(job, path);
  texts.push(...workloadWarnings(cronJob, old, job?.template, `${path}.template`));
  if (old !== undefined && spec?.schedule?.includes('TZ')) {
    const more = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
    texts.push(`cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, ${more}`);
  }
  return texts;
}

/** CronJobs. */
export const cronJob = batch<CronJob>({
  resource: 'cronjobs',
  kind: 'CronJob',
  namespaced: true,
  shortNames: ['cj'],
  categories: ['all'],
  subresources: [statusSubresource('CronJob')],
  strategy: {
    metadataChecks: [0, 1],
    default(cronJob) {
      cronJob.spec ??= {} as CronJobSpec;
      const { spec } = cronJob;
      spec.concurrencyPolicy ||= 'Allow';
      spec.suspend ??= false;
      spec.successfulJobsHistoryLimit ??= 3;
      spec.failedJobsHistoryLimit ??= 1;
      spec.jobTemplate = { metadata: {} as ObjectMeta, ...spec.jobTemplate };
      spec.jobTemplate.spec ??= {} as JobSpec;
      // The Job's own defaults come when it is made.
      defaultPodTemplate(spec.jobTemplate.spec);
    },
    prepareForCreate(cronJob) {
      cronJob.status = {};
    },
    prepareForUpdate(cronJob, old) {
      keep(cronJob, old, 'status');
    },
    validate,
    warnings,
  },
});
