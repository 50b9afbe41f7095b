/** Looks for devices on one node that satisfy all requests of some claims: one after another, and back where it leads nowhere. */
import type { Budget } from '../../../apimachinery/cel/program.ts';
import { add, type Quantity } from '../../../apimachinery/quantity.ts';
import { untolerated } from '../../../resources/core/tolerations.ts';
import { type Allocated, type Amounts, deviceId } from './allocated.ts';
import { consumedOf } from './capacity.ts';
import { Constraint } from './constraints.ts';
import { type Counters, TrialCounters } from './counters.ts';
import type { NodePool, PoolDevice } from './pools.ts';
import { type ClaimPlan, MOST_RESULTS, matches, type Wanted } from './requests.ts';

/** One device for a request; of a device that is shared, with what is taken of it. */
export interface Pick {
  readonly asked: Wanted;
  readonly device: PoolDevice;
  readonly takes?: Amounts;
}

/** What searches for one pod may do: an exhaustive one could go on for ever. */
export interface Effort {
  /** Devices that may be looked at, on all nodes together. */
  looks: number;
  /** Devices that one search may choose, those that it gives back included. */
  choices: number;
  /** For selectors, on all nodes together. */
  readonly cel: Budget;
}

/** The search was given up. */
export class OutOfEffort extends Error {}

/** Choices within choices; deeper than any pod means it, and well within the stack. */
const DEEPEST = 500;

export class Search {
  /** For each claim, in the order of its requests. */
  readonly picks: Pick[][];
  private readonly plans: readonly ClaimPlan[];
  private readonly pools: readonly NodePool[];
  private readonly allocated: Allocated;
  private readonly effort: Effort;
  private readonly counters: TrialCounters;
  private readonly constraints: readonly (readonly Constraint[])[];
  /** What is chosen: device id -> the claims that have it. */
  private readonly taking = new Map<string, Set<number>>();
  /** Device id -> what the chosen ones take of it together. */
  private readonly sharing = new Map<string, Amounts>();
  private depth = 0;
  private choices: number;

  constructor(
    plans: readonly ClaimPlan[],
    pools: readonly NodePool[],
    allocated: Allocated,
    counters: Counters,
    effort: Effort,
  ) {
    this.plans = plans;
    this.pools = pools;
    this.allocated = allocated;
    this.effort = effort;
    this.choices = effort.choices;
    this.counters = new TrialCounters(counters);
    this.picks = plans.map(() => []);
    this.constraints = plans.map(({ claim }) => (claim.spec?.devices?.constraints ?? []).map((c) => new Constraint(c)));
  }

  /** Whether there are devices for everything: {@link picks} has them then. Throws an Error for claims that cannot be judged. */
  run(): boolean {
    return this.request(0, 0);
  }

  /** The devices for a request and all that come after it. */
  private request(claim: number, index: number): boolean {
    const plan = this.plans[claim];
    if (plan === undefined) return true;
    const ways = plan.requests[index];
    if (ways === undefined) return this.request(claim + 1, 0);
    return ways.some((asked) => {
      const all = asked.all ? this.all(asked) : undefined;
      if (all?.length === 0) return false;
      const count = all?.length ?? asked.count;
      if ((this.picks[claim]?.length ?? 0) + count > MOST_RESULTS) return false;
      const next = (): boolean => this.request(claim, index + 1);
      return all === undefined ? this.some(claim, asked, count, 0, next) : this.every(claim, asked, all, 0, next);
    });
  }

  /** All devices that a request means. */
  private all(asked: Wanted): PoolDevice[] {
    const whose = `claim ${asked.claim.metadata.namespace}/${asked.claim.metadata.name}, request ${asked.name}`;
    return this.pools.flatMap(({ pool, devices }) => {
      const why = pool.incomplete ? 'currently being updated' : pool.invalid ? 'currently invalid' : undefined;
      if (why !== undefined) {
        const id = deviceId(pool.driver, pool.name).slice(0, -1);
        throw new Error(`${whose}: asks for all devices, but resource pool ${id} is ${why}`);
      }
      return devices.filter((device) => matches(asked, device, this.effort.cel));
    });
  }

  /** These devices from the one at `at`, each of them. */
  private every(
    claim: number,
    asked: Wanted,
    devices: readonly PoolDevice[],
    at: number,
    next: () => boolean,
  ): boolean {
    const device = devices[at];
    if (device === undefined) return next();
    return this.with(claim, asked, device, () => this.every(claim, asked, devices, at + 1, next));
  }

  /** So many devices, none of them before the place `from`: in which order they are chosen makes no difference. */
  private some(claim: number, asked: Wanted, count: number, from: number, next: () => boolean): boolean {
    if (count === 0) return next();
    let place = 0;
    for (const { pool, devices } of this.pools) {
      if (pool.incomplete || pool.invalid || place + devices.length <= from) {
        place += devices.length;
        continue;
      }
      for (const device of devices) {
        place++;
        if (place <= from) continue;
        const here = place;
        if (this.with(claim, asked, device, () => this.some(claim, asked, count - 1, here, next))) return true;
      }
    }
    return false;
  }

  /** Whether it works out with this device; if not, it is given back. */
  private with(claim: number, asked: Wanted, device: PoolDevice, rest: () => boolean): boolean {
    this.effort.looks--;
    if (this.effort.looks < 0 || this.effort.cel.left < 0) throw new OutOfEffort();
    const pick = this.fits(claim, asked, device);
    if (pick === undefined) return false;
    const release = this.take(claim, pick);
    if (release === undefined) return false;
    this.choices--;
    if (this.choices < 0 || this.depth > DEEPEST) throw new OutOfEffort();
    this.depth++;
    const done = rest();
    this.depth--;
    if (!done) release();
    return done;
  }

  /** The device as the request would have it; undefined when it cannot. */
  private fits(claim: number, asked: Wanted, device: PoolDevice): Pick | undefined {
    const {
      id,
      device: { allowMultipleAllocations, taints },
    } = device;
    const shared = allowMultipleAllocations === true;
    const taking = this.taking.get(id);
    if (asked.adminAccess) {
      if (!shared && taking?.has(claim)) return undefined;
    } else {
      const sharedBefore = !shared && this.allocated.shared.has(id);
      if (this.allocated.devices.has(id) || sharedBefore || (taking?.size ?? 0) > 0) return undefined;
    }
    if (!matches(asked, device, this.effort.cel)) return undefined;
    const hard = (taints ?? []).filter(({ effect }) => effect === 'NoExecute' || effect === 'NoSchedule');
    if (untolerated(hard, asked.tolerations).length > 0) return undefined;
    const takes = consumedOf(device.device, asked.capacity, [this.allocated.shared.get(id), this.sharing.get(id)]);
    if (takes === undefined) return undefined;
    return shared ? { asked, device, takes } : { asked, device };
  }

  /** Chooses the device, and answers how to give it back; undefined when something stands against it. */
  private take(claim: number, pick: Pick): (() => void) | undefined {
    const { asked, device, takes } = pick;
    const { id } = device;
    // Who shares a device with others uses no more of the hardware than they do already.
    const counts = takes === undefined || !(this.allocated.shared.has(id) || this.sharing.has(id));
    if (counts && !this.counters.take(device)) return undefined;
    const constraints = this.constraints[claim] ?? [];
    const against = constraints.findIndex((constraint) => !constraint.add(device, asked));
    if (against >= 0) {
      for (const constraint of constraints.slice(0, against)) constraint.remove(asked);
      if (counts) this.counters.giveBack(device);
      return undefined;
    }
    const before = this.sharing.get(id);
    if (takes !== undefined) this.sharing.set(id, sum(before, takes));
    else this.taking.set(id, (this.taking.get(id) ?? new Set<number>()).add(claim));
    this.picks[claim]?.push(pick);
    return () => {
      this.picks[claim]?.pop();
      if (takes === undefined) this.taking.get(id)?.delete(claim);
      else if (before === undefined) this.sharing.delete(id);
      else this.sharing.set(id, before);
      for (const constraint of constraints) constraint.remove(asked);
      if (counts) this.counters.giveBack(device);
    };
  }
}

function sum(before: Amounts | undefined, takes: Amounts): Amounts {
  const total = new Map<string, Quantity>(before);
  for (const [name, amount] of takes) {
    const known = total.get(name);
    total.set(name, known === undefined ? amount : add(known, amount));
  }
  return total;
}
