/** Columns of horizontal pod autoscalers, of either version. */

import type { KubeObject } from '../../apimachinery/meta.ts';
import { canonical } from '../../apimachinery/quantity.ts';
import type { HorizontalPodAutoscaler as V1 } from '../../generated/types/autoscaling.v1.ts';
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  HorizontalPodAutoscaler as V2,
} from '../../generated/types/autoscaling.v2.ts';
import type { Column } from '../resource.ts';
import { age, firstOf, NONE, name, text, UNKNOWN, UNSET } from './shared.ts';

type Autoscaler = KubeObject & {
  spec?: V2['spec'] & Partial<V1['spec']>;
  status?: V2['status'] & Partial<V1['status']>;
};

const quantity = (value: string | undefined): string => (value == null ? UNKNOWN : canonical(value));
const percent = (value: number | undefined, otherwise: string): string => (value == null ? otherwise : `${value}%`);

/** `current/target`, of a value, an average or a share. */
function ratio(target: MetricTarget | undefined, current: MetricValueStatus | undefined, note = ''): string {
  if (target?.averageValue != null) return `${quantity(current?.averageValue)}/${quantity(target.averageValue)}${note}`;
  return `${quantity(current?.value)}/${quantity(target?.value)}`;
}

function ofResource(
  resource: string,
  target: MetricTarget | undefined,
  current: MetricValueStatus | undefined,
): string {
  if (target?.averageValue != null) return `${resource}: ${ratio(target, current)}`;
  const share = percent(current?.averageUtilization, UNKNOWN);
  return `${resource}: ${share}/${percent(target?.averageUtilization, '<auto>')}`;
}

function metric(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return ratio(spec.external?.target, status?.external?.current, ' (avg)');
    case 'Object':
      return ratio(spec.object?.target, status?.object?.current, ' (avg)');
    case 'Pods':
      return ratio(spec.pods?.target, status?.pods?.current);
    case 'Resource':
      return ofResource(spec.resource?.name ?? '', spec.resource?.target, status?.resource?.current);
    case 'ContainerResource': {
      const { name: resource = '', target } = spec.containerResource ?? {};
      return ofResource(resource, target, status?.containerResource?.current);
    }
    default:
      return '<unknown type>';
  }
}

function targets({ spec, status }: Autoscaler): string {
  if (spec?.targetCPUUtilizationPercentage != null) {
    const current = percent(status?.currentCPUUtilizationPercentage, UNKNOWN);
    return `cpu: ${current}/${spec.targetCPUUtilizationPercentage}%`;
  }
  const metrics = (spec?.metrics ?? []).map((each, at) => metric(each, status?.currentMetrics?.[at]));
  return metrics.length === 0 ? NONE : firstOf(metrics, 2, ', ');
}

export const hpaColumns: readonly Column<Autoscaler>[] = [
  name,
  text('Reference', ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`),
  text('Targets', targets),
  text('MinPods', ({ spec }) => (spec?.minReplicas == null ? UNSET : String(spec.minReplicas))),
  text('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
  text('Replicas', ({ status }) => status?.currentReplicas ?? 0),
  age,
];
