/** From … to: sizes and costs that are only bounded. What has no bound is infinite. */
export interface Range {
  min: number;
  max: number;
}

export const ZERO: Range = { min: 0, max: 0 };
export const UNKNOWN: Range = { min: 0, max: Number.POSITIVE_INFINITY };
export const fixed = (value: number): Range => ({ min: value, max: value });

/** A cost or a size upon another. */
export const plus = (a: Range, b: Range): Range => ({ min: a.min + b.min, max: a.max + b.max });

/** Nothing, however often, is nothing. */
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);
export const times = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) });

/** As many of so much each, rounded up. */
export const scaled = (range: Range, factor: number): Range => ({
  min: Math.ceil(range.min * factor),
  max: Math.ceil(range.max * factor),
});

/** What holds both. */
export const either = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
