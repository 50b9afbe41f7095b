import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from '../../generated/types/autoscaling.v1.ts';
import type { HorizontalPodAutoscaler } from '../../generated/types/autoscaling.v2.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource, SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, statusIsSeparate } from '../strategies.ts';
import { autoscalerConversion } from './conversion.ts';
import { validateAutoscaler } from './validation.ts';

const names = {
  resource: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
} as const;

/** How often a scaling direction may act when its author left it open. */
const SCALE_UP = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const SCALE_DOWN = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

function setDefaults(autoscaler: HorizontalPodAutoscaler): void {
  autoscaler.spec ??= {};
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) {
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (spec.behavior === undefined) return;
  const { scaleUp = {}, scaleDown = {} } = spec.behavior;
  scaleUp.stabilizationWindowSeconds ??= 0;
  scaleUp.selectPolicy ??= 'Max';
  scaleUp.policies ??= structuredClone(SCALE_UP);
  scaleDown.selectPolicy ??= 'Max';
  scaleDown.policies ??= structuredClone(SCALE_DOWN);
  spec.behavior.scaleUp = scaleUp;
  spec.behavior.scaleDown = scaleDown;
}

const usual = keepAllButStatus<HorizontalPodAutoscaler>();

/** How the status of v2 is changed: that there are no metrics is said. */
const autoscalerStatus: SubresourceStrategy<HorizontalPodAutoscaler> = {
  ...usual,
  prepareForUpdate(autoscaler, old) {
    usual.prepareForUpdate(autoscaler, old);
    if (autoscaler.status !== undefined)
      Object.assign(autoscaler.status, { currentMetrics: autoscaler.status.currentMetrics ?? null });
  },
};

/** The resources of the group `autoscaling`; both versions show the objects that are kept as v2. */
export const autoscalingResources: readonly Resource[] = [
  groupVersion(
    'autoscaling',
    'v2',
  )<HorizontalPodAutoscaler>({
    ...names,
    subresources: [statusSubresource(names.kind, autoscalerStatus)],
    strategy: {
      metadataChecks: [0, 1],
      ...statusIsSeparate<HorizontalPodAutoscaler>({ desiredReplicas: 0, currentMetrics: null }),
      default: setDefaults,
      generation: false,
      validate: validateAutoscaler,
    },
  }),
  groupVersion(
    'autoscaling',
    'v1',
  )<HorizontalPodAutoscalerV1>({
    ...names,
    subresources: [statusSubresource(names.kind)],
    storedAs: 'autoscaling/horizontalpodautoscalers',
    conversion: autoscalerConversion,
    strategy: {
      metadataChecks: [0, 1],
      ...statusIsSeparate<HorizontalPodAutoscalerV1>({ currentReplicas: 0, desiredReplicas: 0 }),
      default({ spec }) {
        if (spec === undefined) return;
        spec.minReplicas ??= 1;
        spec.targetCPUUtilizationPercentage ??= 80;
      },
      generation: false,
      // The rules are of what is kept, as upstream's are of its internal type.
      validate: (autoscaler) => validateAutoscaler(autoscalerConversion.toStored(autoscaler)),
    },
  }),
];
