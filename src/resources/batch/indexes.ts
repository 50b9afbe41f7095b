/** Lists of indexes of pods, as a Job's status has them: `1,3-5,7`. */

interface Interval {
  from: number;
  to: number;
}

function parseIndex(text: string, completions: number): number | string {
  if (!/^[+-]?\d+$/.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`;
  return Number(text) >= completions ? `too large index: ${JSON.stringify(text)}` : Number(text);
}

function parseInterval(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  if (limits.length > 2) {
    const rule = "violates the requirement that an index interval can have at most two parts separated by '-'";
    return `the fragment ${JSON.stringify(text)} ${rule}`;
  }
  const from = parseIndex(limits[0] ?? '', completions);
  if (typeof from === 'string') return from;
  if (limits[1] === undefined) return { from, to: from };
  const to = parseIndex(limits[1], completions);
  if (typeof to === 'string') return to;
  return from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : { from, to };
}

function parseIntervals(text: string, completions: number): Interval[] | string {
  const intervals: Interval[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = parseInterval(part, completions);
    if (typeof interval === 'string') return interval;
    const last = intervals.at(-1);
    if (last !== undefined && last.to >= interval.from) {
      return `non-increasing order, previous: ${last.to}, current: ${interval.from}`;
    }
    intervals.push(interval);
  }
  return intervals;
}

/** What is wrong with a list, if anything; without a number of completions none is looked at (`validateIndexesFormat`). */
export function indexesProblem(text: string, completions: number | undefined): string | undefined {
  if (completions === undefined) return undefined;
  const parsed = parseIntervals(text, completions);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The first index that is in both lists; undefined if there is none, or a list cannot be read. */
export function overlap(one: string, other: string, completions: number): number | undefined {
  const [a, b] = [parseIntervals(one, completions), parseIntervals(other, completions)];
  if (typeof a === 'string' || typeof b === 'string') return undefined;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i] as Interval, b[j] as Interval];
    if (left.to < right.from) i++;
    else if (right.to < left.from) j++;
    else return Math.max(left.from, right.from);
  }
  return undefined;
}
