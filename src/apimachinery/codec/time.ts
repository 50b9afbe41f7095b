/** Times on the wire: RFC 3339, in UTC when we write them. */

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function parse(text: string): { ms: number; fraction: string } | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone.toUpperCase()}`);
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number.isNaN(ms) || Number(day) > lastDay ? undefined : { ms, fraction: fraction.slice(1) };
}

/** `metav1.Time`: whole seconds. Undefined for what is no time. */
export function parseTime(text: string): string | undefined {
  const parsed = parse(text);
  return parsed === undefined ? undefined : `${new Date(parsed.ms).toISOString().slice(0, 19)}Z`;
}

/** `metav1.MicroTime`: six digits after the second. Undefined for what is no time. */
export function parseMicroTime(text: string): string | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  return `${new Date(parsed.ms).toISOString().slice(0, 19)}.${parsed.fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** Seconds and nanoseconds, as protobuf has them. */
export function toTimestamp(text: string): { seconds: number; nanos: number } {
  const parsed = parse(text);
  if (parsed === undefined) return { seconds: 0, nanos: 0 };
  return { seconds: Math.floor(parsed.ms / 1000), nanos: Number(parsed.fraction.slice(0, 9).padEnd(9, '0')) };
}

/** The inverse of {@link toTimestamp}. Undefined for seconds that no date has. */
export function fromTimestamp(seconds: number, nanos: number, micro: boolean): string | undefined {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 1) return undefined;
  const whole = date.toISOString().slice(0, 19);
  return micro ? `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${whole}Z`;
}
