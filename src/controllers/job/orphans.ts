/** Lets go of pods whose Job is gone: nobody will count them any more. */
import type { Client } from '../../apimachinery/client.ts';
import { controllerOf } from '../../apimachinery/meta.ts';
import type { Job } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { type Controller, keyOf, type ObjectChange } from '../controller.ts';
import { removeTracking } from './finalizer.ts';
import { isTracked, JOBS } from './pods.ts';

/** The second queue of upstream's `job-controller`, that of orphan pods. */
export const jobOrphanController: Controller = {
  name: 'job-orphan-controller',
  watches: [
    { resource: 'core/pods', keys: trackedItself },
    { resource: JOBS, keys: podsOfDeleted },
  ],
  async reconcile(client, { namespace, name }): Promise<undefined> {
    const pod = await client.get<Pod>('core/pods', namespace, name);
    if (pod !== undefined && isTracked(pod) && (await isOrphan(client, pod))) await removeTracking(client, pod);
    return;
  },
};

async function isOrphan(client: Client, { metadata }: Pod): Promise<boolean> {
  const owner = controllerOf({ metadata });
  if (owner?.kind !== 'Job') return true;
  const job = await client.get<Job>(JOBS, metadata.namespace ?? '', owner.name);
  return job?.metadata.uid !== owner.uid;
}

/** Pods that come, or that lose their owner: all else changes nothing of whose they are. */
async function trackedItself(change: ObjectChange): Promise<string[]> {
  if (change.type === 'DELETED') return [];
  const pod = (await change.object()) as Pod | undefined;
  const appears = change.type === 'ADDED' || change.previous === undefined;
  const concerns = pod !== undefined && isTracked(pod) && (appears || controllerOf(pod) === undefined);
  return concerns ? [change.key] : [];
}

/** The pods that a deleted Job leaves. */
async function podsOfDeleted(change: ObjectChange, client: Client): Promise<string[]> {
  if (change.type !== 'DELETED') return [];
  const job = await change.object();
  const ownerUid = job?.metadata.uid;
  const selection = ownerUid === undefined ? {} : { ownerUid };
  const { items } = await client.list<Pod>('core/pods', { namespace: change.namespace, ...selection });
  return items.filter(isTracked).map(keyOf);
}
