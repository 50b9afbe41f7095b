/** Timestamps and durations: conversions, and what a moment is called in a time zone. */
import type { Duration } from '@marcbachmann/cel-js/evaluator';
import { durationText, parseCelDuration, parseTimestamp, timestampOf, toTimestamp } from '../time.ts';
import { fail, functions, type Library } from './library.ts';

const TIME = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

const conversion = (type: string): never => fail(`type conversion error from 'string' to '${type}'`);

/** What clocks show in a zone, as a date whose UTC fields are read. */
function clock(time: Date, zone: string): Date {
  const colon = zone.indexOf(':');
  if (colon >= 0) return new Date(time.getTime() + offsetOf(zone, colon) * 60_000);
  if (zone === '' || zone === 'UTC' || zone === 'Local') return time;
  const part = new Map(
    formatter(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const of = (name: Intl.DateTimeFormatPartTypes): number => part.get(name) ?? 0;
  const shown = new Date(0);
  shown.setUTCFullYear(of('year'), of('month') - 1, of('day'));
  shown.setUTCHours(of('hour'), of('minute'), of('second'), ((time.getTime() % 1000) + 1000) % 1000);
  return shown;
}

function offsetOf(zone: string, colon: number): number {
  const number = (text: string): number =>
    /^[+-]?\d+$/.test(text) ? Number(text) : fail(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const [hours, minutes] = [number(zone.slice(0, colon)), number(zone.slice(colon + 1))];
  return zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes;
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  // Go's names of zones are paths: `Z` and `+02` are none of them, whatever this runtime makes of them.
  if (!/^[A-Z][A-Za-z0-9_+-]{2,}(?:\/[A-Za-z0-9_+-]+)*$/.test(timeZone)) fail(`unknown time zone ${timeZone}`);
  const numeric = 'numeric';
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
  } catch {
    return fail(`unknown time zone ${timeZone}`);
  }
}

const GETTERS: Record<string, (shown: Date) => number> = {
  getFullYear: (shown) => shown.getUTCFullYear(),
  getMonth: (shown) => shown.getUTCMonth(),
  getDate: (shown) => shown.getUTCDate(),
  getDayOfMonth: (shown) => shown.getUTCDate() - 1,
  getDayOfWeek: (shown) => shown.getUTCDay(),
  getDayOfYear: (shown) => {
    const first = new Date(0).setUTCFullYear(shown.getUTCFullYear(), 0, 1);
    return Math.floor((shown.getTime() - first) / 86_400_000);
  },
  getHours: (shown) => shown.getUTCHours(),
  getMinutes: (shown) => shown.getUTCMinutes(),
  getSeconds: (shown) => shown.getUTCSeconds(),
  getMilliseconds: (shown) => shown.getUTCMilliseconds(),
};

const getters = Object.entries(GETTERS).flatMap(([name, get]) => [
  [`${TIME}.${name}_(): int`, (time: Date) => BigInt(get(time))] as const,
  [`${TIME}.${name}_(string): int`, (time: Date, zone: string) => BigInt(get(clock(time, zone)))] as const,
]);

export const times: Library = functions({
  [`timestamp_(string): ${TIME}`]: (text: string) => parseTimestamp(text) ?? conversion(TIME),
  [`timestamp_(int): ${TIME}`]: (seconds: bigint) => timestampOf(seconds) ?? fail('timestamp overflow'),
  [`timestamp_(${TIME}): ${TIME}`]: (time: Date) => time,
  [`duration_(string): ${DURATION}`]: (text: string) => parseCelDuration(text) ?? conversion(DURATION),
  [`duration_(${DURATION}): ${DURATION}`]: (duration: Duration) => duration,
  [`string_(${TIME}): string`]: (time: Date) => String(toTimestamp(time)),
  [`string_(${DURATION}): string`]: durationText,
  ...Object.fromEntries(getters),
  [`${DURATION}.getHours_(): int`]: (duration: Duration) => duration.getHours(),
  [`${DURATION}.getMinutes_(): int`]: (duration: Duration) => duration.getMinutes(),
  [`${DURATION}.getSeconds_(): int`]: (duration: Duration) => duration.getSeconds(),
  [`${DURATION}.getMilliseconds_(): int`]: ({ seconds, nanos }: Duration) =>
    seconds * 1000n + BigInt(Math.trunc(nanos / 1e6)),
});
