/** Sets of completion indexes as a Job's status writes them: `1,3-5,7`. */

export class Indexes {
  /** First and last of each run, rising, never touching. */
  readonly #runs: readonly (readonly [first: number, last: number])[];

  private constructor(runs: readonly (readonly [number, number])[]) {
    this.#runs = runs;
  }

  static readonly none = new Indexes([]);

  /** What a status or a policy says, without indexes from `completions` on: a Job may have been made smaller. Nonsense is left out. */
  static parse(text: string | undefined, completions: number): Indexes {
    if (!text) return Indexes.none;
    const runs: [number, number][] = [];
    for (const part of text.split(',')) {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      if (first === undefined) continue;
      runs.push([Number(first), Math.min(Number(last), completions - 1)]);
    }
    return new Indexes(joined(runs));
  }

  static of(indexes: Iterable<number>): Indexes {
    return new Indexes(joined([...indexes].map((index) => [index, index])));
  }

  with(indexes: Iterable<number>): Indexes {
    return this.and(Indexes.of(indexes));
  }

  and(other: Indexes): Indexes {
    return new Indexes(joined([...this.#runs, ...other.#runs]));
  }

  has(index: number): boolean {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const [first, last] = this.#runs[middle] as readonly [number, number];
      if (index < first) high = middle;
      else if (index > last) low = middle + 1;
      else return true;
    }
    return false;
  }

  get total(): number {
    return this.#runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** How many are in both. */
  sharedWith(other: Indexes): number {
    let shared = 0;
    let i = 0;
    for (const [first, last] of this.#runs) {
      while (i < other.#runs.length && (other.#runs[i]?.[1] ?? 0) < first) i++;
      for (let j = i; j < other.#runs.length; j++) {
        const [from, to] = other.#runs[j] as readonly [number, number];
        if (from > last) break;
        shared += Math.min(last, to) - Math.max(first, from) + 1;
      }
    }
    return shared;
  }

  /** The first `count` indexes below `completions` that are not in the set. */
  firstMissing(count: number, completions: number): number[] {
    const missing: number[] = [];
    let next = 0;
    for (const [first, last] of [...this.#runs, [completions, completions] as const]) {
      for (; next < Math.min(first, completions) && missing.length < count; next++) missing.push(next);
      next = Math.max(next, last + 1);
    }
    return missing;
  }

  /** Two neighbours are written apart, as upstream does: `0,1`, but `0-2`. */
  toString(): string {
    return this.#runs
      .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`))
      .join(',');
  }
}

function joined(runs: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = [];
  for (const [first, last] of [...runs].sort((a, b) => a[0] - b[0])) {
    if (last < first) continue;
    const before = result.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}
