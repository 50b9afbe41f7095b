/** Sums by topology: `zone` -> `z1` -> 3. What groups of pods have counted already is referred to, not copied. */
import { count, type NodeInfo } from './node-info.ts';
import type { Domains, PodGroup } from './pod-group.ts';

interface Sum {
  readonly parts: { readonly domains: Domains; readonly weight: number }[];
  /** What was added or taken away on trial. */
  readonly trial: Map<string, number>;
}

export class TopologyCounts {
  private readonly sums = new Map<string, Sum>();
  private total = 0;

  /** Adds every pod of a group, times a weight, to its own domain of the key. */
  addGroup(group: PodGroup, key: string, weight = 1): void {
    const domains = group.domains(key);
    if (domains.total === 0) return;
    this.total += domains.total * Math.abs(weight);
    this.sum(key).parts.push({ domains, weight });
  }

  /** Adds to the node's own domain of the key; a node without the key has no part in it. */
  add({ facts }: NodeInfo, key: string, by: number): void {
    if (!Object.hasOwn(facts.labels, key)) return;
    this.total += by;
    count(this.sum(key).trial, facts.labels[key] as string, by);
  }

  /** The sum of the node's own domain of the key; undefined when the node does not have the key. */
  at({ facts }: NodeInfo, key: string): number | undefined {
    if (!Object.hasOwn(facts.labels, key)) return undefined;
    const sum = this.sums.get(key);
    if (sum === undefined) return 0;
    const domain = facts.labels[key] as string;
    let value = sum.trial.size === 0 ? 0 : (sum.trial.get(domain) ?? 0);
    for (const { domains, weight } of sum.parts) value += (domains.pods.get(domain) ?? 0) * weight;
    return value;
  }

  /** The keys that anything was counted by. */
  keys(): Iterable<string> {
    return this.sums.keys();
  }

  /** Whether nothing is counted. */
  get empty(): boolean {
    return this.total === 0;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    copy.total = this.total;
    for (const [key, { parts, trial }] of this.sums) copy.sums.set(key, { parts, trial: new Map(trial) });
    return copy;
  }

  private sum(key: string): Sum {
    let sum = this.sums.get(key);
    if (sum === undefined) {
      sum = { parts: [], trial: new Map() };
      this.sums.set(key, sum);
    }
    return sum;
  }
}
