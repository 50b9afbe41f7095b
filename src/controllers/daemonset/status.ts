/** The status of a DaemonSet, as it follows from nodes and pods. Pure. */
import type { DaemonSetStatus } from '../../generated/types/apps.v1.ts';
import { isPodReady } from '../pods.ts';
import type { DaemonView } from './view.ts';

/** Counts nodes, each by its oldest pod (`updateDaemonSetStatus`). Zeros are left out as upstream leaves them out. */
export function statusOf(view: DaemonView): DaemonSetStatus {
  const { metadata, status: before } = view.set;
  let [scheduled, misscheduled, ready, available, updated] = [0, 0, 0, 0, 0];
  for (const [node, { run }] of view.verdicts) {
    const [pod] = view.pods.get(node) ?? [];
    if (pod === undefined) continue;
    if (!run) {
      misscheduled++;
      continue;
    }
    scheduled++;
    if (isPodReady(pod)) ready++;
    if (view.isAvailable(pod)) available++;
    if (view.isUpdated(pod)) updated++;
  }
  return {
    currentNumberScheduled: scheduled,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: view.desired,
    numberReady: ready,
    observedGeneration: metadata.generation,
    updatedNumberScheduled: updated || undefined,
    numberAvailable: available || undefined,
    numberUnavailable: view.desired - available || undefined,
    collisionCount: before?.collisionCount,
    conditions: before?.conditions,
  };
}
