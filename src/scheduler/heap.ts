/** A binary heap: the first by an order, without sorting the rest. */
export class Heap<T> {
  private readonly items: T[] = [];
  private readonly compare: (a: T, b: T) => number;

  /** `compare`: less than zero when `a` comes out before `b`. */
  constructor(compare: (a: T, b: T) => number) {
    this.compare = compare;
  }

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    let at = this.items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.compare(this.at(parent), item) <= 0) break;
      this.items[at] = this.at(parent);
      at = parent;
    }
    this.items[at] = item;
  }

  pop(): T | undefined {
    const first = this.items[0];
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.items.length) break;
      if (child + 1 < this.items.length && this.compare(this.at(child + 1), this.at(child)) < 0) child++;
      if (this.compare(last, this.at(child)) <= 0) break;
      this.items[at] = this.at(child);
      at = child;
    }
    this.items[at] = last;
    return first;
  }

  private at(index: number): T {
    return this.items[index] as T;
  }
}
