/** DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not reachable. */
import type { Pod, PodSpec, Toleration } from '../../generated/types/core.v1.ts';
import { type AdmissionPlugin, creates } from './plugin.ts';

const SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: creates('pods'),
  admit({ object }) {
    const spec = (object as Pod).spec as PodSpec;
    const missing = TAINTS.filter((key) => !(spec.tolerations ?? []).some((t) => tolerates(t, key)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }));
    spec.tolerations = [...(spec.tolerations ?? []), ...added];
  },
};

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (key === taint || !key) && (effect === 'NoExecute' || !effect);
}
