/** `'%s is %d'.format([…])`, after cel-go's `ext.Strings`, and how values are written in texts. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { hex as hexOf } from '../digest.ts';
import { fail } from './libraries/library.ts';

/** A double as Go writes it without a precision. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`);
  }
  return String(value);
}

/** A value as `%s` writes it: texts bare outside, quoted within lists and maps. */
export function valueText(value: unknown, quoted = false): string {
  if (typeof value === 'string') return quoted ? JSON.stringify(value) : value;
  if (value === null) return 'null';
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof UnsignedInt || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Duration) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, true)).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...value].map(([key, inner]) => `${valueText(key, true)}:${valueText(inner, true)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if (typeof value === 'object') {
    return Object.getPrototypeOf(value) === Object.prototype
      ? valueText(new Map(Object.entries(value)), quoted)
      : String(value);
  }
  return String(value);
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function scientific(value: number, precision: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential(precision).split('e');
  const sign = exponent.startsWith('-') ? '⁻' : '';
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0');
  return `${mantissa}×10${sign}${[...digits].map((digit) => SUPERSCRIPT[Number(digit)]).join('')}`;
}

function integer(value: unknown, verb: string): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof UnsignedInt) return value.valueOf() as unknown as bigint;
  const names: Record<string, string> = { d: 'decimal', b: 'binary', o: 'octal', x: 'hex', X: 'hex' };
  return fail(`error during formatting: ${names[verb]} clause can only be used on integers, was given ${typeof value}`);
}

function clause(verb: string, precision: number, value: unknown): string {
  switch (verb) {
    case 's':
      return valueText(value);
    case 'd':
      return typeof value === 'number' && !Number.isFinite(value) ? doubleText(value) : String(integer(value, verb));
    case 'f':
      return Number(value).toFixed(precision);
    case 'e':
      return scientific(Number(value), precision);
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : integer(value, verb).toString(2);
    case 'o':
      return integer(value, verb).toString(8);
    default:
      return hex(value, verb);
  }
}

function hex(value: unknown, verb: string): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  const text = bytes instanceof Uint8Array ? hexOf(bytes) : integer(value, verb).toString(16);
  return verb === 'X' ? text.toUpperCase() : text;
}

/** The text with each clause replaced by the value at its place. Throws where there is none, or it does not fit. */
export function formatText(text: string, values: readonly unknown[]): string {
  let next = 0;
  const result = text.replaceAll(/%(?:%|(?:\.(\d+))?(.))/gs, (whole, precision: string | undefined, verb: string) => {
    if (whole === '%%') return '%';
    if (!'sdfeboxX'.includes(verb)) fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
    if (next >= values.length) fail(`index ${next} out of range`);
    return clause(verb, Number(precision ?? 6), values[next++]);
  });
  return result;
}
