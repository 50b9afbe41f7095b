/** Deletes Jobs when they have been finished for as long as `ttlSecondsAfterFinished` says. */
import type { Job } from '../../generated/types/batch.v1.ts';
import { type Controller, itself } from '../controller.ts';
import { holding } from '../job/conditions.ts';
import { JOBS } from '../job/pods.ts';
import { deleteIfPresent, timeOf } from '../objects.ts';

/** When the Job may go, in ms since the epoch; undefined while it has not finished, or may stay. */
export function expiresAt(job: Job): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const finished = holding(job, 'Complete') ?? holding(job, 'Failed');
  if (ttl === undefined || finished?.lastTransitionTime === undefined) return undefined;
  return timeOf(finished.lastTransitionTime) + ttl * 1000;
}

/** Upstream's `ttl-after-finished-controller`. */
export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  watches: [{ resource: JOBS, keys: itself }],
  async reconcile(client, { namespace, name }, context) {
    const job = await client.get<Job>(JOBS, namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const expiry = expiresAt(job);
    if (expiry === undefined) return;
    const left = expiry - context.now();
    if (left > 0) return { requeueAfterMs: left };
    await deleteIfPresent(client, JOBS, job, { propagationPolicy: 'Foreground' });
    return;
  },
};
