/** Counters that the devices of a pool share: partitions of one piece of hardware (`sharedCounters`). */
import { cmp, parseQuantity, type Quantity, sub } from '../../../apimachinery/quantity.ts';
import type { Allocated } from './allocated.ts';
import type { Pool, PoolDevice } from './pools.ts';

type Left = Map<string, Quantity>;

const ZERO = parseQuantity('0');
const keyOf = (counterSet: string, counter: string): string => `${counterSet}/${counter}`;

/** The amounts that a device takes, by counter. */
function* taken({ device }: PoolDevice): Iterable<readonly [key: string, amount: Quantity]> {
  for (const { counterSet = '', counters = {} } of device.consumesCounters ?? []) {
    for (const [counter, { value }] of Object.entries(counters)) {
      yield [keyOf(counterSet, counter), parseQuantity(value ?? '0')];
    }
  }
}

/** What allocated devices have left of the counters of pools; worked out once for each pool that is asked for. */
export class Counters {
  private readonly allocated: Allocated;
  private readonly known = new Map<Pool, Left>();

  constructor(allocated: Allocated) {
    this.allocated = allocated;
  }

  /** By counter; for the caller to take from. */
  left(pool: Pool): Left {
    let left = this.known.get(pool);
    if (left === undefined) {
      left = new Map();
      for (const [set, counters] of pool.counters) {
        for (const [counter, amount] of counters) left.set(keyOf(set, counter), amount);
      }
      for (const device of pool.devices) {
        if (!this.allocated.devices.has(device.id) && !this.allocated.shared.has(device.id)) continue;
        for (const [key, amount] of taken(device)) left.set(key, sub(left.get(key) ?? ZERO, amount));
      }
      this.known.set(pool, left);
    }
    return new Map(left);
  }
}

/** Counters while a node is tried. */
export class TrialCounters {
  private readonly base: Counters;
  private readonly trial = new Map<Pool, Left>();

  constructor(base: Counters) {
    this.base = base;
  }

  /** Takes what a device needs; false when there is not enough of it, and nothing was taken. */
  take(device: PoolDevice): boolean {
    const left = this.leftOf(device.pool);
    for (const [key, amount] of taken(device)) if (cmp(left.get(key) ?? ZERO, amount) < 0) return false;
    for (const [key, amount] of taken(device)) left.set(key, sub(left.get(key) ?? ZERO, amount));
    return true;
  }

  giveBack(device: PoolDevice): void {
    const left = this.leftOf(device.pool);
    for (const [key, amount] of taken(device))
      left.set(key, sub(left.get(key) ?? ZERO, { ...amount, nano: -amount.nano }));
  }

  private leftOf(pool: Pool): Left {
    const left = this.trial.get(pool) ?? this.base.left(pool);
    this.trial.set(pool, left);
    return left;
  }
}
