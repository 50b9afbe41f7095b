/**
 * Resource quantities (`100m`, `1.5Gi`, `12e6`), exact. Upstream rounds up to nanos on reading, so a count of nanos holds every
 * value there is; those with a binary suffix it caps at the largest int64.
 */

/** What a quantity was written in, and so how it is printed. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** In units of 10^-9. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

/** Upstream's answer to a text that is no quantity. */
export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_ERROR = 'unable to parse numeric part of quantity';
const SUFFIX_ERROR = "unable to parse quantity's suffix";

const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
const MAX = (2n ** 63n - 1n) * NANO;
/** Larger powers of ten are not worked out: such a number counts as the largest. */
const MAX_POWER = 400;
/** The powers of ten that decimal suffixes stand for. */
export const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIX = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const FORM = /^([+-]?)(\d*)(\.?)(\d*)([eEinumkKMGTP]*)([-+]?)(\d*)$/;

/** Clusters use few distinct quantities, each of them very often. */
const known = new Map<string, Quantity>();

/** Reads a quantity; a JSON number is taken too. Throws an `Error` with upstream's text (`resource.ParseQuantity`). */
export function parseQuantity(input: string | number): Quantity {
  const text = String(input);
  const hit = known.get(text);
  if (hit !== undefined) return hit;
  const quantity = parse(text);
  if (known.size >= 2000) known.clear();
  if (text.length <= 40) known.set(text, quantity);
  return quantity;
}

function parse(text: string): Quantity {
  const match = FORM.exec(text);
  if (match === null || text === '') throw new Error(QUANTITY_ERROR);
  const [, sign, whole = '', , fraction = '', letters = '', exponentSign = '', digits = ''] = match;
  const { base, exponent, format } = suffix(letters, exponentSign + digits);
  if (whole === '' && fraction === '' && !countsAsZero(format, exponent)) throw new Error(NUMERIC_ERROR);
  const exact = scaled(whole.replace(/^0+/, ''), fraction, base, exponent);
  const magnitude = format === 'BinarySI' && exact > MAX ? MAX : exact;
  // Less than one in binary would print as nothing readable.
  const decimal = format === 'BinarySI' && magnitude > 0n && magnitude < NANO;
  return { nano: sign === '-' ? -magnitude : magnitude, format: decimal ? 'DecimalSI' : format };
}

/** Upstream reads a sign, a dot or a suffix without any digit as zero, unless the suffix is out of reach of its fast path. */
const countsAsZero = (format: QuantityFormat, exponent: number): boolean =>
  format === 'BinarySI' ? exponent <= 40 : exponent >= -9;

function suffix(letters: string, digits: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  if (digits === '') {
    if (Object.hasOwn(DECIMAL, letters)) return { base: 10, exponent: DECIMAL[letters] as number, format: 'DecimalSI' };
    if (Object.hasOwn(BINARY, letters)) return { base: 2, exponent: BINARY[letters] as number, format: 'BinarySI' };
  } else if (letters === 'e' || letters === 'E') {
    if (/\d/.test(digits)) return { base: 10, exponent: Number(digits), format: 'DecimalExponent' };
  }
  throw new Error(SUFFIX_ERROR);
}

/** `whole.fraction * base^exponent` in nanos, rounded away from zero; long inputs are cut before they cost anything. */
function scaled(whole: string, fraction: string, base: 2 | 10, exponent: number): bigint {
  const kept = fraction.slice(0, 60);
  const mantissa = whole.slice(0, 60) + kept;
  const nonZero = /[1-9]/.test(mantissa) || /[1-9]/.test(fraction);
  if (!nonZero) return 0n;
  // Powers of ten of the last kept digit, in nanos.
  const power =
    (base === 10 ? exponent : 0) + Math.max(0, whole.length - 60) - (whole.length > 60 ? 0 : kept.length) + 9;
  let value = BigInt(whole.length > 60 ? whole.slice(0, 60) : mantissa);
  if (base === 2) value <<= BigInt(exponent);
  const cut = fraction.length > 60;
  if (power > 0) {
    if (value > 0n && power > MAX_POWER) return MAX;
    value *= 10n ** BigInt(power);
    return cut ? value + 1n : value;
  }
  if (power < -200) return 1n;
  const divisor = 10n ** BigInt(-power);
  const whatIsLeft = value % divisor !== 0n || cut;
  return value / divisor + (whatIsLeft ? 1n : 0n);
}

/** As Go prints it (`Quantity.String`): no fraction, the largest suffix that keeps it exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  if (format === 'BinarySI' && nano % NANO === 0n && (nano >= 1024n * NANO || nano <= -1024n * NANO)) {
    let value = nano / NANO;
    let step = 0;
    while (value % 1024n === 0n && step < BINARY_SUFFIX.length - 1) {
      value /= 1024n;
      step += 1;
    }
    return `${value}${BINARY_SUFFIX[step]}`;
  }
  let mantissa = nano;
  let exponent = -9;
  // There is no suffix beyond exa, but there are exponents.
  while (mantissa % 1000n === 0n && (exponent < 18 || format === 'DecimalExponent')) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${DECIMAL_SUFFIX.get(exponent)}`;
}

/** What is already in canonical form and common needs no parsing. */
const ALREADY = /^(0|[1-9]\d{0,2}(m|Mi|Gi)?)$/;

/** A quantity's text as upstream stores it: `1000m` is `1`, `1024Mi` is `1Gi`. Throws as {@link parseQuantity}. */
export function canonical(input: string | number): string {
  const text = String(input);
  if (ALREADY.test(text)) return text;
  const quantity = parseQuantity(text);
  return isKept(text) ? text : formatQuantity(quantity);
}

/** {@link canonical}, rounded up to thousandths (`SetDefaults_ResourceList`). Throws as {@link parseQuantity}. */
export function canonicalMilli(input: string | number): string {
  const text = String(input);
  if (ALREADY.test(text)) return text;
  const { nano, format } = parseQuantity(text);
  if (nano % MILLI === 0n) return canonical(text);
  return formatQuantity({ nano: roundUp(nano, MILLI) * MILLI, format });
}

/** Whether upstream's fast path takes a text for canonical and keeps it, be it `1.500`, `007` or `1e+3`. */
function isKept(text: string): boolean {
  const [, , whole = '', , fraction = '', letters = '', exponentSign = '', exponentDigits = ''] = FORM.exec(text) ?? [];
  const { base, exponent } = suffix(letters, exponentSign + exponentDigits);
  const stripped = whole.replace(/^0+/, '');
  const digits = stripped + fraction;
  if (stripped === '') return false;
  if (base === 2) {
    const isFast = fraction === '' && digits.length + Math.trunc((exponent * 3) / 10) <= 14;
    return isFast && Number(digits) % 8 !== 0;
  }
  const scale = exponent - fraction.length;
  return digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000');
}

const roundUp = (nano: bigint, unit: bigint): bigint => {
  const whole = nano / unit;
  if (nano % unit === 0n) return whole;
  return nano > 0n ? whole + 1n : whole - 1n;
};

/** The whole number, rounded away from zero (`Value`). */
export function value(quantity: Quantity): number {
  return Number(roundUp(quantity.nano, NANO));
}

/** Thousandths, rounded away from zero (`MilliValue`). */
export function milliValue(quantity: Quantity): number {
  return Number(roundUp(quantity.nano, MILLI));
}

/** The whole number that a text says, rounded up: `1Ki` is 1024. Throws as {@link parseQuantity}. */
export function toNumber(text: string | number): number {
  return value(parseQuantity(text));
}

/** The thousandths that a text says, rounded up: `0.5` is 500. Throws as {@link parseQuantity}. */
export function toMilli(text: string | number): number {
  return milliValue(parseQuantity(text));
}

/** -1, 0 or 1. */
export function cmp(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** {@link cmp} of two texts. Throws as {@link parseQuantity}. */
export function compareQuantity(a: string | number, b: string | number): number {
  return cmp(parseQuantity(a), parseQuantity(b));
}

/** The sum, in the format of the first, or of the second when the first is zero (`Add`). */
export function add(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** The difference, in the format of the first, or of the second when the first is zero (`Sub`). */
export function sub(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** {@link add} of two texts, as text. */
export function addText(a: string | number, b: string | number): string {
  return formatQuantity(add(parseQuantity(a), parseQuantity(b)));
}

/** {@link sub} of two texts, as text. */
export function subText(a: string | number, b: string | number): string {
  return formatQuantity(sub(parseQuantity(a), parseQuantity(b)));
}

/** Of a whole number (`NewQuantity`). */
export function fromNumber(amount: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: (typeof amount === 'bigint' ? amount : BigInt(Math.ceil(amount))) * NANO, format };
}

/** Of thousandths (`NewMilliQuantity`). */
export function fromMilli(amount: number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(Math.ceil(amount)) * MILLI, format };
}

/** The warning of a number of bytes at `path` that is no whole one; none of what is absent. */
export function fractionalBytes(amount: string | undefined, path: string): string[] {
  if (amount === undefined || toMilli(amount) % 1000 === 0) return [];
  return [`${path}: fractional byte value ${JSON.stringify(canonical(amount))} is invalid, must be an integer`];
}
