/** Kubernetes' `quantity` library. */
import { add, canonical, cmp, formatQuantity, fromNumber, parseQuantity, type Quantity, sub } from '../../quantity.ts';
import type { Comparable } from '../values.ts';
import { fail, functions, type Library } from './library.ts';

const WHOLE = 1_000_000_000n;
const MAX_INT = 2n ** 63n - 1n;

/** A quantity as a value of expressions. */
export class CelQuantity implements Comparable {
  readonly value: Quantity;

  constructor(value: Quantity) {
    this.value = value;
  }

  compareTo(other: CelQuantity): number {
    return cmp(this.value, other.value);
  }

  toString(): string {
    return formatQuantity(this.value);
  }
}

const PROBLEM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function read(text: string): CelQuantity {
  try {
    canonical(text);
    return new CelQuantity(parseQuantity(text));
  } catch {
    return fail(PROBLEM);
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

const isWhole = ({ value }: CelQuantity): boolean => value.nano % WHOLE === 0n && abs(value.nano / WHOLE) <= MAX_INT;
const abs = (value: bigint): bigint => (value < 0n ? -value : value);
const of = (value: Quantity): CelQuantity => new CelQuantity(value);
const number = (value: bigint): Quantity => fromNumber(value);

const members = functions({
  'quantity(string): kubernetes.Quantity': read,
  'isQuantity(string): bool': isQuantity,
  'string_(kubernetes.Quantity): string': String,
  'kubernetes.Quantity.isInteger(): bool': isWhole,
  'kubernetes.Quantity.asInteger(): int': (quantity: CelQuantity) =>
    isWhole(quantity) ? quantity.value.nano / WHOLE : fail('cannot convert value to integer'),
  'kubernetes.Quantity.asApproximateFloat(): double': ({ value }: CelQuantity) => Number(value.nano) / 1e9,
  'kubernetes.Quantity.sign(): int': ({ value }: CelQuantity) => (value.nano > 0n ? 1n : value.nano < 0n ? -1n : 0n),
  'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool': (a: CelQuantity, b: CelQuantity) =>
    a.compareTo(b) > 0,
  'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool': (a: CelQuantity, b: CelQuantity) => a.compareTo(b) < 0,
  'kubernetes.Quantity.compareTo(kubernetes.Quantity): int': (a: CelQuantity, b: CelQuantity) =>
    BigInt(Math.sign(a.compareTo(b))),
  'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity': (a: CelQuantity, b: CelQuantity) =>
    of(add(a.value, b.value)),
  'kubernetes.Quantity.add(int): kubernetes.Quantity': (a: CelQuantity, b: bigint) => of(add(a.value, number(b))),
  'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity': (a: CelQuantity, b: CelQuantity) =>
    of(sub(a.value, b.value)),
  'kubernetes.Quantity.sub(int): kubernetes.Quantity': (a: CelQuantity, b: bigint) => of(sub(a.value, number(b))),
});

export const quantity: Library = (environment) => {
  environment.registerType('kubernetes.Quantity', { ctor: CelQuantity, fields: {} });
  environment.registerOperator(
    'kubernetes.Quantity == kubernetes.Quantity',
    (a: CelQuantity, b: CelQuantity) => a.compareTo(b) === 0,
  );
  members(environment);
};
