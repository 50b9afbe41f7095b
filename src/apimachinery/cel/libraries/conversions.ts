/** Conversions between numbers, texts, truths and bytes, as cel-go's `ConvertToType` makes them. */
import { type Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { goFloat } from '../../go-float.ts';
import { nanosecondsOf, toTimestamp } from '../time.ts';
import { fail, functions, type Library } from './library.ts';

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -MAX_INT - 1n;
const MAX_UINT = 2n ** 64n - 1n;
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];
const FLOAT = /^[+-]?(?:\d[\d]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX_FLOAT = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Longer texts are no numbers that anybody means. */
const LONGEST = 1000;

const misfit = (type: string): never => fail(`type conversion error from 'string' to '${type}'`);

function intOf(text: string): bigint {
  if (text.length > LONGEST || !/^[+-]?\d+$/.test(text)) misfit('int');
  const value = BigInt(text.replace(/^\+/, ''));
  return value > MAX_INT || value < MIN_INT ? misfit('int') : value;
}

function uintOf(text: string): UnsignedInt {
  if (text.length > LONGEST || !/^\d+$/.test(text) || BigInt(text) > MAX_UINT) misfit('uint');
  return new UnsignedInt(BigInt(text));
}

function doubleOf(text: string): number {
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  const hex = HEX_FLOAT.exec(text);
  if (hex !== null && `${hex[2]}${hex[3]}` !== '') {
    const [, sign, whole = '', fraction = '', exponent = '0'] = hex;
    const value = Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
    return sign === '-' ? -value : value;
  }
  const value = text.length <= LONGEST && FLOAT.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : misfit('double');
}

function boolOf(text: string): boolean {
  if (TRUE.includes(text)) return true;
  return FALSE.includes(text) ? false : misfit('bool');
}

function whole(value: number): bigint {
  const isInt = value > -(2 ** 63) && value < 2 ** 63;
  return isInt ? BigInt(Math.trunc(value)) : fail('integer overflow');
}

function wholePositive(value: number): UnsignedInt {
  const isUint = value >= 0 && value < 2 ** 64;
  return isUint ? new UnsignedInt(BigInt(Math.trunc(value))) : fail('unsigned integer overflow');
}

const bigOf = (value: UnsignedInt): bigint => value.valueOf() as unknown as bigint;

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}

export const conversions: Library = functions({
  'int_(int): int': (value: bigint) => value,
  'int_(uint): int': (value: UnsignedInt) => (bigOf(value) > MAX_INT ? fail('integer overflow') : bigOf(value)),
  'int_(double): int': whole,
  'int_(string): int': intOf,
  'int_(google.protobuf.Timestamp): int': (time: Date) => toTimestamp(time).seconds,
  'int_(google.protobuf.Duration): int': (duration: Duration) => nanosecondsOf(duration),
  'uint_(uint): uint': (value: UnsignedInt) => value,
  'uint_(int): uint': (value: bigint) => (value < 0n ? fail('unsigned integer overflow') : new UnsignedInt(value)),
  'uint_(double): uint': wholePositive,
  'uint_(string): uint': uintOf,
  'double_(double): double': (value: number) => value,
  'double_(int): double': Number,
  'double_(uint): double': (value: UnsignedInt) => Number(bigOf(value)),
  'double_(string): double': doubleOf,
  'bool_(bool): bool': (value: boolean) => value,
  'bool_(string): bool': boolOf,
  'string_(string): string': String,
  'string_(bool): string': String,
  'string_(int): string': String,
  'string_(uint): string': String,
  'string_(double): string': goFloat,
  'string_(bytes): string': utf8,
});
