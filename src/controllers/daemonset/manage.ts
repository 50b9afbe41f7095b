/** One pod on each node that should have one, none elsewhere, and none that has ended. */
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { isPodReady } from '../pods.ts';
import type { FailedPodBackoff } from './backoff.ts';
import type { DaemonView, Plan } from './view.ts';

export interface Management extends Plan {
  /** Until a failed pod may be replaced, in ms. */
  waitMs?: number;
}

const isDeleting = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** What each node needs, whatever the roll-out (`manage`, `podsShouldBeOnNode`). */
export function manage(view: DaemonView, backoff: FailedPodBackoff, context: ControllerContext): Management {
  const plan: Management = { create: [], remove: [] };
  for (const [node, verdict] of view.verdicts) {
    const pods = view.pods.get(node);
    if (verdict.run && pods === undefined) plan.create.push(node);
    else if (verdict.stay) {
      const running = takeEnded(view, node, pods ?? [], plan, backoff, context);
      plan.remove.push(...(view.bounds.surge > 0 ? surplusOfSurge(view, running) : running.slice(1)));
    } else plan.remove.push(...(pods ?? []).filter((pod) => !isDeleting(pod)));
  }
  for (const [node, pods] of view.pods) {
    if (!view.verdicts.has(node)) plan.remove.push(...pods.filter((pod) => !pod.spec?.nodeName && !isDeleting(pod)));
  }
  return plan;
}

/** Has pods that ended removed, failed ones not too often; answers those that run. */
function takeEnded(
  view: DaemonView,
  node: string,
  pods: readonly Pod[],
  plan: Management,
  backoff: FailedPodBackoff,
  { events }: ControllerContext,
): Pod[] {
  const { metadata, status } = view.set;
  const running: Pod[] = [];
  for (const pod of pods.filter((one) => !isDeleting(one))) {
    const where = `daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
    if (pod.status?.phase === 'Failed') {
      const waitMs = backoff.wait(`${metadata.uid}/${status?.observedGeneration ?? 0}/${node}`, view.at);
      if (waitMs > 0) {
        plan.waitMs = Math.min(plan.waitMs ?? waitMs, waitMs);
        continue;
      }
      events.record(view.set, 'Warning', 'FailedDaemonPod', `Found failed ${where}, will try to kill it`);
      plan.remove.push(pod);
    } else if (pod.status?.phase === 'Succeeded') {
      events.record(view.set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${where}, will try to delete it`);
      plan.remove.push(pod);
    } else running.push(pod);
  }
  return running;
}

/** With surge a node may have an old and a new pod; the old one goes when it is of no use, or the new one available. */
function surplusOfSurge(view: DaemonView, running: readonly Pod[]): Pod[] {
  const fresh = running.find((pod) => view.isUpdated(pod));
  const old = running.find((pod) => !view.isUpdated(pod));
  const surplus = running.filter((pod) => pod !== fresh && pod !== old);
  if (fresh !== undefined && old !== undefined && (!isPodReady(old) || view.isAvailable(fresh))) surplus.push(old);
  return surplus;
}
