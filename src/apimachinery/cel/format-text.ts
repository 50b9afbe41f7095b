/** `'%s is %d'.format([…])`, after cel-go's `ext.Strings`, and how values are written in texts. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { hex as hexOf } from '../digest.ts';
import { goFloat } from '../go-float.ts';
import { fail } from './libraries/library.ts';
import { durationText, toTimestamp } from './time.ts';
import { kindOf } from './values.ts';

const PRECISION = 6;

/** What the value is not: cel-go says it with the type that it is. */
export const CLAUSES: Record<string, { takes: readonly string[]; words: string }> = {
  s: {
    takes:
      'list map int uint double bool string google.protobuf.Timestamp bytes google.protobuf.Duration type null_type'.split(
        ' ',
      ),
    words:
      'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  },
  d: { takes: ['int', 'uint'], words: 'decimal clause can only be used on integers' },
  b: { takes: ['int', 'uint', 'bool'], words: 'only integers and bools can be formatted as binary' },
  o: { takes: ['int', 'uint'], words: 'octal clause can only be used on integers' },
  x: {
    takes: ['int', 'uint', 'string', 'bytes'],
    words: 'only integers, byte buffers, and strings can be formatted as hex',
  },
  f: { takes: ['double', 'string'], words: 'fixed-point clause can only be used on doubles' },
  e: { takes: ['double', 'string'], words: 'scientific clause can only be used on doubles' },
};
/** Of texts, doubles may be these. */
const DOUBLES: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** A text in quotes, as cel-go's `strings.quote` writes it. */
export const quoted = (text: string): string => `"${text.toWellFormed().replaceAll(/[\p{Cc}\\"]/gu, signText)}"`;
const signText = (sign: string): string =>
  sign === '"' || sign === '\\' ? `\\${sign}` : SIGNS[sign] === undefined ? sign : `\\${SIGNS[sign]}`;
const SIGNS: Record<string, string> = {
  '\u0007': 'a',
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
};

/** A text in quotes, as Go's `%q` writes it: what cannot be seen is written by its number. */
const goQuoted = (text: string): string =>
  quoted(text).replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string');
  }
}

/** A value as `%s` writes it. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goFloat(value);
  if (value instanceof Date) return String(toTimestamp(value));
  if (value instanceof Duration) return durationText(value);
  return innerText(value, (bytes) => utf8(bytes));
}

/** A value within a list or a map. */
function innerText(value: unknown, bytesText = (bytes: Uint8Array) => `b${goQuoted(utf8(bytes))}`): string {
  if (typeof value === 'string') return goQuoted(value);
  if (typeof value === 'number') return Number.isFinite(value) ? fixed(value, PRECISION) : `"${goFloat(value)}"`;
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof Date) return `timestamp(${goQuoted(String(toTimestamp(value)))})`;
  if (value instanceof Duration) return `duration("${durationText(value)}")`;
  if (Array.isArray(value)) return `[${value.map((item) => innerText(item)).join(', ')}]`;
  if (kindOf(value) === 'map') {
    const entries = value instanceof Map ? [...value] : Object.entries(value as object);
    const texts = entries.map(([key, inner]) => [innerText(key), innerText(inner)] as const);
    return `{${texts
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, inner]) => `${key}:${inner}`)
      .join(', ')}}`;
  }
  const type = kindOf(value);
  if (!(CLAUSES['s']?.takes.includes(type) ?? false)) fail(`no formatting function for ${type}`);
  return type === 'type' ? String((value as { name: string }).name) : String(value);
}

/** A double with so many digits after the point, rounded as Go rounds: what it is exactly decides. */
function fixed(value: number, precision: number): string {
  if (Object.is(value, -0)) return `-${(0).toFixed(precision)}`;
  const digits = exactDigits(value, Math.min(precision, 1100));
  return value < 0 ? `-${digits}` : digits;
}

/** The digits of a finite double, half to even. */
function exactDigits(value: number, precision: number): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const mantissa = (raw & (2n ** 52n - 1n)) + (exponent === 0 ? 0n : 2n ** 52n);
  const power = (exponent === 0 ? 1 : exponent) - 1075;
  const scaled = mantissa * 10n ** BigInt(precision) * (power > 0 ? 2n ** BigInt(power) : 1n);
  const divisor = power < 0 ? 2n ** BigInt(-power) : 1n;
  let whole = scaled / divisor;
  const twice = 2n * (scaled % divisor);
  if (twice > divisor || (twice === divisor && whole % 2n === 1n)) whole += 1n;
  const text = String(whole).padStart(precision + 1, '0');
  return precision === 0 ? text : `${text.slice(0, -precision)}.${text.slice(-precision)}`;
}

const infinite = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞');

/** `%f`: with commas between thousands. */
function fixedPoint(value: number, precision: number): string {
  if (!Number.isFinite(value)) return infinite(value);
  const [whole = '', fraction] = fixed(value, precision).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `%e`: always with six digits, whatever was asked for; upstream's too. */
function scientific(value: number): string {
  if (!Number.isFinite(value)) return infinite(value);
  const [mantissa = '', exponent = '0'] = value.toExponential(PRECISION).split('e');
  const sign = exponent.startsWith('-') ? '⁻' : '';
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0');
  return `${mantissa}×10${sign}${[...digits].map((digit) => SUPERSCRIPT[Number(digit)]).join('')}`;
}

function hex(value: unknown, verb: string): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  const text = bytes instanceof Uint8Array ? hexOf(bytes) : bigOf(value).toString(16);
  return verb === 'X' ? text.toUpperCase() : text;
}

const bigOf = (value: unknown): bigint =>
  value instanceof UnsignedInt ? (value.valueOf() as unknown as bigint) : BigInt(value as bigint | boolean);

function clause(verb: string, precision: number | undefined, value: unknown): string {
  const type = kindOf(value);
  const { takes, words } = CLAUSES[verb.toLowerCase()] ?? { takes: [], words: '' };
  const isDouble = typeof value === 'string' && Object.hasOwn(DOUBLES, value);
  const fits = takes.includes(type) && (!takes.includes('double') || verb === 's' || type === 'double' || isDouble);
  if (!fits) fail(`${words}, was given ${type}`);
  const double = isDouble ? (DOUBLES[value as string] as number) : (value as number);
  switch (verb) {
    case 's':
      return valueText(value);
    case 'd':
      return String(value);
    case 'f':
      return fixedPoint(double, precision ?? PRECISION);
    case 'e':
      return scientific(double);
    case 'b':
      return bigOf(value).toString(2);
    case 'o':
      return bigOf(value).toString(8);
    default:
      return hex(value, verb);
  }
}

/**
 * What stands between the clauses, and the clauses; throws an Error with cel-go's words for one that is none. Where it is `written`, the
 * end of the text is seen before the end of the values.
 */
export function eachClause(
  text: string,
  count: number,
  see: (verb: string, precision: number | undefined, at: number) => string,
  when: 'written' | 'evaluated' = 'evaluated',
): string {
  let next = 0;
  let result = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      result += text[at];
    } else if (text[at + 1] === '%') {
      result += '%';
      at++;
    } else {
      if (when === 'written' && at + 1 === text.length) fail('unexpected end of string');
      if (next >= count) fail(`index ${next} out of range`);
      const [whole, point, digits = '', verb = ''] = /^%(?:(\.)(\d*))?(.?)/su.exec(text.slice(at)) as RegExpExecArray;
      if (point === undefined && verb === '') fail('unexpected end of string');
      result += see(checkedVerb(point, digits, verb), point === undefined ? undefined : Number(digits), next++);
      at += whole.length - 1;
    }
  }
  return result;
}

function checkedVerb(point: string | undefined, digits: string, verb: string): string {
  const unread = 'could not parse formatting clause: ';
  const precision = `${unread}error while parsing precision: `;
  if (point !== undefined && verb === '') fail(`${precision}could not find end of precision specifier`);
  const number = 'error while converting precision to integer: strconv.Atoi: parsing';
  if (point !== undefined && digits === '') fail(`${precision}${number} "": invalid syntax`);
  if (!'sdfeboxX'.includes(verb)) fail(`${unread}unrecognized formatting clause "${verb}"`);
  return verb;
}

/** The text with each clause replaced by the value at its place. Throws where there is none, or it does not fit. */
export function formatText(text: string, values: readonly unknown[]): string {
  return eachClause(text, values.length, (verb, precision, at) => {
    try {
      return clause(verb, precision, values[at]);
    } catch (error) {
      return fail(`error during formatting: ${(error as Error).message}`);
    }
  });
}
