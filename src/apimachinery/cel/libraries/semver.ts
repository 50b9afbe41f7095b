/** Kubernetes' `semver` library. */
import type { Comparable } from '../values.ts';
import { fail, functions, type Library } from './library.ts';

const PARTS =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** A version as a value of expressions. */
export class CelSemver implements Comparable {
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
  readonly text: string;

  constructor(match: RegExpExecArray) {
    const [text, major = '0', minor = '0', patch = '0', pre = ''] = match;
    this.text = text;
    this.numbers = [major, minor, patch].map(BigInt);
    this.pre = pre === '' ? [] : pre.split('.');
  }

  compareTo(other: CelSemver): number {
    for (const [index, number] of this.numbers.entries()) {
      const theirs = other.numbers[index] ?? 0n;
      if (number !== theirs) return number < theirs ? -1 : 1;
    }
    if (this.pre.length === 0 || other.pre.length === 0) return other.pre.length - this.pre.length;
    for (const [index, part] of this.pre.entries()) {
      const theirs = other.pre[index];
      if (theirs === undefined) return 1;
      const order = comparePart(part, theirs);
      if (order !== 0) return order;
    }
    return this.pre.length - other.pre.length;
  }

  toString(): string {
    return this.text;
  }
}

const isNumeric = (text: string): boolean => /^\d+$/.test(text);

function comparePart(a: string, b: string): number {
  if (isNumeric(a) && isNumeric(b)) return Number(BigInt(a) - BigInt(b));
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

/** `v1.2` is `1.2.0`: without a `v`, without zeros before numbers, with all three of them. Empty for what cannot be one. */
function normalized(text: string): string {
  const [major = '', minor, ...patch] = text.replace(/^v/, '').split('.');
  const parts = [major, ...(minor === undefined ? [] : [minor]), ...(patch.length === 0 ? [] : [patch.join('.')])];
  const shown = parts.map((part) => (part.length > 1 ? part.replace(/^0+/, '').replace(/^(?!\d)/, '0') : part));
  if (shown.length < 3 && /[+-]/.test(shown.at(-1) ?? '')) return '';
  while (shown.length < 3) shown.push('0');
  return shown.join('.');
}

const MAX_NUMBER = 2n ** 64n - 1n;

function parse(text: string, normalize = false): RegExpExecArray | null {
  const match = PARTS.exec(normalize ? normalized(text) : text);
  return match?.slice(1, 4).some((number) => BigInt(number) > MAX_NUMBER) === true ? null : match;
}

const read = (text: string, normalize = false): CelSemver =>
  new CelSemver(parse(text, normalize) ?? fail(`semver parse error: ${text}`));
/** A version from its text. Throws where it is none. */
export const toSemver = (text: string): CelSemver => read(text);

const members = functions({
  'semver(string): kubernetes.Semver': (text: string) => read(text),
  'semver(string, bool): kubernetes.Semver': read,
  'isSemver(string): bool': (text: string) => parse(text) !== null,
  'isSemver(string, bool): bool': (text: string, normalize: boolean) => parse(text, normalize) !== null,
  'kubernetes.Semver.major(): int': ({ numbers }: CelSemver) => numbers[0],
  'kubernetes.Semver.minor(): int': ({ numbers }: CelSemver) => numbers[1],
  'kubernetes.Semver.patch(): int': ({ numbers }: CelSemver) => numbers[2],
  'kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool': (a: CelSemver, b: CelSemver) => a.compareTo(b) > 0,
  'kubernetes.Semver.isLessThan(kubernetes.Semver): bool': (a: CelSemver, b: CelSemver) => a.compareTo(b) < 0,
  'kubernetes.Semver.compareTo(kubernetes.Semver): int': (a: CelSemver, b: CelSemver) =>
    BigInt(Math.sign(a.compareTo(b))),
});

export const semver: Library = (environment) => {
  environment.registerType('kubernetes.Semver', { ctor: CelSemver, fields: {} });
  environment.registerOperator(
    'kubernetes.Semver == kubernetes.Semver',
    (a: CelSemver, b: CelSemver) => a.compareTo(b) === 0,
  );
  members(environment);
};
