/** Which run of a CronJob is due. */
import type { CronJob } from '../../generated/types/batch.v1.ts';
import type { Schedule } from '../../resources/batch/schedule.ts';
import { timeOf } from '../objects.ts';

/** More runs than these are not missed by chance. */
const MANY = 100;

export interface Due {
  /** The last run that should have begun and has not, in ms since the epoch. */
  time?: number;
  /** It is one of very many. */
  manyMissed: boolean;
}

/** Looks from the last run on, or from the beginning; with a deadline not further back than that (`mostRecentScheduleTime`). */
export function dueRun(cronJob: CronJob, schedule: Schedule, now: number): Due {
  const { startingDeadlineSeconds } = cronJob.spec ?? {};
  const deadline = startingDeadlineSeconds === undefined ? 0 : now - startingDeadlineSeconds * 1000;
  const earliest = Math.max(lastRun(cronJob), deadline);
  const time = schedule.last(earliest, now);
  if (time === undefined) return { manyMissed: false };
  const first = schedule.next(earliest) ?? time;
  const interval = Math.max(1000, (schedule.next(first) ?? first) - first);
  return { time, manyMissed: Math.floor((now - first) / interval) + 1 > MANY };
}

/** Milliseconds until the next run; undefined when none comes. */
export function untilNext(cronJob: CronJob, schedule: Schedule, now: number): number | undefined {
  const next = schedule.next(schedule.last(lastRun(cronJob), now) ?? Math.min(lastRun(cronJob), now));
  return next === undefined ? undefined : Math.max(0, next - now);
}

const lastRun = ({ metadata, status }: CronJob): number =>
  timeOf(status?.lastScheduleTime ?? metadata.creationTimestamp);
