/** Times on the wire: RFC 3339, in UTC when we write them. */

/** Layouts as Go names them, for its errors. */
const LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';
/** What a layout asks for, piece by piece, with what matches it. */
const PIECES: readonly (readonly [string, RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d(\.\d+)?/],
  ['Z07:00', /^(Z|[+-]\d\d:\d\d)/],
];
/** A layout with digits after the second wants as many of them. */
const MICRO_PIECES = PIECES.flatMap((piece): (readonly [string, RegExp])[] =>
  piece[0] === '05'
    ? [
        ['05', /^\d\d/],
        ['.000000', /^\.\d{6}/],
      ]
    : [piece],
);
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The years that four digits write. */
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const END = Date.parse('9999-12-31T23:59:59Z') + 1000;

function parse(text: string): { ms: number; fraction: string } | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const real = ms >= FIRST && ms < END && Number(day) <= lastDay;
  return real ? { ms, fraction: fraction.slice(1) } : undefined;
}

/** As times are stored; days that every month has, so that nothing more need be checked. */
const CANONICAL = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** `metav1.Time`: whole seconds. Undefined for what is no time. */
export function parseTime(text: string): string | undefined {
  if (CANONICAL.test(text)) return text;
  const parsed = parse(text);
  return parsed === undefined ? undefined : seconds(parsed.ms);
}

/** `metav1.MicroTime`: six digits after the second, no more and no less. Undefined for what is no time. */
export function parseMicroTime(text: string): string | undefined {
  const parsed = parse(text);
  if (parsed?.fraction.length !== 6) return undefined;
  return `${seconds(parsed.ms).slice(0, -1)}.${parsed.fraction}Z`;
}

/** Why a text is no time, in Go's words (`time.ParseError`). */
export function timeProblem(text: string, micro: boolean): string {
  const quoted = JSON.stringify(text);
  let rest = text;
  for (const [piece, pattern] of micro ? MICRO_PIECES : PIECES) {
    const match = pattern.exec(rest);
    if (match === null) {
      return `parsing time ${quoted} as "${micro ? MICRO_LAYOUT : LAYOUT}": cannot parse ${JSON.stringify(rest)} as "${piece}"`;
    }
    rest = rest.slice(match[0].length);
  }
  if (rest !== '') return `parsing time ${quoted}: extra text: ${JSON.stringify(rest)}`;
  return `parsing time ${quoted}: ${outOfRange(text)} out of range`;
}

function outOfRange(text: string): string {
  const at = (start: number): number => Number(text.slice(start, start + 2));
  if (at(5) < 1 || at(5) > 12) return 'month';
  if (at(11) > 23) return 'hour';
  if (at(14) > 59) return 'minute';
  return at(17) > 59 ? 'second' : 'day';
}

/** Seconds and nanoseconds, as protobuf has them; zero for what is no time. */
export function toTimestamp(text: string): { seconds: number; nanos: number } {
  const parsed = parse(text);
  if (parsed === undefined) return { seconds: 0, nanos: 0 };
  return { seconds: Math.floor(parsed.ms / 1000), nanos: Number(parsed.fraction.slice(0, 9).padEnd(9, '0')) };
}

/** The inverse of {@link toTimestamp}. Undefined for seconds that no date has. */
export function fromTimestamp(at: number, nanos: number, micro: boolean): string | undefined {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 1) return undefined;
  if (nanos < 0 || nanos >= 1e9) return undefined;
  const whole = seconds(date.getTime());
  return micro ? `${whole.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : whole;
}

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/;

/** Milliseconds of a `metav1.Duration` such as `1h30m`. Undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > 100 || !DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, , unit = ''] of text.matchAll(/(\d+(\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(amount) * (UNITS[unit] ?? 0);
  return text.startsWith('-') ? -ms : ms;
}
