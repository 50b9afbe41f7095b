/**
 * When schedules are due, in a time zone. Times that a change of the clock skips do not come, and times that it repeats come twice, as with
 * robfig/cron.
 */
import { type Field, type Fields, parseSchedule, type Schedule } from '../../resources/batch/schedule.ts';
import { startOf, wallClock, zoneOffset } from './time-zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEARS_AHEAD = 5;

/** The schedule that the text describes. Throws, in robfig's words, where it describes none. */
export function schedule(text: string, timeZone = 'UTC'): Schedule {
  const parsed = parseSchedule(text);
  return typeof parsed === 'number' ? every(parsed) : calendar(parsed, timeZone);
}

/** `@every`: counted from the time before. */
function every(interval: number): Schedule {
  const next = (after: number): number => Math.floor(after / 1000) * 1000 + interval;
  const last = (after: number, until: number): number | undefined => {
    const first = next(after);
    return first > until ? undefined : first + Math.floor((until - first) / interval) * interval;
  };
  return { next, last };
}

function calendar(fields: Fields, zone: string): Schedule {
  const next = (after: number): number | undefined => nextTime(fields, zone, after);
  /** Halves the span in which the last time must be: cheap however long ago `after` is and however often the schedule comes. */
  const last = (after: number, until: number): number | undefined => {
    const comesWithin = (from: number): boolean => (next(from) ?? Number.POSITIVE_INFINITY) <= until;
    if (!comesWithin(after)) return undefined;
    let from = after;
    for (let span = MINUTE; until - span > from; span *= 2) if (comesWithin(until - span)) from = until - span;
    let low = from;
    let high = until;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      if (comesWithin(middle)) low = middle;
      else high = middle;
    }
    return next(low);
  };
  return { next, last };
}

/** Goes forward month by month, day by day, hour by hour, minute by minute, to the next that fits. */
function nextTime(fields: Fields, zone: string, after: number): number | undefined {
  if (Object.values(fields).some(({ values }) => values.size === 0)) return undefined;
  let time = (Math.floor(after / 1000) + 1) * 1000;
  const lastYear = wallClock(time, zone).year + YEARS_AHEAD;
  const fits = ({ values }: Field, value: number): boolean => values.has(value);
  for (;;) {
    const { year, month, day, weekday, hour, minute, second } = wallClock(time, zone);
    if (year > lastYear) return undefined;
    if (!fits(fields.month, month)) time = startOf(year, month + 1, 1, zone);
    else if (!dayFits(fields, day, weekday)) time = startOf(year, month, day + 1, zone);
    else if (!fits(fields.hour, hour)) time = nextHour(time, zone);
    else if (!fits(fields.minute, minute) || second > 0) time += MINUTE - second * 1000;
    else return time;
  }
}

/** Where both days are given, either is enough. */
function dayFits({ dayOfMonth, dayOfWeek }: Fields, day: number, weekday: number): boolean {
  const [inMonth, inWeek] = [dayOfMonth.values.has(day), dayOfWeek.values.has(weekday)];
  return dayOfMonth.any || dayOfWeek.any ? inMonth && inWeek : inMonth || inWeek;
}

/** The next full hour on the wall; zones are off by quarters of an hour too. */
function nextHour(time: number, zone: string): number {
  const offset = zoneOffset(time, zone);
  return Math.floor((time + offset) / HOUR) * HOUR + HOUR - offset;
}
