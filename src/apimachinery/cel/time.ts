/** Timestamps and durations as expressions compute with them: to the nanosecond, in the zone that they were written in. */
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { fail } from './libraries/library.ts';

const SECOND = 1_000_000_000n;
const MAX_INT = 2n ** 63n - 1n;
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Rounded towards the past. */
const floorDivide = (a: bigint, b: bigint): bigint => a / b - (a % b < 0n ? 1n : 0n);

/** A moment. The base library knows timestamps by the class of dates, so this says that it is one. */
export class Timestamp extends Date {
  /** Nanoseconds since 1970. */
  readonly nanoseconds: bigint;
  /** Minutes east of UTC, where it was written. */
  readonly offset: number;

  /** Throws where the year has more or less than four digits. */
  constructor(nanoseconds: bigint, offset = 0) {
    const seconds = floorDivide(nanoseconds, SECOND);
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND) fail('timestamp overflow');
    super(Number(floorDivide(nanoseconds, 1_000_000n)));
    this.nanoseconds = nanoseconds;
    this.offset = offset;
    Object.defineProperty(this, 'constructor', { value: Date });
  }

  /** Whole seconds since 1970. */
  get seconds(): bigint {
    return floorDivide(this.nanoseconds, SECOND);
  }

  /** As Go's `RFC3339Nano`. */
  override toString(): string {
    const local = new Date(this.getTime() + this.offset * 60_000).toISOString().slice(0, 19);
    const rest = this.nanoseconds - this.seconds * SECOND;
    const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
    return `${local}${fraction}${zoneText(this.offset)}`;
  }
}

function zoneText(offset: number): string {
  if (offset === 0) return 'Z';
  const minutes = Math.abs(offset);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** A moment from its RFC 3339 text; undefined for what is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const [, , , , , , , fraction = '', sign, hours = '0', minutes = '0'] = match;
  if (Number(hours) > 24 || Number(minutes) > 60) return undefined;
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const local = date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
  const whole = BigInt(local - offset * 60);
  if (whole < FIRST_SECOND || whole > LAST_SECOND) return undefined;
  return new Timestamp(whole * SECOND + BigInt(fraction.slice(0, 9).padEnd(9, '0')), offset);
}

/** A moment so many seconds after 1970; undefined for what is out of range. */
export const timestampOf = (seconds: bigint): Timestamp | undefined =>
  seconds < FIRST_SECOND || seconds > LAST_SECOND ? undefined : new Timestamp(seconds * SECOND);

/** The date in milliseconds of any date, as a timestamp. */
export const toTimestamp = (date: Date): Timestamp =>
  date instanceof Timestamp ? date : new Timestamp(BigInt(date.getTime()) * 1_000_000n);

/** All of a duration in nanoseconds. */
export const nanosecondsOf = ({ seconds, nanos }: Duration): bigint => seconds * SECOND + BigInt(nanos);

/** A duration of so many nanoseconds. Throws where an int cannot hold them. */
export function durationOf(nanoseconds: bigint): Duration {
  if (nanoseconds > MAX_INT || nanoseconds < -MAX_INT - 1n) fail('integer overflow');
  return new Duration(nanoseconds / SECOND, Number(nanoseconds % SECOND));
}

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};
const WHOLE = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g;
const LONGEST = 200;

/** A duration from Go's text (`1h30m`); undefined for what is none, or too long for an int of nanoseconds. */
export function parseCelDuration(text: string): Duration | undefined {
  if (text.length > LONGEST || !WHOLE.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(PART)) {
    const nanoseconds = UNITS[unit] ?? 0n;
    total += BigInt(whole || '0') * nanoseconds;
    total += (BigInt(fraction || '0') * nanoseconds) / 10n ** BigInt(fraction.length);
  }
  const isNegative = text.startsWith('-');
  if (total > MAX_INT + (isNegative ? 1n : 0n)) return undefined;
  return durationOf(isNegative ? -total : total);
}

/** A duration in seconds, without an exponent: `5400s`, `0.001s`. */
export function durationText(duration: Duration): string {
  const { seconds, nanos } = duration;
  const text = String(Number(seconds) + nanos / 1e9);
  const [digits = '', exponent] = text.split('e-');
  if (exponent === undefined) return `${text}s`;
  const sign = digits.startsWith('-') ? '-' : '';
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${digits.replace(/[-.]/g, '')}s`;
}
