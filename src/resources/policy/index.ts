import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import { labelSelector as labelSelectorType } from '../core/go-types/shared.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { keepAllButStatus, statusIsSeparate } from '../strategies.ts';
import { conditions } from '../validation/conditions.ts';
import { nullable, struct } from '../validation/go-struct.ts';
import { validateIntOrPercent } from '../validation/int-or-percent.ts';
import { nonNegative, oneOf, present } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';

const policy = groupVersion('policy', 'v1');

const shown = struct({
  MinAvailable: nullable,
  Selector: labelSelectorType,
  MaxUnavailable: nullable,
  UnhealthyPodEvictionPolicy: nullable,
});

function validate({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  const { minAvailable, maxUnavailable } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalid('spec', shown(spec), 'minAvailable and maxUnavailable cannot be both set'));
  }
  if (minAvailable !== undefined) validateIntOrPercent(minAvailable, 'spec.minAvailable', true, errors);
  if (maxUnavailable !== undefined) validateIntOrPercent(maxUnavailable, 'spec.maxUnavailable', true, errors);
  labelSelector(spec.selector, 'spec.selector', errors);
  const policies = oneOf('AlwaysAllow', 'IfHealthyBudget');
  present(policies)(spec.unhealthyPodEvictionPolicy, 'spec.unhealthyPodEvictionPolicy', errors);
  return errors;
}

function statusErrors({ status = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  conditions(status.conditions, 'status.conditions', errors);
  for (const count of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
    nonNegative(status[count], `status.${count}`, errors);
  }
  return errors;
}

/** The resources of the group `policy`. */
export const policyResources: readonly Resource[] = [
  policy<PodDisruptionBudget>({
    resource: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
    shortNames: ['pdb'],
    subresources: [statusSubresource('PodDisruptionBudget', { ...keepAllButStatus(), validateUpdate: statusErrors })],
    strategy: {
      unconditionalUpdate: false,
      metadataChecks: [0, 0],
      plainFinalizers: true,
      ...statusIsSeparate<PodDisruptionBudget>({
        disruptionsAllowed: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
      }),
      nameErrors: pathSegmentName,
      default(budget) {
        budget.spec ??= {};
      },
      validate,
    },
  }),
];
