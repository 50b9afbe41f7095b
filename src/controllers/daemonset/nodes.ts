/** Where a DaemonSet's pods belong, and where they are. Pure. */
import type { DaemonSet } from '../../generated/types/apps.v1.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import { matchesPod } from '../../resources/core/node-selector.ts';
import { untolerated } from '../../resources/core/tolerations.ts';
import { timeOf } from '../objects.ts';
import { isPodTerminal } from '../pods.ts';
import { daemonTolerations, targetNode } from './template.ts';

/** `run`: a pod is to be there; `stay`: one that is there may stay. */
export interface Verdict {
  run: boolean;
  stay: boolean;
}

const NEITHER: Verdict = { run: false, stay: false };

/** Whether the node is one of the DaemonSet's (`NodeShouldRunDaemonPod`). */
export function verdictOn(set: DaemonSet, node: Node): Verdict {
  const spec = set.spec?.template?.spec ?? {};
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return NEITHER;
  if (!matchesPod(spec, node.metadata)) return NEITHER;
  const refused = untolerated(node.spec?.taints ?? [], daemonTolerations(spec)).map(({ effect }) => effect);
  return {
    run: !refused.some((effect) => effect === 'NoSchedule' || effect === 'NoExecute'),
    stay: !refused.includes('NoExecute'),
  };
}

/** The pods by the node that they are on or meant for, oldest first, those on their node before others (`getNodesToDaemonPods`). */
export function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    // Nothing is left to do for it but by whoever holds its finalizers.
    if (isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined) continue;
    const node = targetNode(pod);
    if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  for (const [node, those] of byNode) byNode.set(node, those.sort(byPlaceAndAge));
  return byNode;
}

function byPlaceAndAge(a: Pod, b: Pod): number {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  const age = timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp);
  return placed || age || (a.metadata.name < b.metadata.name ? -1 : 1);
}
