/** A priority level: so many requests at once, and queues for the others (upstream's `queueset`). */
import type { PriorityLevelFact } from '../../durable-objects/cluster-rpc.ts';
import { FairQueues } from './queues.ts';

/** The right to be served, to be given back: the period in which it was taken. */
export type Seat = number;

/** How long upstream lets a request wait: a quarter of the time that it has. */
const WAIT_MS = 15_000;
/** The requests of a client that has gone may end without a word: a seat is remembered for this period and the next. */
const PERIOD_MS = 60_000;

/** What a level has in seats. */
export interface Share {
  /** Its own. */
  nominal: number;
  /** Of them, what others may have while it does not need them. */
  lendable: number;
  /** With what it borrows. */
  most: number;
}

/** What a level shares with the others of its cluster. */
export interface Neighbours {
  /** Whether another has a seat to lend. */
  canLendTo(level: PriorityLevel): boolean;
  /** Somewhere somebody waits. */
  waiting: number;
  /** Lets those be served who wait, as far as there are seats. */
  dispatch(): void;
}

interface Waiter {
  serve(seat: Seat | undefined): void;
}

export class PriorityLevel {
  readonly name: string;
  private readonly neighbours: Neighbours;
  private share: Share = { nominal: 0, lendable: 0, most: 0 };
  private exempt = false;
  private queues: FairQueues<Waiter> | undefined;
  private period = 0;
  private now = 0;
  private before = 0;

  constructor(name: string, neighbours: Neighbours) {
    this.name = name;
    this.neighbours = neighbours;
  }

  /** The level is configured anew; those that are served or wait stay. */
  configure({ exempt, queuing }: PriorityLevelFact, share: Share): void {
    this.exempt = exempt;
    this.share = share;
    if (queuing !== undefined) {
      this.queues ??= new FairQueues(queuing);
      this.queues.configure(queuing);
    } else if (this.queues?.size === 0) this.queues = undefined;
    else this.queues?.configure({ queues: 1, handSize: 1, queueLengthLimit: 0 });
  }

  /** Whether nothing limits it, so that its seats need not be given back in any case. */
  get isExempt(): boolean {
    return this.exempt;
  }

  /** So many are served. */
  get executing(): number {
    return this.now + this.before;
  }

  get inQueue(): number {
    return this.queues?.size ?? 0;
  }

  /** A seat, if there is one now. */
  take(): Seat | undefined {
    this.turn();
    if (this.exempt) return this.sit();
    // Seats may have been forgotten, or lent back, since somebody was looked for.
    if (this.inQueue > 0) this.neighbours.dispatch();
    return this.inQueue === 0 && this.hasSeat() ? this.sit() : undefined;
  }

  /** A seat when the turn of the flow with this hash has come; undefined, at once or in the end, where that takes too long. */
  wait(hash: number): undefined | Promise<Seat | undefined> {
    const { queues, neighbours } = this;
    let serve: Waiter['serve'] = () => {};
    const served = new Promise<Seat | undefined>((resolve) => {
      serve = resolve;
    });
    const waiter: Waiter = {
      serve(seat) {
        neighbours.waiting--;
        serve(seat);
      },
    };
    if (queues === undefined || !queues.add(hash, waiter)) return undefined;
    neighbours.waiting++;
    // The runtime takes a request that waits for nothing of its own for one that hangs: the timer is more than a limit.
    const timer = setTimeout(() => queues.remove(waiter) && waiter.serve(undefined), WAIT_MS);
    return served.finally(() => clearTimeout(timer));
  }

  /** Gives a seat back, and lets those be served who wait for one. */
  release(seat: Seat): void {
    if (seat === this.period) this.now--;
    else if (seat === this.period - 1) this.before--;
    if (this.neighbours.waiting > 0) this.neighbours.dispatch();
  }

  /** Serves those who wait, as far as there are seats. */
  dispatch(): void {
    while (this.inQueue > 0 && this.hasSeat()) this.queues?.next()?.serve(this.sit());
  }

  /** Seats that others may have now. */
  get unused(): number {
    const { nominal, lendable } = this.share;
    return Math.max(0, Math.min(lendable, nominal - this.executing));
  }

  /** Seats that are others'. */
  get borrowed(): number {
    return this.exempt ? 0 : Math.max(0, this.executing - this.share.nominal);
  }

  private hasSeat(): boolean {
    const { nominal, most } = this.share;
    if (this.executing < nominal) return true;
    return this.executing < most && this.neighbours.canLendTo(this);
  }

  private sit(): Seat {
    this.now++;
    return this.period;
  }

  private turn(): void {
    const period = Math.floor(Date.now() / PERIOD_MS);
    if (period === this.period) return;
    this.before = period === this.period + 1 ? this.now : 0;
    this.now = 0;
    this.period = period;
  }
}
