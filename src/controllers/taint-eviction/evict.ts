import type { Client } from '../../apimachinery/client.ts';
import { withCondition } from '../../apimachinery/conditions.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { deleteIfPresent, patchStatus } from '../objects.ts';

/** Deletes a pod after saying so in its conditions (`DisruptionTarget`); `now`: in ms since the epoch. A pod that is gone is no error. */
export async function evict(
  client: Client,
  pod: Pod,
  why: { readonly reason: string; readonly message: string },
  now: number,
): Promise<void> {
  const target = { type: 'DisruptionTarget', status: 'True', ...why };
  const conditions = withCondition(pod.status?.conditions, target, now);
  try {
    await patchStatus(client, 'core/pods', pod, { ...pod.status, conditions });
  } catch (error) {
    if (isReason(error, 'NotFound')) return;
    throw error;
  }
  await deleteIfPresent(client, 'core/pods', pod);
}
