/** From what metrics ask for to what may be done: windows, rates, and the bounds of the autoscaler. */
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../generated/types/autoscaling.v2.ts';
import type { History } from './history.ts';

/** Replicas come down only when nothing asked for more for so long (`--horizontal-pod-autoscaler-downscale-stabilization`). */
const DOWNSCALE_WINDOW_SECONDS = 300;
const SCALE_UP_FACTOR = 2;
const SCALE_UP_MINIMUM = 4;

interface Said {
  reason: string;
  message: string;
}

export interface Normalized {
  replicas: number;
  /** Of the condition AbleToScale. */
  able: Said;
  /** Of the condition ScalingLimited, and whether it holds. */
  limited: Said & { holds: boolean };
}

const READY: Said = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const UP_STABILIZED: Said = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const DOWN_STABILIZED: Said = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const WITHIN: Said = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
const TOO_MANY: Said = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Said = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const TOO_FAST_UP: Said = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const TOO_FAST_DOWN: Said = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

/** How many replicas there should be now, of `desired` ones. Notes the recommendation. Times in ms. */
export function normalize(
  spec: HorizontalPodAutoscalerSpec,
  current: number,
  desired: number,
  history: History,
  now: number,
): Normalized {
  const stabilized = stabilize(spec, current, desired, history, now);
  history.recommend(desired, now);
  const { replicas, limit } =
    spec.behavior === undefined
      ? withinRules(spec, current, stabilized)
      : withinRates(spec, current, stabilized, history, now);
  const direction = spec.behavior !== undefined && desired >= current ? UP_STABILIZED : DOWN_STABILIZED;
  const able = stabilized === desired ? READY : direction;
  return { replicas, able, limited: { ...limit, holds: replicas !== stabilized } };
}

/** Between the lowest recommendation of the window for going up and the highest of that for going down. */
function stabilize(
  { behavior }: HorizontalPodAutoscalerSpec,
  current: number,
  desired: number,
  { recommendations }: History,
  now: number,
): number {
  const recent = (seconds: number): number[] =>
    recommendations.filter(({ at }) => at > now - seconds * 1000).map(({ replicas }) => replicas);
  const downSeconds = behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWNSCALE_WINDOW_SECONDS;
  const highest = Math.max(desired, ...recent(downSeconds));
  if (behavior === undefined) return highest;
  const lowest = Math.min(desired, ...recent(behavior.scaleUp?.stabilizationWindowSeconds ?? 0));
  return Math.min(Math.max(current, lowest), highest);
}

type Limited = { replicas: number; limit: Said };

function withinRules(
  { minReplicas = 1, maxReplicas = 1 }: HorizontalPodAutoscalerSpec,
  current: number,
  desired: number,
): Limited {
  const fastest = Math.max(SCALE_UP_FACTOR * current, SCALE_UP_MINIMUM);
  if (desired < minReplicas) return { replicas: minReplicas, limit: TOO_FEW };
  const most = Math.min(maxReplicas, fastest);
  if (desired > most) return { replicas: most, limit: maxReplicas > fastest ? TOO_FAST_UP : TOO_MANY };
  return { replicas: desired, limit: WITHIN };
}

function withinRates(
  { minReplicas = 1, maxReplicas = 1, behavior }: HorizontalPodAutoscalerSpec,
  current: number,
  desired: number,
  history: History,
  now: number,
): Limited {
  if (desired > current) {
    const fastest = Math.max(current, rateLimit(behavior?.scaleUp ?? {}, 'up', current, history, now));
    const most = Math.min(maxReplicas, fastest);
    if (desired > most) return { replicas: most, limit: maxReplicas > fastest ? TOO_FAST_UP : TOO_MANY };
  } else if (desired < current) {
    const fastest = Math.min(current, rateLimit(behavior?.scaleDown ?? {}, 'down', current, history, now));
    const least = Math.max(minReplicas, fastest);
    if (desired < least) return { replicas: least, limit: minReplicas < fastest ? TOO_FAST_DOWN : TOO_FEW };
  }
  return { replicas: desired, limit: WITHIN };
}

/** How far the policies let the replicas go in one direction. */
function rateLimit(
  { policies = [], selectPolicy = 'Max' }: HPAScalingRules,
  direction: 'up' | 'down',
  current: number,
  history: History,
  now: number,
): number {
  if (selectPolicy === 'Disabled') return current;
  const sign = direction === 'up' ? 1 : -1;
  const limits = policies.map(({ type, value = 0, periodSeconds = 0 }) => {
    const before = history.replicasBefore(periodSeconds, current, now);
    if (type === 'Pods') return before + sign * value;
    const relative = before * (1 + (sign * value) / 100);
    // Rounded so that a small number still grows.
    return direction === 'up' ? Math.ceil(relative) : Math.trunc(relative);
  });
  // The greatest change is the highest number on the way up, and the lowest on the way down.
  const highest = (selectPolicy === 'Min') !== (direction === 'up');
  return highest ? Math.max(...limits) : Math.min(...limits);
}
