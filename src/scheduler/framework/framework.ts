/** The plugins of one profile, run at their extension points (`frameworkImpl`). */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { CycleState } from './cycle-state.ts';
import { intersection } from './intersection.ts';
import { cloneNode, addPod as countIn, type NodeInfo } from './node-info.ts';
import type { Diagnosis, Handle, Plugin, PluginFactory, PostFilterResult, Queued } from './plugin.ts';
import type { Candidate, PodInfo } from './pod-info.ts';
import { isRejection, messageOf, type Status } from './status.ts';

/** What a profile says of one plugin. */
export interface Enabled {
  readonly name: string;
  readonly factory: PluginFactory;
  readonly weight: number;
  readonly args: Readonly<Record<string, unknown>>;
  /** Extension points that it does not take part in, by the names of {@link Plugin}'s methods. */
  readonly off: ReadonlySet<string>;
}

export type PreFiltered =
  | { readonly status: Status; readonly nodes?: undefined; readonly by?: undefined }
  | { readonly nodes: ReadonlySet<string>; readonly by: readonly string[]; readonly status?: undefined }
  | undefined;

type Has<K extends keyof Plugin> = Plugin & Required<Pick<Plugin, K>>;

interface Scorer {
  readonly plugin: Has<'score'>;
  readonly weight: number;
}

export class Framework {
  /** The scheduler's name that pods ask for. */
  readonly name: string;
  readonly plugins: readonly Plugin[];
  /** Of all feasible nodes, how many to look for, in percent; 0: upstream's adaptive number. */
  readonly percentage: number;
  private readonly off = new Map<Plugin, ReadonlySet<string>>();
  private readonly handle: Handle;
  /** Of the cycle that asked last. */
  private filtering: { readonly state: CycleState; readonly filters: readonly Has<'filter'>[] } | undefined;
  private readonly preFilters: readonly Has<'preFilter'>[];
  private readonly filters: readonly Has<'filter'>[];
  private readonly adders: readonly Has<'addPod'>[];
  private readonly removers: readonly Has<'removePod'>[];
  private readonly preScorers: readonly Has<'preScore'>[];
  private readonly scorers: readonly Scorer[];
  private readonly postBinders: readonly Has<'postBind'>[];
  private readonly binders: readonly Has<'bind'>[];
  private readonly preBinders: readonly Has<'preBind'>[];
  private readonly permitters: readonly Has<'permit'>[];
  private readonly unreservers: readonly Has<'unreserve'>[];
  private readonly reservers: readonly Has<'reserve'>[];
  private readonly postFilters: readonly Has<'postFilter'>[];
  private readonly gates: readonly Has<'preEnqueue'>[];
  private readonly sorters: readonly Has<'compare'>[];

  constructor(
    name: string,
    enabled: readonly Enabled[],
    shared: Omit<Handle, 'filter' | 'addPod' | 'removePod'>,
    percentage = 0,
  ) {
    this.name = name;
    this.percentage = percentage;
    this.handle = {
      ...shared,
      now: () => shared.now(),
      bind: (pod, node) => shared.bind(pod, node),
      event: (...about) => shared.event(...about),
      filter: (state, candidate, node) => this.filterNominated(state, candidate, node),
      addPod: (state, candidate, other, node) => this.addPod(state, candidate, other, node),
      removePod: (state, candidate, other, node) => this.removePod(state, candidate, other, node),
    };
    const weights = new Map<Plugin, number>();
    this.plugins = enabled.map(({ factory, args, weight, off }) => {
      const plugin = factory(this.handle, args);
      weights.set(plugin, weight);
      this.off.set(plugin, off);
      return plugin;
    });
    this.preFilters = this.with('preFilter');
    this.filters = this.with('filter');
    this.adders = this.with('addPod');
    this.removers = this.with('removePod');
    this.preScorers = this.with('preScore');
    this.sorters = this.with('compare');
    this.gates = this.with('preEnqueue');
    this.postFilters = this.with('postFilter');
    this.reservers = this.with('reserve');
    this.unreservers = this.with('unreserve');
    this.permitters = this.with('permit');
    this.preBinders = this.with('preBind');
    this.binders = this.with('bind');
    this.postBinders = this.with('postBind');
    this.scorers = this.with('score').map((plugin) => ({ plugin, weight: weights.get(plugin) ?? 1 }));
  }

  /** The plugins that take part in an extension point. */
  private with<K extends keyof Plugin>(point: K): readonly Has<K>[] {
    const takesPart = (plugin: Plugin): plugin is Has<K> =>
      plugin[point] !== undefined && !this.off.get(plugin)?.has(point);
    return this.plugins.filter(takesPart);
  }

  /** Resources that have to be in memory before this pod's cycle. */
  needs(pod: Pod): ResourceId[] {
    return this.plugins.flatMap((plugin) => plugin.needs?.(pod) ?? []);
  }

  /** The order of the queue. */
  compare(a: Queued, b: Queued): number {
    return this.sorters[0]?.compare(a, b) ?? a.since - b.since;
  }

  /** Why a pod may not even be tried. */
  preEnqueue(pod: Pod): Status | undefined {
    for (const plugin of this.gates) {
      const status = plugin.preEnqueue(pod);
      if (status !== undefined) return { ...status, plugin: plugin.name };
    }
    return undefined;
  }

  /** PreFilter of all plugins: a refusal of every node, the only nodes to look at, or nothing. */
  preFilter(state: CycleState, candidate: Candidate): PreFiltered {
    let nodes: ReadonlySet<string> | undefined;
    const by: string[] = [];
    let refused: Status | undefined;
    for (const plugin of this.preFilters) {
      const result = plugin.preFilter(state, candidate);
      if (result === undefined) continue;
      if (result === 'skip') {
        state.skipFilter.add(plugin.name);
      } else if ('code' in result) {
        const status = { ...result, plugin: plugin.name };
        // Where preemption may help, what the other plugins prepare is needed for it.
        if (result.code !== 'Unschedulable')
          return { status: isRejection(status) ? status : inPlugin('PreFilter', status) };
        refused = status;
      } else {
        nodes = nodes === undefined ? result.nodes : intersection(nodes, result.nodes);
        by.push(plugin.name);
        if (nodes.size === 0) return { status: nowhere(by) };
      }
    }
    if (refused !== undefined) return { status: refused };
    return nodes === undefined ? undefined : { nodes, by: by.sort() };
  }

  /** Filter of all plugins: the first refusal. */
  filter(state: CycleState, candidate: Candidate, node: NodeInfo): Status | undefined {
    for (const plugin of this.filtersFor(state)) {
      const status = plugin.filter(state, candidate, node);
      if (status !== undefined) return status.plugin === undefined ? { ...status, plugin: plugin.name } : status;
    }
    return undefined;
  }

  /** The filters that do not skip this pod; asked for every node, worked out once. */
  private filtersFor(state: CycleState): readonly Has<'filter'>[] {
    if (this.filtering?.state !== state) {
      this.filtering = { state, filters: this.filters.filter(({ name }) => !state.skipFilter.has(name)) };
    }
    return this.filtering.filters;
  }

  /**
   * {@link filter} as if pods that are nominated to the node, and no less important, were on it; and without them too, since they may
   * never come (`RunFilterPluginsWithNominatedPods`).
   */
  filterNominated(state: CycleState, candidate: Candidate, node: NodeInfo): Status | undefined {
    const others: PodInfo[] = [];
    if (this.handle.nominator.size > 0) {
      for (const { info } of this.handle.nominator.on(node.name)) {
        if (info.key !== candidate.info.key && info.ask.priority >= candidate.info.ask.priority) others.push(info);
      }
    }
    if (others.length > 0) {
      const full = cloneNode(node);
      const trial = state.clone();
      for (const other of others) {
        countIn(full, other);
        this.addPod(trial, candidate, other, full);
      }
      const status = this.filter(trial, candidate, full);
      if (status !== undefined) return status;
    }
    return this.filter(state, candidate, node);
  }

  private addPod(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void {
    for (const plugin of this.adders) {
      if (!state.skipFilter.has(plugin.name)) plugin.addPod(state, candidate, other, node);
    }
  }

  private removePod(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void {
    for (const plugin of this.removers) {
      if (!state.skipFilter.has(plugin.name)) plugin.removePod(state, candidate, other, node);
    }
  }

  /** PostFilter of all plugins until one can help; the reasons of those that cannot, together. */
  async postFilter(state: CycleState, candidate: Candidate, diagnosis: Diagnosis): Promise<PostFilterResult> {
    const reasons: string[] = [];
    let node: string | undefined;
    for (const plugin of this.postFilters) {
      const result = await plugin.postFilter(state, candidate, diagnosis);
      const { status } = result;
      if (status === undefined || status.code === 'UnschedulableAndUnresolvable' || !isRejection(status)) return result;
      node ??= result.node;
      reasons.push(...status.reasons);
    }
    if (reasons.length === 0) return {};
    const status: Status = { code: 'Unschedulable', reasons };
    return node === undefined ? { status } : { node, status };
  }

  /** The weighted scores of nodes, in their order; or a plugin's fault. */
  score(state: CycleState, candidate: Candidate, nodes: readonly NodeInfo[]): Float64Array | Status {
    for (const plugin of this.preScorers) {
      const result = plugin.preScore(state, candidate, nodes);
      if (result === 'skip') state.skipScore.add(plugin.name);
      else if (result !== undefined) return inPlugin('PreScore', { ...result, plugin: plugin.name });
    }
    const totals = new Float64Array(nodes.length);
    const scores = new Array<number>(nodes.length);
    for (const { plugin, weight } of this.scorers) {
      if (state.skipScore.has(plugin.name)) continue;
      for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, candidate, nodes[i] as NodeInfo);
      plugin.normalizeScores?.(state, candidate, scores, nodes);
      for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] as number) + (scores[i] as number) * weight;
    }
    return totals;
  }

  /** Reserve of all plugins; the first refusal takes everything back. */
  reserve(state: CycleState, candidate: Candidate, node: string): Status | undefined {
    for (const plugin of this.reservers) {
      const status = plugin.reserve(state, candidate, node);
      if (status === undefined) continue;
      this.unreserve(state, candidate, node);
      return { ...status, plugin: plugin.name };
    }
    return undefined;
  }

  /** Unreserve of all plugins, the last first. */
  unreserve(state: CycleState, candidate: Candidate, node: string): void {
    for (const plugin of this.unreservers.toReversed()) plugin.unreserve(state, candidate, node);
  }

  /** Permit of all plugins: the first refusal, or else `Wait` when one waits. */
  permit(state: CycleState, candidate: Candidate, node: string): Status | undefined {
    let waits: Status | undefined;
    for (const plugin of this.permitters) {
      const status = plugin.permit(state, candidate, node);
      if (status === undefined) continue;
      if (status.code !== 'Wait') return { ...status, plugin: plugin.name };
      waits = { ...status, plugin: plugin.name };
    }
    return waits;
  }

  /** PreBind and Bind. `Wait` from PreBind: to be called again at the next change. */
  async bind(state: CycleState, candidate: Candidate, node: string): Promise<Status | undefined> {
    for (const plugin of this.preBinders) {
      const status = await plugin.preBind(state, candidate, node);
      if (status !== undefined) return { ...status, plugin: plugin.name };
    }
    for (const plugin of this.binders) {
      const status = await plugin.bind(state, candidate, node);
      if (status !== 'skip') return status === undefined ? undefined : { ...status, plugin: plugin.name };
    }
    return { code: 'Error', reasons: ['no bind plugin bound the pod'] };
  }

  postBind(state: CycleState, candidate: Candidate, node: string): void {
    for (const plugin of this.postBinders) plugin.postBind(state, candidate, node);
  }
}

function nowhere(by: readonly string[]): Status {
  const [first = '', ...others] = by;
  const plugins = others.length === 0 ? `plugin ${first}` : `plugin(s) [${[...by].sort().join(' ')}] simultaneously`;
  return { code: 'UnschedulableAndUnresolvable', reasons: [`node(s) didn't satisfy ${plugins}`], plugin: first };
}

function inPlugin(point: string, status: Status): Status {
  return { ...status, reasons: [`running ${point} plugin "${status.plugin}": ${messageOf(status)}`] };
}
