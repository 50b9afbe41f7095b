/** Wall clocks in time zones. Times are in ms since the epoch. */

const REMEMBERED = 256;
const formats = new Map<string, Intl.DateTimeFormat>();

export interface WallClock {
  year: number;
  /** From 1. */
  month: number;
  day: number;
  /** From Sunday, 0. */
  weekday: number;
  hour: number;
  minute: number;
  second: number;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = 'numeric' as const;
    const date = { year: numeric, month: numeric, day: numeric };
    const time = { hour: numeric, minute: numeric, second: numeric, hourCycle: 'h23' as const };
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, era: 'short', ...date, ...time });
    if (formats.size >= REMEMBERED) formats.clear();
    formats.set(zone, format);
  }
  return format;
}

/** By how many milliseconds the zone's clock is ahead of UTC at a time, to the second. Throws for a zone that there is not. */
export function zoneOffset(time: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const parts = formatOf(zone).formatToParts(time);
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value ?? 0);
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return shown - Math.floor(time / 1000) * 1000;
}

/** What a clock in the zone shows at a time. */
export function wallClock(time: number, zone: string): WallClock {
  const shown = new Date(time + zoneOffset(time, zone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    weekday: shown.getUTCDay(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
  };
}

/** When a day begins in the zone; months and days may run over. Where the clock skips midnight, the first time after it. */
export function startOf(year: number, month: number, day: number, zone: string): number {
  const midnight = Date.UTC(year, month - 1, day);
  const before = zoneOffset(midnight - 86_400_000, zone);
  const after = zoneOffset(midnight + 86_400_000, zone);
  const early = midnight - Math.max(before, after);
  if (early + zoneOffset(early, zone) >= midnight) return early;
  const late = midnight - Math.min(before, after);
  // Midnight is skipped when neither offset leads to it: the clock changes between the two.
  return late + zoneOffset(late, zone) === midnight ? late : firstAfter(early, late, midnight, zone);
}

/** The first time at which the zone's clock shows `shown` or later. */
function firstAfter(early: number, late: number, shown: number, zone: string): number {
  let [low, high] = [early, late];
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (middle + zoneOffset(middle, zone) >= shown) high = middle;
    else low = middle;
  }
  return high;
}

/** A time as RFC 3339 in the zone: `2026-01-01T05:00:00-05:00`. */
export function formatIn(time: number, zone: string): string {
  const offset = Math.round(zoneOffset(time, zone) / 60_000);
  const text = new Date(time + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const pad = (n: number): string => `${n}`.padStart(2, '0');
  const ahead = Math.abs(offset);
  return `${text}${offset < 0 ? '-' : '+'}${pad(Math.floor(ahead / 60))}:${pad(ahead % 60)}`;
}
