/** Equal values once: pods of one template share what they have in common. */

/** Remembers what was made of a text; forgets everything when it grows too large, which costs memory and never correctness. */
export class Memo<T> {
  private readonly known = new Map<string, T>();
  private readonly limit: number;

  constructor(limit = 10_000) {
    this.limit = limit;
  }

  /** The value for a text, made when it is not known. */
  get(text: string, make: () => T): T {
    const hit = this.known.get(text);
    if (hit !== undefined) return hit;
    const made = make();
    if (this.known.size >= this.limit) this.known.clear();
    this.known.set(text, made);
    return made;
  }
}
