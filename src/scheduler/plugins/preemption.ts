/** Whom to preempt: the fewest and least important on a node, and the node where that hurts the least. */
import { selects, selectsEverything } from '../../apimachinery/labels.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import { addPod, cloneNode, type NodeInfo, removePod } from '../framework/node-info.ts';
import type { Handle, Preemption } from '../framework/plugin.ts';
import type { Candidate, PodInfo } from '../framework/pod-info.ts';
import { type Status, unresolvable } from '../framework/status.ts';

/** Makes priorities of all pods positive, so that few pods of a negative one do not lose against many. */
const OFFSET = 2 ** 31;
/** There is nobody less important on the node. */
export const NO_VICTIMS = unresolvable('No preemption victims found for incoming pod');

/** A pod's priority. */
export const priorityOf = ({ ask }: PodInfo): number => ask.priority;

/** The fewest pods of a node without which the incoming one fits, or why it never does (`SelectVictimsOnNode`). */
export function selectVictims(
  handle: Handle,
  cycle: CycleState,
  candidate: Candidate,
  original: NodeInfo,
  budgets: readonly PodDisruptionBudget[],
): Preemption | Status {
  const lower = [...original.pods].filter((pod) => priorityOf(pod) < priorityOf(candidate.info));
  if (lower.length === 0) return NO_VICTIMS;
  const node = cloneNode(original);
  const state = cycle.clone();
  const leave = (pod: PodInfo): void => {
    removePod(node, pod);
    handle.removePod(state, candidate, pod, node);
  };
  const comeBack = (pod: PodInfo): void => {
    addPod(node, pod);
    handle.addPod(state, candidate, pod, node);
  };
  for (const pod of lower) leave(pod);
  const status = handle.filter(state, candidate, node);
  if (status !== undefined) return status;

  const [violating, others] = byBudgets(lower.sort(moreImportant(handle.now())), budgets);
  const victims: PodInfo[] = [];
  /** Whether the pod may stay after all. */
  const reprieved = (pod: PodInfo): boolean => {
    comeBack(pod);
    if (handle.filter(state, candidate, node) === undefined) return true;
    leave(pod);
    victims.push(pod);
    return false;
  };
  const violations = violating.filter((pod) => !reprieved(pod)).length;
  for (const pod of others) reprieved(pod);
  if (victims.length === 0)
    return { code: 'Error', reasons: [`expected at least one victim pod on node "${node.name}"`] };
  return { node: original, victims: victims.sort(moreImportant(handle.now())), violations };
}

/** The higher priority first, then the one that runs for longer (`MoreImportantPod`). */
export const moreImportant =
  (now: number) =>
  (a: PodInfo, b: PodInfo): number =>
    priorityOf(b) - priorityOf(a) || (a.startTime || now) - (b.startTime || now);

/** Pods whose eviction their budgets do not allow, and the others; both in the order given (`filterPodsWithPDBViolation`). */
function byBudgets(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): [violating: PodInfo[], others: PodInfo[]] {
  const left = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const [i, budget] of budgets.entries()) {
      if (!protects(budget, pod)) continue;
      left[i] = (left[i] as number) - 1;
      if ((left[i] as number) < 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return [violating, others];
}

/** A pod that was evicted already, as the API server noted, does not count twice. */
function protects({ metadata, spec, status }: PodDisruptionBudget, { key, traits }: PodInfo): boolean {
  if (metadata.namespace !== traits.namespace || Object.keys(traits.labels).length === 0) return false;
  if (selectsEverything(spec?.selector) || !selects(spec?.selector, traits.labels)) return false;
  return !Object.hasOwn(status?.disruptedPods ?? {}, key.slice(key.indexOf('/') + 1));
}

/** The preemption that hurts the least, by upstream's criteria one after another (`pickOneNodeForPreemption`). */
export function pickOne(found: readonly Preemption[], now: number): Preemption | undefined {
  const criteria: readonly ((preemption: Preemption) => number)[] = [
    ({ violations }) => violations,
    ({ victims }) => Math.max(...victims.map(priorityOf)),
    ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim) + OFFSET, 0),
    ({ victims }) => victims.length,
    ({ victims }) => -earliestStart(victims, now),
  ];
  let left = found;
  for (const criterion of criteria) {
    if (left.length <= 1) break;
    const costs = left.map(criterion);
    const least = costs.reduce((a, b) => Math.min(a, b));
    left = left.filter((_, i) => costs[i] === least);
  }
  return left[0];
}

/** When the first of the most important victims was started. */
function earliestStart(victims: readonly PodInfo[], now: number): number {
  const highest = Math.max(...victims.map(priorityOf));
  const starts = victims.filter((victim) => priorityOf(victim) === highest).map(({ startTime }) => startTime || now);
  return Math.min(...starts);
}
