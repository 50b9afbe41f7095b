/** The formats of strings that upstream checks (`strfmt`); any other is only a remark. */
import { cidrFamily, ipFamily } from '../networks.ts';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const uuidOf = (version: number): RegExp =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[${version === 3 ? '0-9a-f' : '89ab'}][0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:?\d{2})$/;
const HOST_LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;
const EMAIL = /^(?:[^\s@<>()[\]\\,;:"]+|"[^"]*")@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;
const GO_DURATION =
  /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;
const WORD_DURATION =
  /^\d+(?:\.\d+)?\s*(?:ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|hrs?|d|days?|w|weeks?|wks?)$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isDate(text: string): boolean {
  const [, year = '', month = '', day = ''] = DATE.exec(text) ?? [];
  if (year === '') return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function isDateTime(text: string): boolean {
  const date = DATE_TIME.exec(text)?.[1];
  return date !== undefined && isDate(date);
}

const isHostname = (text: string): boolean =>
  text.length <= 255 &&
  text !== '' &&
  text
    .replace(/\.$/, '')
    .split('.')
    .every((label) => HOST_LABEL.test(label));

/** Needs a scheme or a leading slash, as Go's `url.ParseRequestURI`. */
const isUri = (text: string): boolean => text.startsWith('/') || /^[a-z][a-z0-9+.-]*:\S+$/i.test(text);

const FORMATS: Record<string, (text: string) => boolean> = {
  date: isDate,
  'date-time': isDateTime,
  datetime: isDateTime,
  duration: (text) => text === '0' || GO_DURATION.test(text) || WORD_DURATION.test(text),
  email: (text) => EMAIL.test(text),
  hostname: isHostname,
  ipv4: (text) => ipFamily(text) === 4,
  ipv6: (text) => ipFamily(text) === 6,
  cidr: (text) => cidrFamily(text) !== 0,
  mac: (text) => /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?:(?:[:-][0-9a-f]{2}){2})?$/i.test(text),
  uri: isUri,
  uuid: (text) => UUID.test(text),
  uuid3: (text) => uuidOf(3).test(text),
  uuid4: (text) => uuidOf(4).test(text),
  uuid5: (text) => uuidOf(5).test(text),
  byte: (text) => BASE64.test(text),
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  isbn10: (text) => /^\d{9}[\dX]$/.test(text.replaceAll(/[\s-]/g, '')),
  isbn13: (text) => /^\d{13}$/.test(text.replaceAll(/[\s-]/g, '')),
};

/** Whether a text is of the format; of a format that nobody knows every text is. */
export function hasFormat(format: string, text: string): boolean {
  return !Object.hasOwn(FORMATS, format) || (FORMATS[format]?.(text) ?? true);
}

/** Formats that are known, though any text is of them. */
const UNCHECKED = ['isbn', 'creditcard', 'ssn', 'rgbcolor', 'password', 'k8sshortname', 'k8slongname'];

/** Whether a format of strings is one that upstream knows (`supportedVersionedFormats`), with dashes or without. */
export function isKnownFormat(format: string): boolean {
  const name = format.replaceAll('-', '');
  return Object.hasOwn(FORMATS, name) || UNCHECKED.includes(name);
}
