/** How long pods stay on nodes that fail. */
import type { PodSpec, Toleration } from '../../../generated/types/core.v1.ts';

const SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (key === taint || !key) && (effect === 'NoExecute' || !effect);
}

/** Lets a pod that says nothing of it stay five minutes on a node that is not ready or not reachable, in place. */
export function addDefaultTolerations(spec: PodSpec): void {
  const missing = TAINTS.filter((key) => !(spec.tolerations ?? []).some((t) => tolerates(t, key)));
  if (missing.length === 0) return;
  const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }));
  spec.tolerations = [...(spec.tolerations ?? []), ...added];
}
