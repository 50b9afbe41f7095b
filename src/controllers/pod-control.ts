/** How controllers make and delete pods, with an event for each (`PodControlInterface`). */
import type { Client } from '../apimachinery/client.ts';
import { isReason, StatusError } from '../apimachinery/errors.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { Pod } from '../generated/types/core.v1.ts';
import type { ControllerContext } from './controller.ts';
import { deleteIfPresent, messageOf } from './objects.ts';

/** How many pods were made, and what kept the others from being so. */
export interface Creation {
  created: number;
  failure?: unknown;
}

/**
 * Makes the pods in batches of 1, 2, 4, …, with an event of `owner` for each: when pods cannot be made, one refusal tells, not hundreds
 * (`slowStartBatch`). Stops after the batch in which one was refused. In a namespace that is being deleted it stops without a failure.
 */
export async function createPods(
  client: Client,
  owner: KubeObject,
  pods: readonly Pod[],
  context: ControllerContext,
): Promise<Creation> {
  let created = 0;
  for (let from = 0, size = 1; from < pods.length; from += size, size *= 2) {
    const batch = pods.slice(from, from + size);
    const results = await Promise.allSettled(batch.map((pod) => client.create('core/pods', pod)));
    let failure: unknown;
    let terminating = false;
    for (const result of results) {
      if (result.status === 'fulfilled') {
        created++;
        const message = `Created pod: ${result.value.metadata.name}`;
        context.events.record(owner, 'Normal', 'SuccessfulCreate', message);
      } else if (inTerminatingNamespace(result.reason)) {
        terminating = true;
      } else {
        context.events.record(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(result.reason)}`);
        failure ??= result.reason;
      }
    }
    if (failure !== undefined) return { created, failure };
    if (terminating) return { created };
  }
  return { created };
}

const inTerminatingNamespace = (error: unknown): boolean =>
  isReason(error, 'Forbidden') &&
  error instanceof StatusError &&
  (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false);

/** Deletes a pod for `owner`. Answers whether it was there; throws when it could not be deleted. */
export async function deletePod(
  client: Client,
  owner: KubeObject,
  pod: Pod,
  context: ControllerContext,
): Promise<boolean> {
  try {
    const deleted = await deleteIfPresent(client, 'core/pods', pod, { propagationPolicy: 'Background' });
    if (deleted) context.events.record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    return deleted;
  } catch (error) {
    context.events.record(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}
