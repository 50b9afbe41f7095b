/**
 * Unified diffs of texts, line by line, as upstream's messages carry them (`apimachinery/pkg/util/diff`, which prints what
 * Python's `difflib` would): the longest common run is kept, then the longest ones on both sides of it, and so on.
 */

/** Lines `[a, a + size)` of the one text are lines `[b, b + size)` of the other. */
interface Block {
  a: number;
  b: number;
  size: number;
}

/** Lines `[aFrom, aTo)` became lines `[bFrom, bTo)`. */
interface Change {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

/** Comparisons after which what is left counts as changed altogether: it bounds the time that hostile texts can cost. */
const MAX_STEPS = 5_000_000;

/** In texts of this many lines or more, lines that make up over 1% of them start no common run: `},` says little. */
const LONG = 200;

function positionsOf(lines: readonly string[]): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  lines.forEach((line, index) => {
    const known = positions.get(line);
    if (known === undefined) positions.set(line, [index]);
    else known.push(index);
  });
  if (lines.length < LONG) return positions;
  const common = Math.floor(lines.length / 100) + 1;
  for (const [line, at] of positions) if (at.length > common) positions.delete(line);
  return positions;
}

/** Gives the longest common run within a range: of several the first, grown by the common lines around it. */
function longestRun(a: readonly string[], b: readonly string[]): (range: Change) => Block {
  const positions = positionsOf(b);
  let steps = 0;
  return ({ aFrom, aTo, bFrom, bTo }) => {
    let best: Block = { a: aFrom, b: bFrom, size: 0 };
    let endingBefore = new Map<number, number>();
    for (let i = aFrom; i < aTo && steps < MAX_STEPS; i++) {
      steps++;
      const ending = new Map<number, number>();
      for (const j of positions.get(a[i] ?? '') ?? []) {
        steps++;
        if (j < bFrom) continue;
        if (j >= bTo) break;
        const size = (endingBefore.get(j - 1) ?? 0) + 1;
        ending.set(j, size);
        if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
      }
      endingBefore = ending;
    }
    while (best.a > aFrom && best.b > bFrom && a[best.a - 1] === b[best.b - 1]) {
      best = { a: best.a - 1, b: best.b - 1, size: best.size + 1 };
    }
    while (best.a + best.size < aTo && best.b + best.size < bTo && a[best.a + best.size] === b[best.b + best.size]) {
      best.size++;
    }
    return best;
  };
}

function commonBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const longest = longestRun(a, b);
  const blocks: Block[] = [];
  const ranges: Change[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length }];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const block = longest(range);
    if (block.size === 0) continue;
    blocks.push(block);
    const before = { ...range, aTo: block.a, bTo: block.b };
    const after = { ...range, aFrom: block.a + block.size, bFrom: block.b + block.size };
    for (const side of [before, after]) if (side.aFrom < side.aTo && side.bFrom < side.bTo) ranges.push(side);
  }
  return blocks.sort((one, other) => one.a - other.a);
}

function changesBetween(a: readonly string[], b: readonly string[]): Change[] {
  const changes: Change[] = [];
  let aFrom = 0;
  let bFrom = 0;
  for (const block of [...commonBlocks(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (block.a > aFrom || block.b > bFrom) changes.push({ aFrom, aTo: block.a, bFrom, bTo: block.b });
    aFrom = block.a + block.size;
    bFrom = block.b + block.size;
  }
  return changes;
}

/** Changes whose surroundings touch are shown together. */
function hunksOf(changes: readonly Change[], context: number): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const hunk = hunks.at(-1);
    const last = hunk?.at(-1);
    if (hunk !== undefined && last !== undefined && change.aFrom - last.aTo <= 2 * context) hunk.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function rangeText(from: number, to: number): string {
  if (to - from === 1) return String(from + 1);
  return `${to === from ? from : from + 1},${to - from}`;
}

/**
 * What changed from one text to another: `@@ -a,b +c,d @@`, then lines that begin with a space, `-` or `+`; each ends with a
 * newline. Empty when nothing changed. `context` is the number of unchanged lines around a change.
 */
export function unifiedDiff(from: string, to: string, context = 3): string {
  const a = from.split('\n');
  const b = to.split('\n');
  const lines: string[] = [];
  const show = (prefix: string, part: readonly string[]) => {
    for (const line of part) lines.push(`${prefix}${line}\n`);
  };
  for (const hunk of hunksOf(changesBetween(a, b), context)) {
    const first = hunk[0] as Change;
    const last = hunk.at(-1) as Change;
    const before = Math.min(context, first.aFrom);
    const after = Math.min(context, a.length - last.aTo);
    const aRange = rangeText(first.aFrom - before, last.aTo + after);
    const bRange = rangeText(first.bFrom - before, last.bTo + after);
    lines.push(`@@ -${aRange} +${bRange} @@\n`);
    let shown = first.aFrom - before;
    for (const change of hunk) {
      show(' ', a.slice(shown, change.aFrom));
      show('-', a.slice(change.aFrom, change.aTo));
      show('+', b.slice(change.bFrom, change.bTo));
      shown = change.aTo;
    }
    show(' ', a.slice(shown, last.aTo + after));
  }
  return lines.join('');
}
