/**
 * The scheduling framework's extension points (`framework.Plugin` and its extensions). Everything up to Reserve is synchronous: what a
 * plugin reads is in memory by then (see {@link Plugin.needs}).
 */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import type { Status as ApiStatus, KubeObject } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { EventHint } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { NodeInfo } from './node-info.ts';
import type { Nominator } from './nominator.ts';
import type { PodGroup } from './pod-group.ts';
import type { Candidate, PodInfo, PodTraits } from './pod-info.ts';
import type { Status } from './status.ts';

export const MAX_SCORE = 100;

/** A pod in the queue, as PrioritySort compares it. */
export interface Queued {
  readonly pod: Pod;
  readonly priority: number;
  /** When it was put into the queue, in ms since the epoch. */
  readonly since: number;
}

/** `skip`: nothing to do for this pod, Filter need not be called. `nodes`: names of the only nodes to look at. */
export type PreFilterResult = 'skip' | Status | { readonly nodes: ReadonlySet<string> } | undefined;

/** `node`: the node nominated, empty to take a nomination back, undefined to leave it. No status: the pod can be helped. */
export interface PostFilterResult {
  readonly node?: string;
  readonly status?: Status;
}

/** The nodes that refused a pod, with their reasons; a node that is absent was not looked at, and `absent` holds for it. */
export interface Diagnosis {
  readonly statuses: ReadonlyMap<NodeInfo, Status>;
  readonly absent: Status;
}

/** A plugin of one profile. All methods are optional; a plugin is its name and what it takes part in. */
export interface Plugin {
  /** Upstream's name. */
  readonly name: string;
  /** What of waiting changes may help a pod that this plugin refused. Without it, any change may. */
  readonly events?: readonly EventHint[];
  /**
   * Resources whose objects the plugin reads for this pod through {@link Handle.objects}: they are loaded before the pod's cycle, and
   * followed from then on. Pods and nodes always are.
   */
  needs?(pod: Pod): readonly ResourceId[];
  /** QueueSort: less than zero when `a` comes first. */
  compare?(a: Queued, b: Queued): number;
  /** Why the pod may not even be tried. */
  preEnqueue?(pod: Pod): Status | undefined;
  preFilter?(state: CycleState, candidate: Candidate): PreFilterResult;
  /** PreFilterExtensions: as if `other` were on the node too; changes the state only. */
  addPod?(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void;
  /** PreFilterExtensions: as if `other` were not on the node any more. */
  removePod?(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void;
  filter?(state: CycleState, candidate: Candidate, node: NodeInfo): Status | undefined;
  postFilter?(state: CycleState, candidate: Candidate, diagnosis: Diagnosis): Promise<PostFilterResult>;
  /** `nodes`: those that passed all filters. */
  preScore?(state: CycleState, candidate: Candidate, nodes: readonly NodeInfo[]): 'skip' | Status | undefined;
  /** 0 to 100 unless there is a {@link normalizeScores}. */
  score?(state: CycleState, candidate: Candidate, node: NodeInfo): number;
  /** Brings the scores to 0..100, in place; `scores[i]` is that of `nodes[i]`. */
  normalizeScores?(state: CycleState, candidate: Candidate, scores: number[], nodes: readonly NodeInfo[]): void;
  reserve?(state: CycleState, candidate: Candidate, node: string): Status | undefined;
  /** Takes {@link reserve} back; called for every plugin when anything after it refused, and safe to call twice. */
  unreserve?(state: CycleState, candidate: Candidate, node: string): void;
  /** `Wait`: asked again at the next change, until {@link BINDING_TIMEOUT_MS} has passed. */
  permit?(state: CycleState, candidate: Candidate, node: string): Status | undefined;
  /** As {@link permit}, it never waits itself: it answers `Wait` and is asked again. */
  preBind?(state: CycleState, candidate: Candidate, node: string): Promise<Status | undefined>;
  /** `skip`: another plugin shall bind. */
  bind?(state: CycleState, candidate: Candidate, node: string): Promise<Status | 'skip' | undefined>;
  postBind?(state: CycleState, candidate: Candidate, node: string): void;
}

/** How long a pod may wait between Reserve and Bind, in ms. */
export const BINDING_TIMEOUT_MS = 600_000;

/** The pods that have a node, by what they have in common. */
export type PodGroups = ReadonlyMap<PodTraits, PodGroup>;

/** The cluster as a cycle sees it. It does not change during the synchronous part of a cycle. */
export interface Snapshot {
  /** The nodes that exist, zones taking turns. */
  all(): readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** A pod that has, or is assumed to have, a node. */
  pod(key: string): PodInfo | undefined;
  readonly groups: PodGroups;
  /** Those of {@link groups} whose pods have affinity or anti-affinity terms. */
  readonly affine: ReadonlySet<PodTraits>;
  /** The lowest priority of any pod that has a node; infinite when there is none. */
  lowestPriority(): number;
  /** The domains of a topology key, with the number of nodes in each. */
  domains(key: string): ReadonlyMap<string, number>;
  /** On how many nodes an image is. */
  imageNodes(image: string): number;
}

/** Objects other than pods and nodes, in memory (upstream: listers of the shared informers). */
export interface Objects {
  get<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): T | undefined;
  /** Of one namespace, or all. */
  list<T extends KubeObject>(resource: ResourceId, namespace?: string): readonly T[];
  /** Loads what is not there yet, and follows it from then on. */
  ensure(resources: readonly ResourceId[]): Promise<void>;
}

/** A pod, as far as an event or a deletion needs it. */
export type PodRef = Pick<Pod, 'metadata'>;

/** Room for a pod on a node: who has to go, and how many of them a budget protects. */
export interface Preemption {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly victims: readonly PodInfo[];
  readonly violations: number;
}

/** An extender, as far as plugins ask it. */
export interface PluginExtender {
  readonly binds: boolean;
  readonly preempts: boolean;
  /** What it fails to answer does not stand in a pod's way. */
  readonly ignorable: boolean;
  isInterested(pod: Pod): boolean;
  bind(pod: Pod, node: string): Promise<void>;
  /** What it leaves of preemptions. Throws when it does not answer. */
  preempt(pod: Pod, found: readonly Preemption[], client: Client): Promise<Preemption[]>;
}

/** What plugins may do beside answering (`framework.Handle`). */
export interface Handle {
  readonly client: Client;
  readonly snapshot: Snapshot;
  readonly objects: Objects;
  readonly nominator: Nominator;
  readonly extenders: readonly PluginExtender[];
  /** In ms since the epoch. */
  now(): number;
  /** Binds with others in one transaction; resolves to undefined, or why it failed. */
  bind(pod: Pod, node: string): Promise<ApiStatus | undefined>;
  /** Records an event; it is written in its own time. */
  event(pod: PodRef, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** All filters of the profile, as if pods nominated to the node with no less priority were on it. */
  filter(state: CycleState, candidate: Candidate, node: NodeInfo): Status | undefined;
  /** {@link Plugin.addPod} of all plugins. */
  addPod(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void;
  /** {@link Plugin.removePod} of all plugins. */
  removePod(state: CycleState, candidate: Candidate, other: PodInfo, node: NodeInfo): void;
}

/** Makes a plugin for a profile. `args`: what the profile's `pluginConfig` says, defaults not filled in. */
export type PluginFactory = (handle: Handle, args: Readonly<Record<string, unknown>>) => Plugin;

/** Scales raw scores to 0..100, in place; `reverse`: the smallest raw score is the best (`DefaultNormalizeScore`). */
export function defaultNormalize(scores: number[], reverse: boolean): void {
  let most = 0;
  for (const score of scores) if (score > most) most = score;
  for (let i = 0; i < scores.length; i++) {
    const scaled = most === 0 ? 0 : Math.floor(((scores[i] as number) * MAX_SCORE) / most);
    scores[i] = reverse ? MAX_SCORE - scaled : scaled;
  }
}
