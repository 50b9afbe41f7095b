/** Evicts pods from nodes with NoExecute taints that they do not tolerate, or tolerate only for so long. */

import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Node, Pod, Taint } from '../../generated/types/core.v1.ts';
import { tolerates } from '../../resources/core/tolerations.ts';
import { type Controller, type ControllerContext, keyOf } from '../controller.ts';
import { forEachLimited } from '../objects.ts';
import { evict as evictPod } from './evict.ts';

/** Keys: `node#<name>` to look at a node's pods, `pod#<namespace>/<name>#<uid>` to evict one when it is still due. */
const NODE = 'node#';
const POD = 'pod#';

/** For how many ms the pod may stay: 0 not at all, Infinity for ever. Of each taint the first toleration counts, and of all these the shortest. */
export function toleratedMs(pod: Pod, taints: readonly Taint[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const matching = (pod.spec?.tolerations ?? []).find((toleration) => tolerates(toleration, taint));
    if (matching === undefined) return 0;
    const { tolerationSeconds } = matching;
    if (tolerationSeconds !== undefined) least = Math.min(least, Math.max(0, tolerationSeconds) * 1000);
  }
  return least;
}

const noExecute = (node: Node | undefined): Taint[] =>
  (node?.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');

function recordEviction(context: ControllerContext, pod: Pod, what: string): void {
  const about: Pod = { ...pod, apiVersion: 'v1', kind: 'Pod' };
  context.events.record(about, 'Normal', 'TaintManagerEviction', `${what} Pod ${keyOf(pod)}`);
}

const WHY = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };

async function evict(client: Client, pod: Pod, context: ControllerContext): Promise<void> {
  recordEviction(context, pod, 'Marking for deletion');
  await evictPod(client, pod, WHY, context.now());
}

/** Upstream's `taint-eviction-controller`. */
export const taintEvictionController: Controller = {
  name: 'taint-eviction-controller',
  watches: [
    {
      resource: 'core/nodes',
      queues: true,
      keys: async (change) => {
        const node = (await change.object()) as Node | undefined;
        const before = change.previous as Node | undefined;
        // Without a taint now and before there is nobody to evict and nothing to call off.
        if (node === undefined || (noExecute(node).length === 0 && before && noExecute(before).length === 0)) return [];
        return [`${NODE}${change.name}`];
      },
    },
    {
      resource: 'core/pods',
      keys: async (change, client) => {
        if (change.type === 'DELETED') return [];
        const pod = (await change.object()) as Pod | undefined;
        const nodeName = pod?.spec?.nodeName;
        const before = change.previous as Pod | undefined;
        if (!nodeName) return [];
        const known = before?.spec?.nodeName === nodeName;
        if (known && deepEqual(before?.spec?.tolerations, pod.spec?.tolerations)) return [];
        const node = await client.get<Node>('core/nodes', '', nodeName);
        return noExecute(node).length === 0 ? [] : [`${NODE}${nodeName}`];
      },
    },
  ],
  async reconcile(client, { key }, context) {
    if (key.startsWith(NODE)) {
      const nodeName = key.slice(NODE.length);
      const node = await client.get<Node>('core/nodes', '', nodeName);
      if (node === undefined) return;
      const taints = noExecute(node);
      const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${nodeName}` });
      await forEachLimited(items, 16, async (pod) => {
        if (pod.metadata.deletionTimestamp !== undefined) return;
        const podKey = `${POD}${keyOf(pod)}#${pod.metadata.uid}`;
        const stay = toleratedMs(pod, taints);
        if (stay === 0) await evict(client, pod, context);
        // A time that runs already goes on running.
        else if (Number.isFinite(stay)) context.schedule.after(podKey, stay);
        else if (context.schedule.cancel(podKey)) recordEviction(context, pod, 'Cancelling deletion of');
      });
      return;
    }
    const [podKey = '', uid] = key.slice(POD.length).split('#');
    const slash = podKey.indexOf('/');
    const pod = await client.get<Pod>('core/pods', podKey.slice(0, slash), podKey.slice(slash + 1));
    if (pod === undefined || pod.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return;
    const node = await client.get<Node>('core/nodes', '', pod.spec?.nodeName ?? '');
    if (Number.isFinite(toleratedMs(pod, noExecute(node)))) await evict(client, pod, context);
    return;
  },
};
