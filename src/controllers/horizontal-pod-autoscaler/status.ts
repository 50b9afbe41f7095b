/** The status of an autoscaler. */
import { now } from '../../apimachinery/meta.ts';
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
  const conditions = status.conditions ?? [];
  const index = conditions.findIndex((condition) => condition.type === type);
  const before = conditions[index];
  const lastTransitionTime = before?.status === holds ? before.lastTransitionTime : now(at);
  const condition = {
    type,
    status: holds,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    reason,
    message,
  };
  status.conditions = index < 0 ? [...conditions, condition] : conditions.with(index, condition);
}
