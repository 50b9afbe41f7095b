/** Notices nodes that fell silent, and says so: in their conditions, their taints, and on their pods. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { type Json, now } from '../../apimachinery/meta.ts';
import type { Lease } from '../../generated/types/coordination.v1.ts';
import type { Node, NodeCondition, Pod } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself } from '../controller.ts';
import { forEachLimited, patchStatus, timeOf } from '../objects.ts';
import { podCondition } from '../pods.ts';
import { conditionStatus, wantedTaints } from './taints.ts';

/** Silence after which a node counts as unreachable (`--node-monitor-grace-period`). */
export const GRACE_MS = 50_000;
/** The same for a node that never said anything (`--node-startup-grace-period`). */
const STARTUP_GRACE_MS = 60_000;
const HEALTH = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** When the node was last heard of, in ms, and until when that is enough. */
function heartbeat(node: Node, lease: Lease | undefined): { last: number; graceMs: number; ever: boolean } {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const last = Math.max(timeOf(ready?.lastHeartbeatTime), timeOf(lease?.spec?.renewTime));
  if (last > 0) return { last, graceMs: GRACE_MS, ever: ready !== undefined };
  return { last: timeOf(node.metadata.creationTimestamp), graceMs: STARTUP_GRACE_MS, ever: false };
}

function isSilent(node: Node, lease: Lease | undefined, at: number): boolean {
  const { last, graceMs } = heartbeat(node, lease);
  return at > last + graceMs;
}

/** The conditions of a silent node: all that the kubelet reports is Unknown. */
function unknownConditions(node: Node, at: number): NodeCondition[] {
  const conditions = node.status?.conditions ?? [];
  const kept = conditions.filter(({ type }) => !HEALTH.includes(type ?? ''));
  const unknown = HEALTH.map((type): NodeCondition => {
    const before = conditions.find((condition) => condition.type === type);
    if (before === undefined) {
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now(at),
      };
    }
    if (before.status === 'Unknown') return before;
    return {
      ...before,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now(at),
    };
  });
  return [...kept, ...unknown];
}

/** When no node at all is ready, it is the network that failed, not the nodes: nothing is evicted then. */
async function someNodeIsReady(client: Client): Promise<boolean> {
  const { items } = await client.list<Node>('core/nodes');
  return items.some((node) => conditionStatus(node, 'Ready') === 'True');
}

/** Takes the pods of a node that is not ready out of Services (`MarkPodsNotReady`). */
async function markPodsNotReady(client: Client, node: Node, context: ControllerContext): Promise<void> {
  const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${node.metadata.name}` });
  const ready = items.filter((pod) => podCondition(pod, 'Ready')?.status === 'True');
  await forEachLimited(ready, 16, async (read) => {
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

/** Upstream's `node-lifecycle-controller`, whose events come from `node-controller`. */
export const nodeLifecycleController: Controller = {
  name: 'node-controller',
  watches: [{ resource: 'core/nodes', keys: itself }],
  /** Nodes that fell silent since, or are in trouble still: two lists, whatever their number. */
  async tick(client, context) {
    const [nodes, leases] = await Promise.all([
      client.list<Node>('core/nodes'),
      client.list<Lease>('coordination.k8s.io/leases', { namespace: 'kube-node-lease' }),
    ]);
    const byName = new Map(leases.items.map((lease) => [lease.metadata.name, lease]));
    const at = context.now();
    const concerns = (node: Node): boolean =>
      conditionStatus(node, 'Ready') !== 'True' || isSilent(node, byName.get(node.metadata.name), at);
    return nodes.items.filter(concerns).map((node) => node.metadata.name);
  },
  async reconcile(client, { name }, context) {
    const [read, lease] = await Promise.all([
      client.get<Node>('core/nodes', '', name),
      client.get<Lease>('coordination.k8s.io/leases', 'kube-node-lease', name),
    ]);
    if (read === undefined || read.metadata.deletionTimestamp !== undefined) return;
    const node: Node = { ...read, apiVersion: 'v1', kind: 'Node' };
    const at = context.now();
    if (isSilent(node, lease, at)) {
      const conditions = unknownConditions(node, at);
      if (await patchStatus(client, 'core/nodes', node, { ...node.status, conditions })) {
        if (conditionStatus(node, 'Ready') === 'True') {
          context.events.record(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
        }
        // The rest depends on what is written now.
        return { requeueAfterMs: 0 };
      }
    }
    const ready = conditionStatus(node, 'Ready');
    const troubled = ready === 'False' || ready === 'Unknown';
    const taints = wantedTaints(node, troubled && (await someNodeIsReady(client)), at);
    if (taints !== undefined) {
      // Taints are a list that others write too: only onto what was read.
      const { resourceVersion } = node.metadata;
      const patch = { metadata: { resourceVersion }, spec: { taints: taints as unknown as Json } };
      await client.patch('core/nodes', '', name, 'merge', patch);
    }
    if (troubled) await markPodsNotReady(client, node, context);
    return;
  },
};
