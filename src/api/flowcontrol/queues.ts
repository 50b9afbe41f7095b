/** Queues that are served in turn, so that who fills one waits for himself alone. */
import { handOf } from './shuffle.ts';

export interface Queuing {
  queues: number;
  handSize: number;
  queueLengthLimit: number;
}

export class FairQueues<T> {
  private queuing: Queuing;
  /** Those that somebody waits in; the first is the next to be served. */
  private readonly filled = new Map<number, T[]>();
  private count = 0;

  constructor(queuing: Queuing) {
    this.queuing = queuing;
  }

  configure(queuing: Queuing): void {
    this.queuing = queuing;
  }

  get size(): number {
    return this.count;
  }

  /** Puts somebody into the shortest queue of his flow's hand; false when that is full. */
  add(hash: number, waiting: T): boolean {
    const { queues, handSize, queueLengthLimit } = this.queuing;
    let shortest = -1;
    let length = queueLengthLimit;
    for (const queue of handOf(hash, queues, handSize)) {
      const here = this.filled.get(queue)?.length ?? 0;
      if (here >= length) continue;
      shortest = queue;
      length = here;
    }
    if (shortest < 0) return false;
    const queue = this.filled.get(shortest);
    if (queue === undefined) this.filled.set(shortest, [waiting]);
    else queue.push(waiting);
    this.count++;
    return true;
  }

  /** Whose turn it is: the first of the queue that was served longest ago. */
  next(): T | undefined {
    for (const [id, queue] of this.filled) {
      this.filled.delete(id);
      const first = queue.shift();
      if (queue.length > 0) this.filled.set(id, queue);
      this.count--;
      return first;
    }
    return undefined;
  }

  /** Takes somebody away who waits no longer; whether he was there. */
  remove(waiting: T): boolean {
    for (const [id, queue] of this.filled) {
      const at = queue.indexOf(waiting);
      if (at < 0) continue;
      queue.splice(at, 1);
      if (queue.length === 0) this.filled.delete(id);
      this.count--;
      return true;
    }
    return false;
  }
}
