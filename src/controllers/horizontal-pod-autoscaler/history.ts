/** What autoscalers recommended and did lately. Kept in memory, as upstream keeps it: a new beginning holds what there is for a while. */
import type { ControllerContext } from '../controller.ts';

interface Recommendation {
  replicas: number;
  at: number;
}

interface Change {
  /** Always positive. */
  replicas: number;
  at: number;
}

/** Longer ago than any window reaches. */
const FORGET_MS = 3_600_000;

/** Of one autoscaler. */
export class History {
  recommendations: Recommendation[] = [];
  #ups: Change[] = [];
  #downs: Change[] = [];

  /** At the beginning what there is counts as recommended. */
  begin(replicas: number, at: number): void {
    if (this.recommendations.length === 0) this.recommend(replicas, at);
  }

  recommend(replicas: number, at: number): void {
    this.recommendations = this.recommendations.filter((other) => other.at > at - FORGET_MS);
    this.recommendations.push({ replicas, at });
  }

  /** Notes that the target was scaled. */
  scaled(from: number, to: number, at: number): void {
    const recent = (changes: Change[]): Change[] => changes.filter((other) => other.at > at - FORGET_MS);
    this.#ups = recent(this.#ups);
    this.#downs = recent(this.#downs);
    if (to > from) this.#ups.push({ replicas: to - from, at });
    else this.#downs.push({ replicas: from - to, at });
  }

  /** How many replicas there were when the period began, which ends now. */
  replicasBefore(periodSeconds: number, current: number, now: number): number {
    const changed = (changes: readonly Change[]): number =>
      changes.reduce((sum, { replicas, at }) => sum + (at > now - periodSeconds * 1000 ? replicas : 0), 0);
    return current - changed(this.#ups) + changed(this.#downs);
  }
}

const histories = new WeakMap<ControllerContext, Map<string, History>>();

/** The history of the autoscaler with this key. */
export function historyOf(context: ControllerContext, key: string): History {
  const all = histories.get(context) ?? new Map<string, History>();
  histories.set(context, all);
  const history = all.get(key) ?? new History();
  all.set(key, history);
  return history;
}

/** The autoscaler is gone. */
export function forgetHistory(context: ControllerContext, key: string): void {
  histories.get(context)?.delete(key);
}
