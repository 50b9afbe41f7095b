/** Schedulers' extenders: decisions that are asked for over HTTP (`HTTPExtender`). */

import type { Client } from '../apimachinery/client.ts';
import { parseDuration } from '../apimachinery/duration.ts';
import { toMilli } from '../apimachinery/quantity.ts';
import type { Node, Pod } from '../generated/types/core.v1.ts';
import { askPreemption } from './extender-preemption.ts';
import type { NodeInfo } from './framework/node-info.ts';
import { MAX_SCORE, type PluginExtender, type Preemption } from './framework/plugin.ts';
import { type Status, unresolvable, unschedulable } from './framework/status.ts';
import { inSmallLetters } from './small-letters.ts';

export interface ExtenderConfig {
  urlPrefix?: string;
  filterVerb?: string;
  prioritizeVerb?: string;
  bindVerb?: string;
  preemptVerb?: string;
  weight?: number;
  /** `5s`. */
  httpTimeout?: string;
  nodeCacheCapable?: boolean;
  managedResources?: { name?: string; ignoredByScheduler?: boolean }[];
  /** A pod is scheduled though the extender does not answer. */
  ignorable?: boolean;
  tlsConfig?: object;
}

interface HostPriority {
  host: string;
  score: number;
}

/** With its names in small letters, as answers are read. */
interface FilterResult {
  nodes?: { items?: Node[] };
  nodenames?: string[];
  failednodes?: Record<string, string>;
  failedandunresolvablenodes?: Record<string, string>;
  error?: string;
}

const TIMEOUT_MS = 5000;
/** Extenders score from 0 to this. */
const MAX_EXTENDER_SCORE = 10;

export class Extender implements PluginExtender {
  readonly ignorable: boolean;
  private readonly config: ExtenderConfig;
  private readonly timeoutMs: number;
  private readonly fetch: typeof fetch;

  /** Throws an Error that says what is wrong with the configuration. */
  constructor(config: ExtenderConfig, send: typeof fetch = (...request) => fetch(...request)) {
    if (!URL.canParse(config.urlPrefix ?? '')) throw new Error(`extenders: "${config.urlPrefix}" is no URL`);
    if (config.prioritizeVerb && !(Number(config.weight) > 0)) throw new Error('extenders: weight must be above 0');
    if (config.tlsConfig !== undefined)
      throw new Error('extenders: there is no tlsConfig here: the public roots alone are trusted');
    this.config = config;
    this.ignorable = config.ignorable === true;
    this.timeoutMs = parseDuration(config.httpTimeout ?? '') ?? TIMEOUT_MS;
    this.fetch = send;
  }

  /** Resources that it alone judges: the scheduler's own plugins look away. */
  get ignoredResources(): string[] {
    const managed = this.config.managedResources ?? [];
    return managed.flatMap(({ name, ignoredByScheduler }) => (name && ignoredByScheduler ? [name] : []));
  }

  /** Whether it has a say about a pod: all of them, or those that ask for a resource that it manages. */
  isInterested({ spec }: Pod): boolean {
    const managed = new Set((this.config.managedResources ?? []).map(({ name }) => name));
    if (managed.size === 0) return true;
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
    return containers.some(({ resources }) =>
      Object.entries({ ...resources?.limits, ...resources?.requests }).some(
        ([name, quantity]) => managed.has(name) && toMilli(quantity) > 0,
      ),
    );
  }

  /** The nodes that it leaves; of the others, why, goes to `statuses`. Throws when it does not answer. */
  async filter(
    pod: Pod,
    nodes: readonly NodeInfo[],
    client: Client,
    statuses: Map<NodeInfo, Status>,
  ): Promise<NodeInfo[]> {
    if (!this.config.filterVerb) return [...nodes];
    const answer = await this.send(this.config.filterVerb, await this.args(pod, nodes, client));
    const result = inSmallLetters<FilterResult>(answer);
    if (result.error) throw new Error(result.error);
    const left = new Set(result.nodenames ?? result.nodes?.items?.map(({ metadata }) => metadata.name) ?? []);
    for (const node of nodes) {
      if (left.has(node.name)) continue;
      const never = result.failedandunresolvablenodes?.[node.name];
      const status = never === undefined ? unschedulable(result.failednodes?.[node.name] ?? '') : unresolvable(never);
      statuses.set(node, status);
    }
    return nodes.filter(({ name }) => left.has(name));
  }

  /** Adds its scores to those of the plugins. Where it does not answer, it has none. */
  async prioritize(pod: Pod, nodes: readonly NodeInfo[], client: Client, scores: Float64Array): Promise<void> {
    if (!this.config.prioritizeVerb) return;
    try {
      const args = await this.args(pod, nodes, client);
      const answer = await this.send(this.config.prioritizeVerb, args);
      const list = Array.isArray(answer) ? answer.map((one) => inSmallLetters<HostPriority>(one)) : [];
      const byHost = new Map(list.map(({ host = '', score = 0 }) => [host, Number(score) || 0]));
      const factor = (this.config.weight ?? 1) * (MAX_SCORE / MAX_EXTENDER_SCORE);
      for (const [i, { name }] of nodes.entries()) scores[i] = (scores[i] as number) + (byHost.get(name) ?? 0) * factor;
    } catch (error) {
      console.warn(`extender ${this.config.urlPrefix}:`, String(error));
    }
  }

  /** Whether it binds pods that it has a say about. */
  get binds(): boolean {
    return Boolean(this.config.bindVerb);
  }

  /** Binds in the scheduler's stead. Throws when it does not. */
  async bind({ metadata }: Pod, node: string): Promise<void> {
    const { name, namespace, uid } = metadata;
    const args = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
    const { error } = inSmallLetters<{ error: string }>(await this.send(this.config.bindVerb ?? '', args));
    if (error) throw new Error(error);
  }

  /** Whether it has a say about whom a pod may preempt. */
  get preempts(): boolean {
    return Boolean(this.config.preemptVerb);
  }

  /** What it leaves of preemptions. Throws when it does not answer. */
  preempt(pod: Pod, found: readonly Preemption[], client: Client): Promise<Preemption[]> {
    const { preemptVerb = '', nodeCacheCapable = false } = this.config;
    return askPreemption((args) => this.send(preemptVerb, args), nodeCacheCapable, pod, found, client);
  }

  /** Names alone for one that knows the nodes; else the nodes as they are. */
  private async args(pod: Pod, nodes: readonly NodeInfo[], client: Client): Promise<object> {
    const names = nodes.map(({ name }) => name);
    if (this.config.nodeCacheCapable) return { Pod: pod, Nodes: null, NodeNames: names };
    const wanted = new Set(names);
    const { items } = await client.list<Node>('core/nodes');
    const there = items.filter(({ metadata }) => wanted.has(metadata.name));
    return { Pod: pod, Nodes: { metadata: {}, items: there }, NodeNames: null };
  }

  private async send(verb: string, body: object): Promise<object> {
    const url = `${this.config.urlPrefix?.replace(/\/$/, '')}/${verb}`;
    const response = await this.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    if (!response.ok) throw new Error(`failed ${verb} with extender at URL ${url}, code ${response.status}`);
    const answer: unknown = await response.json();
    if (typeof answer !== 'object' || answer === null) throw new Error(`extender at URL ${url} did not answer ${verb}`);
    return answer;
  }
}
