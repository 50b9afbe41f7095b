/** Quantities as plain numbers: the agent compares and divides them, and never writes them back. */

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ...['', 'k', 'M', 'G', 'T', 'P', 'E'].map((suffix, i): [string, number] => [suffix, 1000 ** i]),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, i): [string, number] => [suffix, 1024 ** (i + 1)]),
  ['m', 1e-3],
  ['u', 1e-6],
  ['n', 1e-9],
]);

/** `100m` -> 0.1, `16Mi` -> 16777216, `1e3` -> 1000. What is no quantity counts as 0: the API server has validated it. */
export function quantity(value: string | number | undefined): number {
  const match = /^([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+))?([A-Za-z]*)$/.exec(String(value ?? '0'));
  if (match === null) return 0;
  const factor = SUFFIXES.get(match[3] ?? '') ?? 1;
  const number = Number(match[1]) * 10 ** Number(match[2] ?? '0') * factor;
  return Number.isFinite(number) ? number : 0;
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
