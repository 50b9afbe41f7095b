/** Taints and the tolerations that answer them, as the scheduler and controllers judge them. Pure. */
import type { Taint, Toleration } from '../../generated/types/core.v1.ts';

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

/** The taints that none of the tolerations answers. */
export function untolerated(taints: readonly Taint[], tolerations: readonly Toleration[] = []): Taint[] {
  return taints.filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
}

/** Whether a taint keeps new pods away. */
const isHard = ({ effect }: Taint): boolean => effect === 'NoSchedule' || effect === 'NoExecute';

/** Whether no taint that keeps pods away is left unanswered (`FindMatchingUntoleratedTaint` finds none). */
export function toleratesAll(taints: readonly Taint[], tolerations: readonly Toleration[] = []): boolean {
  return taints.every((taint) => !isHard(taint) || tolerations.some((toleration) => tolerates(toleration, taint)));
}
