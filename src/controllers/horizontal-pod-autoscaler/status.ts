/** The status of an autoscaler. */
import { withCondition } from '../../apimachinery/conditions.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '../../generated/types/autoscaling.v2.ts';

/** Upstream writes a list of metrics that there is not as null. */
export type Status = Omit<HorizontalPodAutoscalerStatus, 'currentMetrics'> & {
  currentMetrics?: HorizontalPodAutoscalerStatus['currentMetrics'] | null;
};

/** An autoscaler whose status is being worked out. */
export type Autoscaler = Omit<HorizontalPodAutoscaler, 'status'> & { status: Status };

/** Sets a condition; its time changes with its status alone. `at` in ms since the epoch. */
export function setCondition(
  status: Status,
  at: number,
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited',
  holds: 'True' | 'False',
  reason: string,
  message: string,
): void {
  status.conditions = withCondition(status.conditions, { type, status: holds, reason, message }, at);
}
