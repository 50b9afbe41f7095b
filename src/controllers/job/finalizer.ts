/** Takes the finalizer off pods that are counted, or never will be. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { isTracked, TRACKING } from './pods.ts';

/** Of a kubelet that writes the pod's status at the same time. */
const TRIES = 4;

/** Removes the finalizer of a pod that may be gone already. Throws when it could not be removed. */
export async function removeTracking(client: Client, pod: Pod): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  let current: Pod | undefined = pod;
  for (let tries = 1; current !== undefined && current.metadata.uid === uid && isTracked(current); tries++) {
    const finalizers = (current.metadata.finalizers ?? []).filter((other) => other !== TRACKING);
    const { resourceVersion = '' } = current.metadata;
    try {
      await client.patch('core/pods', namespace, name, 'merge', { metadata: { resourceVersion, finalizers } });
      return;
    } catch (error) {
      if (isReason(error, 'NotFound')) return;
      if (!isReason(error, 'Conflict') || tries === TRIES) throw error;
    }
    current = await client.get<Pod>('core/pods', namespace, name);
  }
}
