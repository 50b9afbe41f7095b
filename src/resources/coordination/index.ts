import { type FieldError, required } from '../../apimachinery/field.ts';
import type { Lease, LeaseSpec } from '../../generated/types/coordination.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { check, fields, nonNegative, positive, present } from '../validation/rules.ts';

const coordination = groupVersion('coordination.k8s.io', 'v1');

const spec = fields<LeaseSpec>({ leaseDurationSeconds: present(positive), leaseTransitions: nonNegative });

function validate(lease: Lease): FieldError[] {
  const errors = check(spec, lease.spec ?? {}, 'spec');
  if (lease.spec?.strategy === '') errors.push(required('spec.strategy'));
  return errors;
}

/** The resources of the group `coordination.k8s.io`. */
export const coordinationResources: readonly Resource[] = [
  coordination<Lease>({
    resource: 'leases',
    kind: 'Lease',
    namespaced: true,
    strategy: {
      metadataChecks: [0, 1],
      plainFinalizers: true,
      createOnUpdate: true,
      unconditionalUpdate: false,
      generation: false,
      default(lease) {
        lease.spec ??= {};
      },
      validate,
    },
  }),
];
