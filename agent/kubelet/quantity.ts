/** Quantities as plain numbers: the agent compares and divides them, and never writes them back. */
import { parseQuantity } from '../../src/apimachinery/quantity.ts';

const NANO = 1_000_000_000n;

/** `100m` -> 0.1, `16Mi` -> 16777216, `1e3` -> 1000. What is no quantity counts as 0: the API server has validated it. */
export function quantity(value: string | number | undefined): number {
  if (typeof value === 'number') return value;
  try {
    const { nano } = parseQuantity(value ?? '0');
    return Number(nano / NANO) + Number(nano % NANO) / Number(NANO);
  } catch {
    return 0;
  }
}

/** In thousandths, rounded up: what CPU is counted in. */
export function milli(value: string | number | undefined): number {
  return Math.ceil(roundOff(quantity(value) * 1000));
}

/** `value / divisor`, rounded up, as resourceFieldRef shows it. */
export function divided(value: number, divisor: string | number | undefined): string {
  const by = quantity(divisor) || 1;
  return String(Math.ceil(roundOff(value / by)));
}

/** Binary fractions must not turn 0.1 * 1000 into 101 when rounded up. */
const roundOff = (value: number): number => Math.round(value * 1e6) / 1e6;
