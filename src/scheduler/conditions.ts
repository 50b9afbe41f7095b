/** What the scheduler writes into the status of pods (`updatePod`, `PreemptPod`). */

import type { Client } from '../apimachinery/client.ts';
import { findCondition } from '../apimachinery/conditions.ts';
import { isReason } from '../apimachinery/errors.ts';
import { type JsonObject, now } from '../apimachinery/meta.ts';
import type { Pod } from '../generated/types/core.v1.ts';

const PODS = 'core/pods';

interface Condition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
}

/** The condition as it is to be written; undefined when the pod has it already. */
function changed(pod: Pod, condition: Condition, at: number): JsonObject | undefined {
  const { type, status, reason, message } = condition;
  const before = findCondition(pod.status?.conditions, type);
  const same = before?.status === status;
  if (same && before.reason === reason && before.message === message) return undefined;
  const lastTransitionTime = same ? before.lastTransitionTime : now(at);
  return { type, status, lastTransitionTime, reason, message, observedGeneration: pod.metadata.generation };
}

/** Says why a pod has no node, and which one it shall get (undefined: as it is). A pod that is gone needs no telling. */
export async function tellUnscheduled(
  client: Client,
  pod: Pod,
  { reason, message, node }: { reason: string; message: string; node?: string | undefined },
  at: number,
): Promise<void> {
  const status: JsonObject = {};
  const condition = changed(pod, { type: 'PodScheduled', status: 'False', reason, message }, at);
  if (condition !== undefined) status['conditions'] = [condition];
  if (node !== undefined && node !== (pod.status?.nominatedNodeName ?? '')) {
    status['nominatedNodeName'] = node === '' ? null : node;
  }
  await patchStatus(client, pod, status);
}

/** Says for which node a pod waits that has one, but cannot be bound yet. */
export const tellExpected = (client: Client, pod: Pod, node: string): Promise<void> =>
  patchStatus(client, pod, { nominatedNodeName: node });

/** Marks a victim of preemption (`DisruptionTarget`). */
export async function tellPreempted(client: Client, victim: Pod, by: Pod, at: number): Promise<void> {
  const message = `${by.spec?.schedulerName}: preempting to accommodate a higher priority pod`;
  const reason = 'PreemptionByScheduler';
  const condition = changed(victim, { type: 'DisruptionTarget', status: 'True', reason, message }, at);
  if (condition !== undefined) await patchStatus(client, victim, { conditions: [condition] });
}

/** Takes a nomination back. */
export async function clearNomination(client: Client, pod: Pod): Promise<void> {
  if (pod.status?.nominatedNodeName) await patchStatus(client, pod, { nominatedNodeName: null });
}

async function patchStatus(client: Client, { metadata }: Pod, status: JsonObject): Promise<void> {
  if (Object.keys(status).length === 0) return;
  const { namespace = '', name, uid } = metadata;
  try {
    await client.patch(PODS, namespace, name, 'strategic', { metadata: { uid }, status }, 'status');
  } catch (error) {
    // Another pod of the same name answers with a conflict.
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
}
