/** What one reconcile of a DaemonSet has read, and what follows from it at once. */
import type { DaemonSet } from '../../generated/types/apps.v1.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import { isPodAvailable } from '../pods.ts';
import { scaledValue } from '../scaled.ts';
import { podsByNode, type Verdict, verdictOn } from './nodes.ts';
import { isUpdated } from './template.ts';

export class DaemonView {
  readonly set: DaemonSet;
  /** Of the current revision. */
  readonly hash: string;
  readonly at: number;
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly verdicts: ReadonlyMap<string, Verdict>;

  constructor(set: DaemonSet, hash: string, nodes: readonly Node[], pods: readonly Pod[], at: number) {
    this.set = set;
    this.hash = hash;
    this.at = at;
    this.pods = podsByNode(pods);
    this.verdicts = new Map(nodes.map((node) => [node.metadata.name, verdictOn(set, node)]));
  }

  /** How many nodes are to have a pod. */
  get desired(): number {
    return [...this.verdicts.values()].filter(({ run }) => run).length;
  }

  /** How many pods there may be too many or too few in a rolling update: never both 0 (`updatedDesiredNodeCounts`). */
  get bounds(): { surge: number; unavailable: number } {
    const { maxSurge = 0, maxUnavailable = 1 } = this.set.spec?.updateStrategy?.rollingUpdate ?? {};
    const surge = scaledValue(maxSurge, this.desired, true);
    const unavailable = scaledValue(maxUnavailable, this.desired, true);
    return { surge, unavailable: this.desired > 0 && surge === 0 && unavailable === 0 ? 1 : unavailable };
  }

  isUpdated(pod: Pod): boolean {
    return isUpdated(this.set, pod, this.hash);
  }

  isAvailable(pod: Pod): boolean {
    return isPodAvailable(pod, this.set.spec?.minReadySeconds ?? 0, this.at);
  }
}

/** Nodes that need a pod, and pods that have to go. */
export interface Plan {
  create: string[];
  remove: Pod[];
}
