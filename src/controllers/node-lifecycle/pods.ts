/** What becomes of the pods of a node that is not ready. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { forEachLimited, patchStatus } from '../objects.ts';
import { isPodReady } from '../pods.ts';

/** Takes the pods of a node that is not ready out of Services (`MarkPodsNotReady`). */
export async function markPodsNotReady(client: Client, node: Node, context: ControllerContext): Promise<void> {
  const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${node.metadata.name}` });
  await forEachLimited(items.filter(isPodReady), 16, async (read) => {
    const pod: Pod = { ...read, apiVersion: 'v1', kind: 'Pod' };
    const conditions = (pod.status?.conditions ?? []).map((condition) =>
      condition.type === 'Ready'
        ? { ...condition, status: 'False', lastTransitionTime: now(context.now()) }
        : condition,
    );
    try {
      await patchStatus(client, 'core/pods', pod, { ...pod.status, conditions });
      context.events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
  });
}
