/** When a node was last heard of, and what its conditions say when that is too long ago. Pure. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Lease } from '../../generated/types/coordination.v1.ts';
import type { Node, NodeCondition } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';

/** Silence after which a node counts as unreachable (`--node-monitor-grace-period`). */
const GRACE_MS = 50_000;
/** The same for a node that never said anything (`--node-startup-grace-period`). */
const STARTUP_GRACE_MS = 60_000;
/** What the kubelet reports: unknown when it is silent. */
const HEALTH = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** When the node was last heard of, in ms since the epoch; 0: never. */
export function lastHeard(node: Node, lease: Lease | undefined): number {
  const ready = findCondition(node.status?.conditions, 'Ready');
  return Math.max(timeOf(ready?.lastHeartbeatTime), timeOf(lease?.spec?.renewTime));
}

/** Whether the node has been silent for longer than it may. */
export function isSilent(node: Node, lease: Lease | undefined, at: number): boolean {
  const last = lastHeard(node, lease);
  return last > 0 ? at > last + GRACE_MS : at > timeOf(node.metadata.creationTimestamp) + STARTUP_GRACE_MS;
}

/** The conditions of a silent node: all that the kubelet reports is Unknown. */
export function unknownConditions(node: Node, at: number): NodeCondition[] {
  const conditions = node.status?.conditions ?? [];
  const kept = conditions.filter(({ type }) => !HEALTH.includes(type ?? ''));
  const unknown = HEALTH.map((type): NodeCondition => {
    const before = findCondition(conditions, type);
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
