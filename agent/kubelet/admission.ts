/** Whether this node takes a pod that was given to it. */
import { hostPorts, hostPortsClash } from '../../src/apimachinery/host-ports.ts';
import type { Node, Pod } from '../../src/generated/types/core.v1.ts';
import { matchesPod } from '../../src/resources/core/node-selector.ts';
import { toleratesAll } from '../../src/resources/core/tolerations.ts';
import type { Allocatable } from './field-ref.ts';
import { isTerminalPhase } from './pod.ts';
import { podRequest } from './resources.ts';

export interface Refusal {
  reason: string;
  message: string;
}

const OTHER_NODE = "node(s) didn't match Pod's node affinity/selector";

/** Events and messages count cores in thousandths. */
const COUNTED = [
  ['cpu', 1000],
  ['memory', 1],
] as const;

/** As {@link admit}, for a pod that runs here and asks for other resources: `Infeasible` where even an empty node has not enough. */
export function admitResize(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Allocatable,
  node: Node | undefined,
): Refusal | undefined {
  for (const [name, scale] of COUNTED) {
    const requested = Math.round(podRequest(pod, name) * scale);
    const capacity = Math.round((allocatable[name] ?? Number.POSITIVE_INFINITY) * scale);
    if (requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: 'Infeasible', message };
  }
  return admit(pod, others, allocatable, node);
}

/** Undefined when the pod may run beside `others`. */
export function admit(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Allocatable,
  node: Node | undefined,
): Refusal | undefined {
  const active = others.filter((other) => !isTerminalPhase(other) && other.metadata.uid !== pod.metadata.uid);
  const refuse = (name: string, requested: number, used: number, capacity: number): Refusal => ({
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  });
  const pods = allocatable['pods'] ?? Number.POSITIVE_INFINITY;
  if (active.length + 1 > pods) return refuse('pods', 1, active.length, pods);
  for (const [name, scale] of COUNTED) {
    const count = (value: number): number => Math.round(value * scale);
    const requested = count(podRequest(pod, name));
    const used = active.reduce((sum, other) => sum + count(podRequest(other, name)), 0);
    const capacity = count(allocatable[name] ?? Number.POSITIVE_INFINITY);
    if (requested > 0 && requested + used > capacity) return refuse(name, requested, used, capacity);
  }
  if (node !== undefined && !matchesPod(pod.spec, node.metadata)) return failed('NodeAffinity', OTHER_NODE);
  if (hostPortsClash(hostPorts(pod), new Set(active.flatMap(hostPorts)))) {
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  }
  // Other taints are for the scheduler to mind.
  const taints = (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
  if (toleratesAll(taints, pod.spec?.tolerations)) return undefined;
  return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
}

/** As {@link admit}, for a pod that may have come before what its node has become: the node is read anew before the pod is sent away. */
export async function admitOnNewest(
  pod: Pod,
  others: () => readonly Pod[],
  allocatable: Allocatable,
  node: { readonly node: Node | undefined; refresh(): Promise<Node | undefined> },
): Promise<Refusal | undefined> {
  const refusal = admit(pod, others(), allocatable, node.node);
  if (refusal?.reason !== 'NodeAffinity') return refusal;
  const newest = await node.refresh();
  return admit(pod, others(), allocatable, newest);
}

const failed = (predicate: string, message: string): Refusal => ({
  reason: predicate,
  message: `Predicate ${predicate} failed: ${message}`,
});
