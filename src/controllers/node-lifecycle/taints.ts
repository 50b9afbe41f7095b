/** Which taints a node's conditions ask for. Pure. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Node, Taint } from '../../generated/types/core.v1.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const PRESSURES: readonly [condition: string, taint: string][] = [
  ['MemoryPressure', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'node.kubernetes.io/network-unavailable'],
];
const MANAGED = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...PRESSURES.map(([, taint]) => taint)]);

/** The status of a condition of the node. */
export const conditionStatus = (node: Node, type: string): string | undefined =>
  findCondition(node.status?.conditions, type)?.status;

/** Whether the node is not ready, or nobody knows. A node that has yet to say is not in trouble. */
export function isTroubled(node: Node): boolean {
  const ready = conditionStatus(node, 'Ready');
  return ready === 'False' || ready === 'Unknown';
}

/** The taint that evicts the pods of a node in trouble, if it has it. */
export const evictionTaint = (node: Node): Taint | undefined =>
  node.spec?.taints?.find(({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE));

/** The taints that the node should have, those of others untouched; undefined when it has them. `evict`: NoExecute ones too. */
export function wantedTaints(node: Node, evict: boolean, at: number): Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const wanted: Pick<Taint, 'key' | 'effect'>[] = [];
  const ready = conditionStatus(node, 'Ready');
  const unready = ready === 'False' ? NOT_READY : ready === 'Unknown' ? UNREACHABLE : undefined;
  if (unready !== undefined) wanted.push({ key: unready, effect: 'NoSchedule' });
  for (const [condition, key] of PRESSURES) {
    if (conditionStatus(node, condition) === 'True') wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  if (unready !== undefined && evict) wanted.push({ key: unready, effect: 'NoExecute' });

  const isManaged = ({ key = '', effect }: Taint): boolean =>
    effect === 'NoExecute' ? key === NOT_READY || key === UNREACHABLE : effect === 'NoSchedule' && MANAGED.has(key);
  const others = current.filter((taint) => !isManaged(taint));
  const managed = wanted.map(({ key, effect }): Taint => {
    const same = current.find((taint) => taint.key === key && taint.effect === effect);
    return same ?? { key, effect, timeAdded: now(at) };
  });
  const all = [...others, ...managed];
  const inOrder = (taints: Taint[]): Taint[] =>
    [...taints].sort((a, b) => (`${a.key} ${a.effect}` < `${b.key} ${b.effect}` ? -1 : 1));
  return deepEqual(inOrder(all), inOrder(current)) ? undefined : all;
}
