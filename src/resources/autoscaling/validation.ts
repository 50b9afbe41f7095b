/** What an autoscaler may ask for (`ValidateHorizontalPodAutoscaler`). */
import { type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from '../../generated/types/autoscaling.v2.ts';
import { holds, oneOf, present, type Rule } from '../validation/rules.ts';
import { metricErrors, referenceErrors } from './metrics.ts';

const LONGEST_STABILIZATION = 3600;
const LONGEST_PERIOD = 1800;

type Rules = NonNullable<NonNullable<HorizontalPodAutoscalerSpec['behavior']>['scaleUp']>;

const selectPolicy = present<string | undefined>(oneOf('Disabled', 'Max', 'Min'));
const policyType = oneOf('Percent', 'Pods');
const aboveZero = holds<number>((value) => value > 0, 'must be greater than zero');
const notNegative = holds<number>((value) => value >= 0, 'must be greater than or equal to zero');
const atMost = (most: number): Rule<number> => holds((value) => value <= most, `must be less than or equal to ${most}`);
const stabilizationIsBounded = atMost(LONGEST_STABILIZATION);
const periodIsBounded = atMost(LONGEST_PERIOD);

function behaviorErrors(rules: Rules, at: string, errors: FieldError[]): void {
  if (rules.tolerance !== undefined && compareQuantity(rules.tolerance, '0') < 0) {
    errors.push(invalid(`${at}.tolerance`, canonical(rules.tolerance), 'must be greater than or equal to 0'));
  }
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined) {
    notNegative(window, `${at}.stabilizationWindowSeconds`, errors);
    stabilizationIsBounded(window, `${at}.stabilizationWindowSeconds`, errors);
  }
  selectPolicy(rules.selectPolicy, `${at}.selectPolicy`, errors);
  if (!rules.policies?.length) errors.push(required(`${at}.policies`, 'must specify at least one Policy'));
  rules.policies?.forEach(({ type, value = 0, periodSeconds = 0 }, index) => {
    const path = `${at}.policies[${index}]`;
    policyType(type, `${path}.type`, errors);
    aboveZero(value, `${path}.value`, errors);
    aboveZero(periodSeconds, `${path}.periodSeconds`, errors);
    periodIsBounded(periodSeconds, `${path}.periodSeconds`, errors);
  });
}

function replicaErrors({ minReplicas: min, maxReplicas: max = 0 }: HorizontalPodAutoscalerSpec, errors: FieldError[]) {
  if (min !== undefined && min < 1) {
    errors.push(invalid('spec.minReplicas', min, 'must be greater than or equal to 1'));
  }
  if (max === 0) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (max < 1) errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to 1'));
  if (min !== undefined && max < min) {
    errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  }
}

/** Errors of an autoscaler in the form in which it is kept. */
export function validateAutoscaler({ spec = {} }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  replicaErrors(spec, errors);
  referenceErrors(spec.scaleTargetRef ?? {}, 'spec.scaleTargetRef', false, errors);
  spec.metrics?.forEach((metric, index) => {
    metricErrors(metric, `spec.metrics[${index}]`, errors);
  });
  // Without pods there is nothing that a metric of pods could say.
  const fromOutside = spec.metrics?.some(({ type }) => type === 'Object' || type === 'External') === true;
  if (spec.minReplicas === 0 && !fromOutside) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbiddenField('spec.metrics', detail));
  }
  if (spec.behavior?.scaleUp !== undefined) behaviorErrors(spec.behavior.scaleUp, 'spec.behavior.scaleUp', errors);
  if (spec.behavior?.scaleDown !== undefined) {
    behaviorErrors(spec.behavior.scaleDown, 'spec.behavior.scaleDown', errors);
  }
  return errors;
}
