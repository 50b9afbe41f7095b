/** The Jobs of a CronJob. */
import type { Client } from '../../apimachinery/client.ts';
import { now } from '../../apimachinery/meta.ts';
import type { CronJob, CronJobStatus, Job } from '../../generated/types/batch.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { holding, isFinished } from '../job/conditions.ts';
import { JOBS } from '../job/pods.ts';
import { controllerRef, deleteIfPresent, messageOf, timeOf } from '../objects.ts';
import { formatIn } from './time-zone.ts';

const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** The Job of the run at `time`. Its name is the lock that keeps a run from being started twice. */
export function jobOf(cronJob: CronJob, time: number): Job {
  const { name, namespace } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name}-${Math.floor(time / 60_000)}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations, [SCHEDULED]: formatIn(time, cronJob.spec?.timeZone ?? 'UTC') },
      ownerReferences: [controllerRef(cronJob, 'batch/v1', 'CronJob')],
    },
    ...(spec === undefined ? {} : { spec: structuredClone(spec) }),
  };
}

/** Notes in the status which Jobs run, and when one last succeeded. */
export function noteJobs(
  cronJob: CronJob,
  status: CronJobStatus,
  jobs: readonly Job[],
  context: ControllerContext,
): void {
  const { events } = context;
  const known = new Set(status.active?.map(({ uid }) => uid));
  const running = new Set(jobs.filter((job) => !isFinished(job)).map(({ metadata }) => metadata.uid));
  for (const job of jobs) {
    const { name, uid } = job.metadata;
    const isKnown = known.has(uid);
    if (!isKnown && running.has(uid)) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      events.record(cronJob, 'Warning', 'UnexpectedJob', message);
    } else if (isKnown && !running.has(uid)) {
      const condition = holding(job, 'Complete') === undefined ? 'Failed' : 'Complete';
      events.record(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${condition}`);
    }
    const completed = holding(job, 'Complete') === undefined ? 0 : timeOf(job.status?.completionTime);
    if (completed > timeOf(status.lastSuccessfulTime)) status.lastSuccessfulTime = now(completed);
  }
  const there = new Set(jobs.map(({ metadata }) => metadata.uid));
  for (const { name, uid } of status.active ?? []) {
    if (!there.has(uid)) events.record(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`);
  }
  setActive(status, status.active?.filter(({ uid }) => running.has(uid)) ?? []);
}

/** Writes the list of running Jobs; an empty one is left out. */
export function setActive(status: CronJobStatus, active: NonNullable<CronJobStatus['active']>): void {
  if (active.length === 0) delete status.active;
  else status.active = active;
}

/** Deletes the oldest of the Jobs that ended, beyond what the history may hold. Throws when one could not be deleted. */
export async function trimHistory(
  client: Client,
  cronJob: CronJob,
  jobs: readonly Job[],
  context: ControllerContext,
): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const limits = { Complete: successfulJobsHistoryLimit, Failed: failedJobsHistoryLimit };
  for (const [condition, limit] of Object.entries(limits)) {
    if (limit === undefined) continue;
    const ended = jobs.filter((job) => holding(job, condition) !== undefined).sort(byStart);
    for (const job of ended.slice(0, Math.max(0, ended.length - limit))) {
      if (await deleteJob(client, cronJob, job, context)) continue;
      throw new Error(`could not delete job ${cronJob.metadata.namespace}/${job.metadata.name}`);
    }
  }
}

/** Those that never started come last. */
function byStart(a: Job, b: Job): number {
  const start = ({ status }: Job): number => timeOf(status?.startTime) || Number.MAX_SAFE_INTEGER;
  return start(a) - start(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** Deletes a Job with its pods; answers whether it is gone. */
export async function deleteJob(
  client: Client,
  cronJob: CronJob,
  job: Job,
  { events }: ControllerContext,
): Promise<boolean> {
  try {
    const deleted = await deleteIfPresent(client, JOBS, job, { propagationPolicy: 'Background' });
    if (deleted) events.record(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
    return true;
  } catch (error) {
    events.record(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    return false;
  }
}
