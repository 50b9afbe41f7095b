/** Tells a store's subscribers of its commits: one call under way each, what comes meanwhile goes with the next. */
import type { ResourceId } from '../apimachinery/client.ts';
import type { Change } from '../store/types.ts';
import type { Env } from './env.ts';
import type { Notice, SubscriberRpc } from './rpc.ts';
import { type Subscriber, subscribersOf } from './subscriptions.ts';

interface Pending {
  /** Whether the subscriber wants to know what was there before. */
  previous: boolean;
  from: number;
  notices: Notice[];
  sending: boolean;
  /** In a row. */
  failures: number;
}

const RETRIES = 5;
const RETRY_MS = 500;

export class Notifier {
  private readonly cluster: string;
  private readonly store: ResourceId;
  private readonly pending: readonly [SubscriberRpc, Pending][];

  constructor(env: Env, cluster: string, store: ResourceId) {
    this.cluster = cluster;
    this.store = store;
    const target: Record<Subscriber, () => unknown> = {
      controllers: () => env.CONTROLLER_MANAGER.getByName(cluster),
      scheduler: () => env.SCHEDULER.getByName(cluster),
      cluster: () => env.CLUSTER.getByName(cluster),
    };
    this.pending = subscribersOf(store, env.CONTROLLERS !== 'off').map((subscriber) => [
      target[subscriber]() as SubscriberRpc,
      { previous: subscriber === 'controllers', from: 0, notices: [], sending: false, failures: 0 },
    ]);
  }

  /** Never fails and never waits: a notification that is lost, tries and all, costs time: what a subscriber hears next tells it of the gap. */
  notify(changes: readonly Change[]): void {
    for (const [subscriber, pending] of this.pending) {
      const notices = changes.map(pending.previous ? notice : bareNotice);
      if (pending.notices.length === 0) pending.from = (notices[0] as Notice).resourceVersion - 1;
      pending.notices.push(...notices);
      if (!pending.sending) void this.send(subscriber, pending);
    }
  }

  private async send(subscriber: SubscriberRpc, pending: Pending): Promise<void> {
    pending.sending = true;
    while (pending.notices.length > 0) {
      const { from, notices } = pending;
      pending.notices = [];
      try {
        await subscriber.notify({ cluster: this.cluster, store: this.store, from, notices });
        pending.failures = 0;
      } catch (error) {
        if (++pending.failures > RETRIES) {
          console.warn(`${this.store}: a notification was lost:`, String(error));
          continue;
        }
        pending.from = from;
        pending.notices = [...notices, ...pending.notices];
        await scheduler.wait(RETRY_MS * pending.failures);
      }
    }
    pending.sending = false;
  }
}

/** A change as those are told of it who ask what was there before. */
export function notice(change: Change): Notice {
  const { previous } = change;
  return previous === undefined ? bareNotice(change) : { ...bareNotice(change), previous: previous.text };
}

const bareNotice = ({ type, row }: Change): Notice => ({ key: row.key, type, resourceVersion: row.resourceVersion });
