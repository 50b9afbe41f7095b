/** What plugins remember between the extension points of one pod's cycle (`framework.CycleState`). */

/** The name of a plugin's state, and its type. */
export class StateKey<T> {
  readonly name: string;
  private readonly clone: ((value: T) => T) | undefined;

  /** `clone`: only for state that `addPod` and `removePod` change; anything else is shared between copies. */
  constructor(name: string, clone?: (value: T) => T) {
    this.name = name;
    this.clone = clone;
  }

  /** A copy of a value that was written under this key. */
  copy(value: unknown): unknown {
    return this.clone === undefined ? value : this.clone(value as T);
  }
}

/** The state of one pod's cycle, by key. */
export class CycleState {
  private readonly values = new Map<{ copy(value: unknown): unknown }, unknown>();
  /** Plugins whose PreFilter had nothing to do: neither Filter nor addPod and removePod are called. */
  readonly skipFilter = new Set<string>();
  /** Plugins whose PreScore had nothing to do. */
  readonly skipScore = new Set<string>();

  read<T>(key: StateKey<T>): T | undefined {
    return this.values.get(key) as T | undefined;
  }

  write<T>(key: StateKey<T>, value: T): void {
    this.values.set(key, value);
  }

  /** A copy whose changes do not show here. */
  clone(): CycleState {
    const copy = new CycleState();
    for (const [key, value] of this.values) copy.values.set(key, key.copy(value));
    for (const plugin of this.skipFilter) copy.skipFilter.add(plugin);
    for (const plugin of this.skipScore) copy.skipScore.add(plugin);
    return copy;
  }
}
