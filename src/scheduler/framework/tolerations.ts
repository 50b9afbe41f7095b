/** Taints and the tolerations that answer them. */
import type { Pod, Taint, Toleration } from '../../generated/types/core.v1.ts';

/** Whether a toleration answers a taint (`ToleratesTaint`). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (!toleration.key && toleration.operator !== 'Exists') return false;
  switch (toleration.operator) {
    case 'Exists':
      return true;
    case undefined:
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}

/** Whether no taint that keeps pods away is left unanswered (`FindMatchingUntoleratedTaint` finds none). */
export function toleratesAll(pod: Pod, taints: readonly Taint[]): boolean {
  const tolerations = pod.spec?.tolerations ?? [];
  return taints.every(
    (taint) =>
      (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') || tolerations.some((t) => tolerates(t, taint)),
  );
}
