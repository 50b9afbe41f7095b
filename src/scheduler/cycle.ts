/** One pod's scheduling cycle: filter, score, choose; or why no node will do (`schedulePod`). */
import type { Client } from '../apimachinery/client.ts';
import type { Extender } from './extender.ts';
import { CycleState } from './framework/cycle-state.ts';
import type { FitError } from './framework/fit-error.ts';
import type { Framework } from './framework/framework.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { Nominator } from './framework/nominator.ts';
import type { Snapshot } from './framework/plugin.ts';
import type { Candidate } from './framework/pod-info.ts';
import { failed, type Status } from './framework/status.ts';

/** The node, or why there is none: what no node can give, or a fault (also when there is no node at all). */
export type Verdict = { state: CycleState } & ({ node: NodeInfo } | { fit: FitError } | { error: Status });

/** Upstream looks for no fewer feasible nodes than this, however many there are. */
const MIN_FEASIBLE = 100;
const NOT_TRIED: Status = { code: 'UnschedulableAndUnresolvable', reasons: [] };

/** Runs cycles over a set of nodes, beginning each where the last one stopped looking. */
export class Cycle {
  private readonly snapshot: Snapshot;
  private readonly nominator: Nominator;
  private readonly client: Client;
  private readonly extenders: readonly Extender[];
  private start = 0;

  constructor(snapshot: Snapshot, nominator: Nominator, client: Client, extenders: readonly Extender[] = []) {
    this.snapshot = snapshot;
    this.nominator = nominator;
    this.client = client;
    this.extenders = extenders;
  }

  /** The verdict; a promise of it only where an extender has a say. */
  schedule(framework: Framework, candidate: Candidate): Verdict | Promise<Verdict> {
    const state = new CycleState();
    const all = this.snapshot.all();
    if (all.length === 0) return { state, error: { code: 'Error', reasons: ['no nodes available to schedule pods'] } };
    const pre = framework.preFilter(state, candidate);
    if (pre?.status?.code === 'Error') return { state, error: pre.status };
    if (pre?.status !== undefined) return { state, fit: refusedByAll(pre.status, all.length) };
    const only = pre?.nodes === undefined ? undefined : this.named(pre.nodes);
    const absent: Status =
      pre?.by === undefined
        ? NOT_TRIED
        : { ...NOT_TRIED, reasons: [`node(s) didn't satisfy plugin(s) [${pre.by.join(' ')}]`] };
    const statuses = new Map<NodeInfo, Status>();
    const nominated = this.nominated(framework, state, candidate, only);
    const feasible = nominated ?? this.feasible(framework, state, candidate, only ?? all, statuses);
    if (!Array.isArray(feasible)) return { state, error: feasible };
    const found: Found = { state, feasible, statuses, absent, by: pre?.by ?? [], nodes: all.length };
    const asked = this.extenders.filter((extender) => extender.isInterested(candidate.pod));
    return asked.length === 0 ? decide(framework, candidate, found) : this.ask(asked, framework, candidate, found);
  }

  /** {@link decide} with what extenders leave of the nodes, and with their scores. */
  private async ask(
    extenders: readonly Extender[],
    framework: Framework,
    candidate: Candidate,
    found: Found,
  ): Promise<Verdict> {
    let { feasible } = found;
    for (const extender of extenders) {
      if (feasible.length === 0) break;
      try {
        feasible = await extender.filter(candidate.pod, feasible, this.client, found.statuses);
      } catch (error) {
        if (!extender.ignorable) return { state: found.state, error: failed(error) };
      }
    }
    const extra = new Float64Array(feasible.length);
    if (feasible.length > 1) {
      await Promise.all(extenders.map((extender) => extender.prioritize(candidate.pod, feasible, this.client, extra)));
    }
    return decide(framework, candidate, { ...found, feasible }, extra);
  }

  private named(names: ReadonlySet<string>): NodeInfo[] {
    return [...names].map((name) => this.snapshot.node(name)).filter((node) => node !== undefined);
  }

  /** A pod for which room was made goes there when it can, whatever else there is. */
  private nominated(
    framework: Framework,
    state: CycleState,
    candidate: Candidate,
    only: readonly NodeInfo[] | undefined,
  ): NodeInfo[] | undefined {
    const name = this.nominator.nodeFor(candidate.info.key);
    const node = name ? this.snapshot.node(name) : undefined;
    if (node === undefined || (only !== undefined && !only.includes(node))) return undefined;
    return framework.filterNominated(state, candidate, node) === undefined ? [node] : undefined;
  }

  private feasible(
    framework: Framework,
    state: CycleState,
    candidate: Candidate,
    nodes: readonly NodeInfo[],
    statuses: Map<NodeInfo, Status>,
  ): NodeInfo[] | Status {
    const wanted = feasibleNodesToFind(nodes.length, framework.percentage);
    const found: NodeInfo[] = [];
    const start = this.start % Math.max(nodes.length, 1);
    let looked = 0;
    for (; looked < nodes.length && found.length < wanted; looked++) {
      const node = nodes[(start + looked) % nodes.length] as NodeInfo;
      const status = framework.filterNominated(state, candidate, node);
      if (status === undefined) found.push(node);
      else if (status.code === 'Error') return status;
      else statuses.set(node, status);
    }
    this.start = nodes.length === 0 ? 0 : (start + looked) % nodes.length;
    return found;
  }
}

/** What filters have left. */
interface Found {
  readonly state: CycleState;
  readonly feasible: readonly NodeInfo[];
  readonly statuses: Map<NodeInfo, Status>;
  readonly absent: Status;
  /** Plugins that named the only nodes to look at. */
  readonly by: readonly string[];
  readonly nodes: number;
}

/** The best of the nodes that are left; `extra`: scores that do not come from plugins. */
function decide(framework: Framework, candidate: Candidate, found: Found, extra?: Float64Array): Verdict {
  const { state, feasible, statuses, absent, by, nodes } = found;
  if (feasible.length === 0) {
    const plugins = new Set(by);
    for (const { plugin } of statuses.values()) if (plugin !== undefined) plugins.add(plugin);
    return { state, fit: { nodes, statuses, absent, plugins } };
  }
  if (feasible.length === 1) return { state, node: feasible[0] as NodeInfo };
  const scores = framework.score(state, candidate, feasible);
  if ('code' in scores) return { state, error: scores };
  if (extra !== undefined)
    for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] as number) + (extra[i] as number);
  return { state, node: best(feasible, scores) };
}

function refusedByAll(status: Status, nodes: number): FitError {
  const plugins = new Set(status.plugin === undefined ? [] : [status.plugin]);
  return { nodes, statuses: new Map(), absent: status, preFilter: status, plugins };
}

/** Any of the best will do; always the first would crowd it. */
function best(nodes: readonly NodeInfo[], scores: Float64Array): NodeInfo {
  let most = Number.NEGATIVE_INFINITY;
  let ties = 0;
  let chosen = nodes[0] as NodeInfo;
  for (let i = 0; i < nodes.length; i++) {
    const score = scores[i] as number;
    if (score < most) continue;
    ties = score > most ? 1 : ties + 1;
    most = score;
    if (Math.random() * ties < 1) chosen = nodes[i] as NodeInfo;
  }
  return chosen;
}

/** How many feasible nodes are enough (`numFeasibleNodesToFind`); `percentage` 0: upstream's adaptive one. */
function feasibleNodesToFind(nodes: number, percentage = 0): number {
  if (nodes < MIN_FEASIBLE) return nodes;
  const wanted = percentage === 0 ? Math.max(50 - Math.floor(nodes / 125), 5) : percentage;
  return Math.max(Math.floor((nodes * wanted) / 100), MIN_FEASIBLE);
}
