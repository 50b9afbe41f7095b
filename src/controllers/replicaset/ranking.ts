/** Which pods go first when there are too many (`ActivePodsWithRanks`). */
import type { Pod } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';
import { isPodReady, podCondition } from '../pods.ts';

const PHASES = ['Pending', 'Unknown', 'Running'];
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

const deletionCost = (pod: Pod): number => Number(pod.metadata.annotations?.[DELETION_COST] ?? 0) || 0;

const most = (statuses: readonly { restartCount?: number }[] = []): number =>
  Math.max(0, ...statuses.map(({ restartCount = 0 }) => restartCount));

const restarts = (pod: Pod): number => most(pod.status?.containerStatuses);

/** Of sidecars: init containers that are kept running. */
function sidecarRestarts({ spec, status }: Pod): number {
  const sidecars = new Set(
    spec?.initContainers?.filter((one) => one.restartPolicy === 'Always').map(({ name }) => name),
  );
  return most(status?.initContainerStatuses?.filter(({ name }) => sidecars.has(name)));
}

/** Ages are compared by magnitude, so that among pods about equally old chance decides. Absent times count as newest. */
function ageMagnitude(timestamp: string | undefined, now: number): number {
  // In nanoseconds, so that the magnitudes are upstream's.
  const age = timestamp === undefined ? 0 : (now - timeOf(timestamp)) * 1e6;
  return age <= 0 ? -1 : Math.floor(Math.log2(age));
}

/**
 * The pods, those to be deleted first in front: unassigned, pending, not ready, cheap by annotation, sharing their node with more
 * of `related`, ready for a shorter time, restarted more often, younger.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) {
    if (spec?.nodeName) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const keys = new Map(
    pods.map((pod) => [
      pod,
      [
        pod.spec?.nodeName ? 1 : 0,
        PHASES.indexOf(pod.status?.phase ?? 'Pending'),
        isPodReady(pod) ? 1 : 0,
        deletionCost(pod),
        -(perNode.get(pod.spec?.nodeName ?? '') ?? 0),
        isPodReady(pod) ? ageMagnitude(podCondition(pod, 'Ready')?.lastTransitionTime, now) : 0,
        -restarts(pod),
        -sidecarRestarts(pod),
        ageMagnitude(pod.metadata.creationTimestamp, now),
      ],
    ]),
  );
  return [...pods].sort((a, b) => {
    const left = keys.get(a) ?? [];
    const right = keys.get(b) ?? [];
    for (const [i, value] of left.entries()) {
      const difference = value - (right[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
  });
}
