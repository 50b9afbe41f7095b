/** Lists whose order does not count: sets, and lists that are maps by some of their fields (`x-kubernetes-list-type`). */

/** The values that make an item the same as another. */
export type KeysOf = (item: unknown) => readonly unknown[];
type Same = (a: unknown, b: unknown) => boolean;

/** A list as a value of expressions. The base library knows lists by the class of arrays, so this says that it is one. */
export class KeyedList extends Array<unknown> {
  readonly #keysOf: KeysOf;
  readonly #same: Same;

  /** `keysOf` gives the item itself of a set; `same` compares keys and items. */
  constructor(items: readonly unknown[], keysOf: KeysOf, same: Same) {
    super();
    for (const item of items) this.push(item);
    this.#keysOf = keysOf;
    this.#same = same;
    Object.defineProperty(this, 'constructor', { value: Array });
  }

  /** Whether another list has the same items, in whatever order. */
  equals(other: readonly unknown[]): boolean {
    const places = this.#places();
    return (
      this.length === other.length &&
      other.every((item) => places.get(this.#idOf(item))?.some((at) => this.#same(this[at], item)) === true)
    );
  }

  /** Items of the other list take the place of those of the same keys, all others follow. */
  plus(other: readonly unknown[]): KeyedList {
    const items = [...this];
    const places = this.#places();
    for (const item of other) {
      const id = this.#idOf(item);
      const keys = this.#keysOf(item);
      const found = places.get(id) ?? [];
      const at = found.find((place) => this.#keysOf(items[place]).every((key, index) => this.#same(key, keys[index])));
      places.set(id, at === undefined ? [...found, items.length] : found);
      items[at ?? items.length] = item;
    }
    return new KeyedList(items, this.#keysOf, this.#same);
  }

  /** Where items are, by what is most often all of their keys: large lists must not be compared item by item. */
  #places(): Map<string, number[]> {
    const places = new Map<string, number[]>();
    for (const [at, item] of this.entries()) {
      const id = this.#idOf(item);
      const found = places.get(id);
      if (found === undefined) places.set(id, [at]);
      else found.push(at);
    }
    return places;
  }

  #idOf(item: unknown): string {
    const scalars = this.#keysOf(item).map((key) => (typeof key === 'object' ? '' : String(key)));
    return JSON.stringify(scalars);
  }
}
