/** What to do with the pods of a StatefulSet: create the missing ones, take away the surplus, and roll the others to the update revision. */

import type { StatefulSet, StatefulSetStatus } from '../../generated/types/apps.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { isPodTerminal } from '../pods.ts';
import { scaledValue } from '../scaled.ts';
import { firstOrdinal, isWanted, newPod, ordinalOf, replicasOf, revisionOf } from './identity.ts';
import type { StatefulPods } from './pods.ts';
import type { Revisions } from './revisions.ts';
import { isCreated, isTerminating, isUnavailable, statusOf } from './status.ts';

const MAX_BATCH = 500;
type Outcome = 'go on' | 'wait';

/** One reconcile of one StatefulSet. */
export class StatefulUpdate {
  readonly #set: StatefulSet;
  readonly #revisions: Revisions;
  readonly #control: StatefulPods;
  readonly #at: number;
  /** One for each ordinal; what is not there yet as it will be. */
  readonly #replicas: Pod[] = [];
  /** Pods beyond, highest ordinal first. */
  readonly #condemned: Pod[];
  readonly #minReadySeconds: number;
  /** One pod after the other, each when those before it are available. */
  readonly #ordered: boolean;

  constructor(
    set: StatefulSet,
    revisions: Revisions,
    pods: readonly Pod[],
    control: StatefulPods,
    context: ControllerContext,
  ) {
    this.#set = set;
    this.#revisions = revisions;
    this.#control = control;
    this.#at = context.now();
    this.#minReadySeconds = set.spec?.minReadySeconds ?? 0;
    this.#ordered = set.spec?.podManagementPolicy !== 'Parallel';
    const byOrdinal = new Map(pods.map((pod) => [this.#ordinal(pod), pod]));
    const start = firstOrdinal(set);
    for (let ordinal = start; ordinal < start + replicasOf(set); ordinal++) {
      this.#replicas.push(byOrdinal.get(ordinal) ?? newPod(set, this.#revisionFor(ordinal), ordinal));
    }
    this.#condemned = pods.filter((pod) => !isWanted(set, this.#ordinal(pod)));
    this.#condemned.sort((a, b) => this.#ordinal(b) - this.#ordinal(a));
  }

  /** The status that follows from the pods as they were read. */
  get status(): StatefulSetStatus {
    return statusOf(this.#set, this.#revisions, [...this.#replicas, ...this.#condemned], this.#at);
  }

  /** Does what can be done now. */
  async run(): Promise<void> {
    if ((await this.#forAll(this.#replicas, (pod) => this.#keep(pod))) === 'wait') return;
    await this.#forAll(this.#condemned, (pod) => this.#retain(pod));
    const firstUnavailable = [...this.#replicas, ...this.#condemned.toReversed()].find((pod) => this.#unavailable(pod));
    if ((await this.#forAll(this.#condemned, (pod) => this.#condemn(pod, firstUnavailable))) === 'wait') return;
    if (this.#set.spec?.updateStrategy?.type !== 'OnDelete') await this.#roll();
  }

  /** In order until one has to be waited for; or all, a few and then more at once. */
  async #forAll(pods: readonly Pod[], work: (pod: Pod) => Promise<Outcome>): Promise<Outcome> {
    if (this.#ordered) {
      for (const pod of pods) if ((await work(pod)) === 'wait') return 'wait';
    } else await inBatches(pods, work);
    return 'go on';
  }

  /** Sees to it that a wanted pod is there and what it should be (`processReplica`). */
  async #keep(pod: Pod): Promise<Outcome> {
    const ordinal = this.#ordinal(pod);
    if (isPodTerminal(pod)) {
      if (!isTerminating(pod)) await this.#control.delete(pod);
      return 'wait';
    }
    if (!isCreated(pod)) {
      await this.#control.create(pod, ordinal);
      return 'wait';
    }
    if ((pod.status?.phase ?? 'Pending') === 'Pending') await this.#control.createMissingClaims(pod, ordinal);
    if (this.#ordered && this.#unavailable(pod)) return 'wait';
    await this.#control.update(pod, ordinal);
    return 'go on';
  }

  async #retain(pod: Pod): Promise<Outcome> {
    await this.#control.retain(pod, this.#ordinal(pod));
    return 'go on';
  }

  /** Takes a surplus pod away; in order, and with an unavailable pod only that one (`processCondemned`). */
  async #condemn(pod: Pod, firstUnavailable: Pod | undefined): Promise<Outcome> {
    if (isTerminating(pod)) return 'wait';
    if (this.#ordered && this.#unavailable(pod) && pod !== firstUnavailable) return 'wait';
    await this.#control.delete(pod);
    return 'wait';
  }

  /** Deletes pods that are of another revision than they should be, highest ordinal first, as availability allows. */
  async #roll(): Promise<void> {
    const { partition = 0, maxUnavailable } = this.#set.spec?.updateStrategy?.rollingUpdate ?? {};
    const candidates = this.#replicas.slice(partition).toReversed();
    const old = (pod: Pod): boolean => revisionOf(pod) !== this.#revisions.update.metadata.name && !isTerminating(pod);
    if (maxUnavailable === undefined) {
      const target = candidates.find((pod) => old(pod) || this.#unavailable(pod));
      if (target !== undefined && old(target)) await this.#control.delete(target);
      return;
    }
    const allowed = Math.max(1, scaledValue(maxUnavailable, replicasOf(this.#set), true));
    const unavailable = this.#replicas.filter((pod) => this.#unavailable(pod)).length;
    const targets = candidates.filter(old).slice(0, Math.max(0, allowed - unavailable));
    for (const pod of targets) await this.#control.delete(pod);
  }

  /** The revision of a pod that is made anew: below the partition the current one (`newVersionedStatefulSetPod`). */
  #revisionFor(ordinal: number): Revisions['current'] {
    const { type, rollingUpdate } = this.#set.spec?.updateStrategy ?? {};
    const old =
      type === 'RollingUpdate' && rollingUpdate === undefined
        ? this.#set.status?.currentReplicas
        : rollingUpdate?.partition;
    return ordinal < firstOrdinal(this.#set) + (old ?? 0) ? this.#revisions.current : this.#revisions.update;
  }

  #unavailable(pod: Pod): boolean {
    return isUnavailable(pod, this.#minReadySeconds, this.#at);
  }

  #ordinal(pod: Pod): number {
    return ordinalOf(this.#set, pod) ?? -1;
  }
}

/** Works on batches of 1, 2, 4, …: what cannot be done is refused once, not hundreds of times (`slowStartBatch`). */
async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let start = 0, size = 1; start < items.length; start += size, size = Math.min(size * 2, MAX_BATCH)) {
    const results = await Promise.allSettled(items.slice(start, start + size).map(work));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}
