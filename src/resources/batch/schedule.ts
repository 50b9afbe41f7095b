/** Schedules of CronJobs, as robfig/cron reads them: five fields, or a descriptor such as `@hourly` or `@every 1h30m`. */
import { parseDuration } from '../../apimachinery/duration.ts';

/** When a CronJob is due. Times are in ms since the epoch. */
export interface Schedule {
  /** The first time after `after`; undefined when there is none within five years. */
  next(after: number): number | undefined;
  /** The last time in `(after, until]`. */
  last(after: number, until: number): number | undefined;
}

/** The bits of the values that fit, and whether the field says nothing: then the other day field decides alone. */
export interface Field {
  values: ReadonlySet<number>;
  any: boolean;
}

export interface Fields {
  minute: Field;
  hour: Field;
  dayOfMonth: Field;
  month: Field;
  dayOfWeek: Field;
}

interface Bounds {
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const BOUNDS: Record<keyof Fields, Bounds> = {
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  dayOfMonth: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: MONTHS },
  dayOfWeek: { min: 0, max: 6, names: DAYS },
};
const DESCRIPTORS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const EVERY = '@every ';

/** Reads a schedule: its fields, or the milliseconds between two times. Throws with robfig's words. */
export function parseSchedule(schedule: string): Fields | number {
  if (schedule === '') throw new Error('empty spec string');
  if (schedule.startsWith(EVERY)) return parseEvery(schedule.slice(EVERY.length));
  if (schedule.startsWith('@')) {
    const fields = Object.hasOwn(DESCRIPTORS, schedule) ? DESCRIPTORS[schedule] : undefined;
    if (fields === undefined) throw new Error(`unrecognized descriptor: ${schedule}`);
    return parseSchedule(fields);
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`);
  const names = Object.keys(BOUNDS) as (keyof Fields)[];
  const fields = names.map((name, i) => [name, parseField(parts[i] as string, BOUNDS[name])] as const);
  return Object.fromEntries(fields) as unknown as Fields;
}

function parseEvery(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`failed to parse duration ${EVERY}${text}: ${durationError(text)}`);
  return Math.max(1000, Math.floor(duration / 1000) * 1000);
}

function durationError(text: string): string {
  const shown = JSON.stringify(text);
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return `time: missing unit in duration ${shown}`;
  const [, unit] = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))*(?:\d+\.?\d*|\.\d+)([^\d.]+)/.exec(text) ?? [];
  const isUnknown = unit !== undefined && !['ns', 'us', 'µs', 'ms', 's', 'm', 'h'].includes(unit);
  return isUnknown
    ? `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`
    : `time: invalid duration ${shown}`;
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const { first, last, step, star } = parseRange(part, bounds);
    for (let value = first; value <= last; value += step) values.add(value);
    any ||= star && step === 1;
  }
  return { values, any };
}

function parseRange(text: string, bounds: Bounds): { first: number; last: number; step: number; star: boolean } {
  const [range = '', stepText, ...slashes] = text.split('/');
  const [low = '', high, ...hyphens] = range.split('-');
  const star = low === '*' || low === '?';
  let first = bounds.min;
  let last = bounds.max;
  if (!star) {
    first = parseValue(low, bounds);
    last = high === undefined ? first : parseValue(high, bounds);
    if (hyphens.length > 0) throw new Error(`too many hyphens: ${text}`);
  }
  if (slashes.length > 0) throw new Error(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // `5/15` is `5-59/15`.
  if (stepText !== undefined && high === undefined) last = bounds.max;
  if (first < bounds.min) throw new Error(`beginning of range (${first}) below minimum (${bounds.min}): ${text}`);
  if (last > bounds.max) throw new Error(`end of range (${last}) above maximum (${bounds.max}): ${text}`);
  if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${text}`);
  return { first, last, step, star };
}

function parseValue(text: string, { names = [] }: Bounds): number {
  const named = text === '' ? -1 : names.indexOf(text.toLowerCase());
  return named >= 0 ? named : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (number > Number.MAX_SAFE_INTEGER) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing "${text}": value out of range`);
  }
  if (number < 0) throw new Error(`negative number (${number}) not allowed: ${text}`);
  return number;
}
