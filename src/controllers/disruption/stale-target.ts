/** Takes back the condition DisruptionTarget of pods that were meant to go, and have not. */

import { now } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';
import { timeOf } from '../objects.ts';
import { isPodTerminal, podCondition } from '../pods.ts';

/** How long such a pod is waited for (`stalePodDisruptionTimeout`). */
const STALE_MS = 120_000;

/** When the condition was set; undefined where it is not to be taken back: a kubelet that ends pods takes its own time. */
function targetedAt(pod: Pod): number | undefined {
  const condition = podCondition(pod, 'DisruptionTarget');
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined;
  if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return undefined;
  return timeOf(condition.lastTransitionTime);
}

/** The part of upstream's `disruption-controller` that looks at pods. */
export const staleDisruptionController: Controller = {
  name: 'stale-pod-disruption-controller',
  watches: [
    {
      resource: 'core/pods',
      async keys({ type, key, object }) {
        if (type === 'DELETED') return [];
        const pod = await object();
        return pod !== undefined && targetedAt(pod as Pod) !== undefined ? [key] : [];
      },
    },
  ],
  async reconcile(client, ref, context) {
    const pod = await client.get<Pod>('core/pods', ref.namespace, ref.name);
    const since = pod === undefined ? undefined : targetedAt(pod);
    if (pod === undefined || since === undefined) return;
    const wait = since + STALE_MS - context.now();
    if (wait > 0) return { requeueAfterMs: wait };
    const conditions = pod.status?.conditions?.map((condition) =>
      condition.type === 'DisruptionTarget'
        ? { type: condition.type, status: 'False', lastTransitionTime: now(context.now()) }
        : condition,
    );
    await client.update('core/pods', { ...pod, status: { ...pod.status, conditions } } as Pod, 'status');
    return;
  },
};
