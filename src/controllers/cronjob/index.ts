/** Starts Jobs on time. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { controllerOf, now } from '../../apimachinery/meta.ts';
import type { CronJob, CronJobStatus, Job } from '../../generated/types/batch.v1.ts';
import { isTimeZone } from '../../resources/batch/cronjob.ts';
import type { Schedule } from '../../resources/batch/schedule.ts';
import type { Controller, ControllerContext, ObjectChange, ObjectRef, Requeue } from '../controller.ts';
import { isFinished } from '../job/conditions.ts';
import { JOBS } from '../job/pods.ts';
import { messageOf, patchStatus, timeOf } from '../objects.ts';
import { dueRun, untilNext } from './due.ts';
import { deleteJob, jobOf, noteJobs, setActive, trimHistory } from './jobs.ts';
import { schedule } from './schedule.ts';

const CRON_JOBS = 'batch/cronjobs';
/** After a key: the schedule changed. What the new one would have started in the past is not started. */
const RESCHEDULED = '/schedule';

/** Upstream's `cronjob-controller`. */
export const cronJobController: Controller = {
  name: 'cronjob-controller',
  watches: [
    { resource: CRON_JOBS, keys: itselfOrSchedule },
    { resource: JOBS, keys: cronJobOf },
  ],
  async reconcile(client, ref, context): Promise<Requeue | undefined> {
    if (ref.name.endsWith(RESCHEDULED)) {
      await reschedule(client, ref, context);
      return;
    }
    const read = await client.get<CronJob>(CRON_JOBS, ref.namespace, ref.name);
    if (read === undefined) return;
    const cronJob: CronJob = { ...read, apiVersion: 'batch/v1', kind: 'CronJob' };
    const { items } = await client.list<Job>(JOBS, { namespace: ref.namespace, ownerUid: read.metadata.uid ?? '' });
    const jobs = items.filter((job) => controllerOf(job)?.uid === read.metadata.uid);
    const status = structuredClone(read.status ?? {});
    noteJobs(cronJob, status, jobs, context);
    try {
      return await startDue(client, cronJob, status, jobs, context);
    } finally {
      // First of all: a Job that goes before its run is noted would be started again.
      await patchStatus(client, CRON_JOBS, read, status);
      await trimHistory(client, cronJob, jobs, context);
    }
  },
};

/** Starts what is due, notes it in the status, and answers when to look again. */
async function startDue(
  client: Client,
  cronJob: CronJob,
  status: CronJobStatus,
  jobs: readonly Job[],
  context: ControllerContext,
): Promise<Requeue | undefined> {
  const { metadata, spec = {} } = cronJob;
  if (metadata.deletionTimestamp !== undefined || !zoneIsKnown(cronJob, context) || spec.suspend === true) return;
  const plan = scheduleOf(cronJob, context);
  if (plan === undefined) return;
  const at = context.now();
  const due = dueRun(cronJob, plan, at);
  if (due.time !== undefined && (await mayStart(client, cronJob, status, jobs, due.time, context))) {
    if (due.manyMissed) {
      const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      context.events.record(cronJob, 'Warning', 'TooManyMissedTimes', `too many missed start times. ${advice}`);
    }
    const job = await createJob(client, cronJob, due.time, context);
    if (job !== undefined) {
      const { name, namespace = '', uid = '', resourceVersion = '' } = job.metadata;
      const reference = { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
      const others = status.active?.filter((active) => active.uid !== uid) ?? [];
      setActive(status, isFinished(job) ? others : [...others, reference]);
      status.lastScheduleTime = now(due.time);
    }
  }
  const requeueAfterMs = untilNext(cronJob, plan, at);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** Whether the run may begin; deletes the Jobs before it where it replaces them. */
async function mayStart(
  client: Client,
  cronJob: CronJob,
  status: CronJobStatus,
  jobs: readonly Job[],
  time: number,
  context: ControllerContext,
): Promise<boolean> {
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {};
  const active = status.active ?? [];
  if (startingDeadlineSeconds !== undefined && time + startingDeadlineSeconds * 1000 < context.now()) {
    const missed = `Missed scheduled time to start a job: ${rfc1123(time)}`;
    context.events.record(cronJob, 'Warning', 'MissSchedule', missed);
    return false;
  }
  if (
    timeOf(status.lastScheduleTime) === time ||
    active.some(({ name }) => name === jobOf(cronJob, time).metadata.name)
  ) {
    return false;
  }
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    context.events.record(cronJob, 'Normal', 'JobAlreadyActive', message);
    return false;
  }
  if (concurrencyPolicy !== 'Replace') return true;
  for (const { uid, name } of active) {
    const job = jobs.find(({ metadata }) => metadata.uid === uid);
    if (job !== undefined && !(await deleteJob(client, cronJob, job, context))) {
      throw new Error(`could not replace job ${cronJob.metadata.namespace}/${name}`);
    }
  }
  setActive(status, []);
  return true;
}

/** Creates the Job; one that is there already was created by a reconcile whose end was lost. Undefined when it is somebody else's. */
async function createJob(
  client: Client,
  cronJob: CronJob,
  time: number,
  { events }: ControllerContext,
): Promise<Job | undefined> {
  const wanted = jobOf(cronJob, time);
  const { namespace = '', name } = wanted.metadata;
  try {
    const created = await client.create<Job>(JOBS, wanted);
    events.record(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    return created;
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) {
      const job = await client.get<Job>(JOBS, namespace, name);
      return job !== undefined && controllerOf(job)?.uid === cronJob.metadata.uid ? job : undefined;
    }
    events.record(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
    throw error;
  }
}

/** The schedule, or an event that says why it is none. */
function scheduleOf(cronJob: CronJob, { events }: ControllerContext): Schedule | undefined {
  const { schedule: text = '', timeZone } = cronJob.spec ?? {};
  try {
    return schedule(text, timeZone);
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(text)} : ${messageOf(error)}`;
    events.record(cronJob, 'Warning', 'UnparseableSchedule', message);
    return undefined;
  }
}

function zoneIsKnown(cronJob: CronJob, { events }: ControllerContext): boolean {
  const { timeZone } = cronJob.spec ?? {};
  if (timeZone === undefined || isTimeZone(timeZone)) return true;
  const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`;
  events.record(cronJob, 'Warning', 'UnknownTimeZone', message);
  return false;
}

/** `Mon, 02 Jan 2006 15:04:05 +0000`. */
const rfc1123 = (time: number): string => new Date(time).toUTCString().replace('GMT', '+0000');

/** The CronJob is looked at again when its new schedule is due, and not when the old one was. */
async function reschedule(client: Client, ref: ObjectRef, context: ControllerContext): Promise<void> {
  const name = ref.name.slice(0, -RESCHEDULED.length);
  const key = `${ref.namespace}/${name}`;
  const cronJob = await client.get<CronJob>(CRON_JOBS, ref.namespace, name);
  const { schedule: text = '', timeZone, suspend } = cronJob?.spec ?? {};
  if (cronJob === undefined || suspend === true) return;
  let wait: number | undefined = 0;
  try {
    wait = untilNext(cronJob, schedule(text, timeZone), context.now());
  } catch {
    // The look at the CronJob itself says what is wrong.
  }
  context.schedule.cancel(key);
  if (wait !== undefined) context.schedule.after(key, wait);
}

async function itselfOrSchedule(change: ObjectChange): Promise<string[]> {
  const before = (change.previous as CronJob | undefined)?.spec;
  const after = ((await change.object()) as CronJob | undefined)?.spec;
  const changed = before?.schedule !== after?.schedule || before?.timeZone !== after?.timeZone;
  const rescheduled = change.type === 'MODIFIED' && before !== undefined && after !== undefined && changed;
  return [rescheduled ? `${change.key}${RESCHEDULED}` : change.key];
}

/** The CronJob that controls a Job, now or before. */
async function cronJobOf(change: ObjectChange): Promise<string[]> {
  const states = [await change.object(), change.previous].filter((state) => state !== undefined);
  const owners = states.map(controllerOf).filter((owner) => owner?.kind === 'CronJob');
  return [...new Set(owners.map((owner) => `${change.namespace}/${owner?.name}`))];
}
