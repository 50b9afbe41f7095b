import { isReason } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import { clearNomination, tellPreempted } from '../conditions.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import { fitMessage } from '../framework/fit-error.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Diagnosis, Handle, PluginFactory, Preemption } from '../framework/plugin.ts';
import type { Candidate, PodInfo } from '../framework/pod-info.ts';
import { failed, type Status, unresolvable, unschedulable } from '../framework/status.ts';
import { moreImportant, NO_VICTIMS, pickOne, priorityOf, selectVictims } from './preemption.ts';

const PODS = 'core/pods';
const BUDGETS = 'policy/poddisruptionbudgets';
const UNHELPFUL = unresolvable('Preemption is not helpful for scheduling');

interface Args {
  minCandidateNodesPercentage?: number;
  minCandidateNodesAbsolute?: number;
}

/** DefaultPreemption: where no node takes a pod, less important ones make room. */
export const defaultPreemption: PluginFactory = (handle, args) => {
  const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = args as Args;
  const enough = (nodes: number): number =>
    Math.min(Math.max(Math.floor((nodes * minCandidateNodesPercentage) / 100), minCandidateNodesAbsolute), nodes);
  return {
    name: 'DefaultPreemption',
    // What it refused, the other plugins refused too: they know what helps.
    events: [],
    async postFilter(state, candidate, diagnosis) {
      const refusal = ineligible(handle, candidate, diagnosis);
      if (refusal !== undefined) return { status: unschedulable(`preemption: ${refusal}`) };
      const statuses = new Map<NodeInfo, Status>();
      const nodes = potential(handle, diagnosis);
      const found = await search(handle, { state, candidate, nodes, enough: enough(nodes.length), statuses });
      if (found.length === 0) {
        const fit = { nodes: handle.snapshot.all().length, statuses, absent: UNHELPFUL };
        return { node: '', status: unschedulable(`preemption: ${fitMessage(fit)}`) };
      }
      try {
        const best = pickOne(await askExtenders(handle, candidate.pod, found), handle.now());
        if (best === undefined) return { status: unschedulable('preemption: no candidate node for preemption') };
        await makeRoom(handle, candidate.pod, best);
        return { node: best.node.name };
      } catch (error) {
        return { status: failed(error) };
      }
    },
  };
};

/** Why a pod may not preempt (`PodEligibleToPreemptOthers`). */
function ineligible(
  { snapshot, nominator }: Handle,
  { pod, info }: Candidate,
  diagnosis: Diagnosis,
): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = nominator.nodeFor(info.key) ?? pod.status?.nominatedNodeName;
  const node = nominated ? snapshot.node(nominated) : undefined;
  if (node === undefined) return undefined;
  if ((diagnosis.statuses.get(node) ?? diagnosis.absent).code === 'UnschedulableAndUnresolvable') return undefined;
  for (const other of node.pods) {
    if (other.preempted && priorityOf(other) < priorityOf(info)) {
      return 'not eligible due to a terminating pod on the nominated node.';
    }
  }
  return undefined;
}

/** Nodes that refused for something that may change when pods leave. */
function potential({ snapshot }: Handle, { statuses, absent }: Diagnosis): NodeInfo[] {
  return snapshot.all().filter((node) => (statuses.get(node) ?? absent).code === 'Unschedulable');
}

interface Search {
  readonly state: CycleState;
  readonly candidate: Candidate;
  readonly nodes: readonly NodeInfo[];
  /** How many nodes to find. */
  readonly enough: number;
  /** Why the others will not do. */
  readonly statuses: Map<NodeInfo, Status>;
}

/** Nodes on which room can be made, from anywhere in the list on; those without a violated budget first (`DryRunPreemption`). */
async function search(handle: Handle, { state, candidate, nodes, enough, statuses }: Search): Promise<Preemption[]> {
  const mine = priorityOf(candidate.info);
  if (handle.snapshot.lowestPriority() >= mine) {
    for (const node of nodes) statuses.set(node, NO_VICTIMS);
    return [];
  }
  await handle.objects.ensure([BUDGETS]);
  const budgets = handle.objects.list<PodDisruptionBudget>(BUDGETS);
  const kind: Preemption[] = [];
  const violating: Preemption[] = [];
  const offset = Math.floor(Math.random() * nodes.length);
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[(offset + i) % nodes.length] as NodeInfo;
    const result = selectVictims(handle, state, candidate, node, budgets);
    if ('code' in result) statuses.set(node, result);
    else (result.violations === 0 ? kind : violating).push(result);
    if (kind.length > 0 && kind.length + violating.length >= enough) break;
  }
  return [...kind, ...violating];
}

/** What extenders leave of preemptions, one after another (`callExtenders`). Throws when one that may not be ignored does not answer. */
async function askExtenders(
  handle: Handle,
  pod: Pod,
  candidates: readonly Preemption[],
): Promise<readonly Preemption[]> {
  let found = candidates;
  for (const extender of handle.extenders) {
    if (found.length === 0) break;
    if (!extender.preempts || !extender.isInterested(pod)) continue;
    try {
      const left = await extender.preempt(pod, found, handle.client);
      const idle = left.find(({ victims }) => victims.length === 0);
      if (idle !== undefined && !extender.ignorable) {
        throw new Error(`expected at least one victim pod on node ${JSON.stringify(idle.node.name)}`);
      }
      const kept = left.filter(({ victims }) => victims.length > 0);
      const ordered = moreImportant(handle.now());
      found = kept.map((preemption) => ({ ...preemption, victims: [...preemption.victims].sort(ordered) }));
    } catch (error) {
      if (!extender.ignorable) throw error;
      console.warn('an extender that may be ignored:', String(error));
    }
  }
  return found;
}

/** Deletes the victims, each with its grace period, and takes back nominations that no longer hold (`prepareCandidate`). */
async function makeRoom(handle: Handle, pod: Pod, { node, victims }: Preemption): Promise<void> {
  const running = victims.filter(({ traits }) => !traits.terminating);
  // Room is being made already: by whoever was nominated first, perhaps.
  if (running.length === 0) return;
  await Promise.all(running.map((victim) => preempt(handle, pod, victim)));
  for (const lower of [...handle.nominator.on(node.name)]) {
    if (priorityOf(lower.info) >= (pod.spec?.priority ?? 0)) continue;
    handle.nominator.delete(lower.info.key);
    await clearNomination(handle.client, lower.pod);
  }
}

async function preempt(handle: Handle, by: Pod, { key, node }: PodInfo): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  const victim = await handle.client.get<Pod>(PODS, namespace, name);
  if (victim === undefined || victim.metadata.deletionTimestamp !== undefined) return;
  // Another pod of that name, which is elsewhere, is no victim.
  if (victim.spec?.nodeName && victim.spec.nodeName !== node) return;
  await tellPreempted(handle.client, victim, by, handle.now());
  try {
    const { uid } = victim.metadata;
    await handle.client.delete(PODS, namespace, name, { preconditions: uid === undefined ? {} : { uid } });
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
    throw error;
  }
  handle.event(victim, 'Normal', 'Preempted', `Preempted by pod ${by.metadata.uid} on node ${node}`);
}
