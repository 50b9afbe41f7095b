/** Kubernetes' `quantity` library. */
import { add, canonical, cmp, formatQuantity, fromNumber, parseQuantity, type Quantity, sub } from '../../quantity.ts';
import type { Comparable } from '../values.ts';
import { fail, functions, type Library } from './library.ts';

const MAX_INT = 2n ** 63n - 1n;

/** A quantity as upstream holds it when it is small: a number, and how many zeros follow it. */
interface Small {
  amount: bigint;
  scale: number;
}

const isInt = (value: bigint): boolean => value <= MAX_INT && value >= -MAX_INT - 1n;
const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const FORM = /^([+-]?)0*(\d*)\.?(\d*)([a-zA-Z]*)([-+]?\d*)$/;
/** Digits that upstream's fast path takes. */
const MOST_DIGITS = 18;

/** What upstream's fast path makes of a quantity's text; undefined of a larger or finer one. */
function smallOf(text: string): Small | undefined {
  const [, sign, found = '', fraction = '', suffix = '', exponent = ''] = FORM.exec(text) ?? [];
  const whole = found === '' ? '0' : found;
  const isNegative = sign === '-';
  const binary = BINARY[suffix];
  if (binary !== undefined) {
    const precision = 15 - whole.length - Math.trunc((binary * 3) / 10) - 1;
    const amount = BigInt(whole) << BigInt(binary);
    return precision < 0 || fraction !== '' ? undefined : { amount: isNegative ? -amount : amount, scale: 0 };
  }
  const scale = (exponent === '' ? (DECIMAL[suffix] ?? 0) : Number(exponent)) - fraction.length;
  if (whole.length + fraction.length > MOST_DIGITS || scale < -9) return undefined;
  const amount = BigInt(whole + fraction);
  return { amount: isNegative ? -amount : amount, scale };
}

function sumOfSmall(a: Small | undefined, b: Small | undefined): Small | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (b.amount === 0n) return a;
  if (a.amount === 0n) return b;
  const scale = Math.min(a.scale, b.scale);
  const at = (one: Small): bigint => one.amount * 10n ** BigInt(Math.min(one.scale - scale, 40));
  const amount = at(a) + at(b);
  return isInt(at(a)) && isInt(at(b)) && isInt(amount) ? { amount, scale } : undefined;
}

const negated = (small: Small | undefined): Small | undefined => small && { ...small, amount: -small.amount };

/** A quantity as a value of expressions. */
export class CelQuantity implements Comparable {
  readonly value: Quantity;
  readonly small: Small | undefined;

  constructor(value: Quantity, small = smallOf(formatQuantity(value))) {
    this.value = value;
    this.small = small;
  }

  /** Undefined where upstream finds none, though there may be one. */
  get whole(): bigint | undefined {
    const { amount = 0n, scale = -1 } = this.small ?? {};
    if (scale < 0 || scale > 40) return undefined;
    const whole = amount * 10n ** BigInt(scale);
    return isInt(whole) ? whole : undefined;
  }

  plus({ value, small }: CelQuantity): CelQuantity {
    return new CelQuantity(add(this.value, value), sumOfSmall(this.small, small));
  }

  minus({ value, small }: CelQuantity): CelQuantity {
    return new CelQuantity(sub(this.value, value), sumOfSmall(this.small, negated(small)));
  }

  compareTo(other: CelQuantity): number {
    return cmp(this.value, other.value);
  }

  toString(): string {
    return formatQuantity(this.value);
  }
}

function read(text: string): CelQuantity {
  try {
    canonical(text);
    return new CelQuantity(parseQuantity(text), smallOf(text));
  } catch (error) {
    return fail((error as Error).message);
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

const number = (value: bigint): CelQuantity => new CelQuantity(fromNumber(value), { amount: value, scale: 0 });

const members = functions({
  'quantity(string): kubernetes.Quantity': read,
  'isQuantity(string): bool': isQuantity,
  'kubernetes.Quantity.isInteger(): bool': ({ whole }: CelQuantity) => whole !== undefined,
  'kubernetes.Quantity.asInteger(): int': ({ whole }: CelQuantity) => whole ?? fail('cannot convert value to integer'),
  'kubernetes.Quantity.asApproximateFloat(): double': ({ value }: CelQuantity) => Number(value.nano) / 1e9,
  'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool': (a: CelQuantity, b: CelQuantity) =>
    a.compareTo(b) > 0,
  'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool': (a: CelQuantity, b: CelQuantity) => a.compareTo(b) < 0,
  'kubernetes.Quantity.compareTo(kubernetes.Quantity): int': (a: CelQuantity, b: CelQuantity) =>
    BigInt(Math.sign(a.compareTo(b))),
  'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity': (a: CelQuantity, b: CelQuantity) => a.plus(b),
  'kubernetes.Quantity.add(int): kubernetes.Quantity': (a: CelQuantity, b: bigint) => a.plus(number(b)),
  'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity': (a: CelQuantity, b: CelQuantity) => a.minus(b),
  'kubernetes.Quantity.sub(int): kubernetes.Quantity': (a: CelQuantity, b: bigint) => a.minus(number(b)),
});

export const quantity: Library = (environment) => {
  environment.registerType('kubernetes.Quantity', { ctor: CelQuantity, fields: {} });
  environment.registerOperator(
    'kubernetes.Quantity == kubernetes.Quantity',
    (a: CelQuantity, b: CelQuantity) => a.compareTo(b) === 0,
  );
  members(environment);
};
