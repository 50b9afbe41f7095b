/** Pods with a node that have everything in common that selectors and affinity terms look at. */
import { count, type NodeInfo } from './node-info.ts';

/** Domains of a topology key with the pods in them: `z1` -> 3. */
export interface Domains {
  readonly pods: ReadonlyMap<string, number>;
  /** Of all domains together; pods on nodes without the key are not in it. */
  readonly total: number;
}

interface Kept {
  readonly pods: Map<string, number>;
  total: number;
}

export class PodGroup {
  private readonly perNode = new Map<NodeInfo, number>();
  /** By topology key, as far as it was asked for; kept up as pods come and go. */
  private readonly kept = new Map<string, Kept>();

  /** How many of the pods each node has. */
  get nodes(): ReadonlyMap<NodeInfo, number> {
    return this.perNode;
  }

  /** Counts pods of a node in or out. */
  add(node: NodeInfo, by: number): void {
    count(this.perNode, node, by);
    for (const [key, kept] of this.kept) addTo(kept, node, key, by);
  }

  /** The pods by the domains of a topology key. */
  domains(key: string): Domains {
    let kept = this.kept.get(key);
    if (kept === undefined) {
      kept = { pods: new Map(), total: 0 };
      for (const [node, pods] of this.perNode) addTo(kept, node, key, pods);
      this.kept.set(key, kept);
    }
    return kept;
  }

  /** Labels of a node have changed: what was counted by them is not true any more. */
  forgetDomains(): void {
    this.kept.clear();
  }
}

function addTo(kept: Kept, { facts }: NodeInfo, key: string, by: number): void {
  if (!Object.hasOwn(facts.labels, key)) return;
  count(kept.pods, facts.labels[key] as string, by);
  kept.total += by;
}
