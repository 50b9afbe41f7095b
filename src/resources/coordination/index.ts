import type { FieldError } from '../../apimachinery/field.ts';
import type { Lease, LeaseSpec } from '../../generated/types/coordination.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { check, fields, nonNegative, positive, present } from '../validation/rules.ts';

const coordination = groupVersion('coordination.k8s.io', 'v1');

const spec = fields<LeaseSpec>({ leaseDurationSeconds: present(positive), leaseTransitions: nonNegative });

const validate = (lease: Lease): FieldError[] => check(spec, lease.spec ?? {}, 'spec');

/** What leader election would be coordinated by, which is switched off. */
function dropDisabled(lease: Lease): void {
  delete lease.spec?.strategy;
  delete lease.spec?.preferredHolder;
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
      prepareForCreate: dropDisabled,
      prepareForUpdate: dropDisabled,
      validate,
    },
  }),
];
