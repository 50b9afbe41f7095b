/** What a claim was given, and who uses it (`ValidateResourceClaimStatusUpdate`). */
import { deepEqual } from '../../apimachinery/equal.ts';
import { duplicate, type FieldError, forbiddenField, invalid, required, tooMany } from '../../apimachinery/field.ts';
import type { AllocationResult, ResourceClaim } from '../../generated/types/resource.v1.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus } from '../strategies.ts';
import { dns1123Label } from '../validation/formats.ts';
import { listOf, nullable, pointerTo, struct, text } from '../validation/go-struct.ts';
import { requestNames, requestReference, shownTolerations } from './claim-spec.ts';
import { driverName, poolName } from './devices.ts';

const MOST_CONSUMERS = 256;
const MOST_RESULTS = 32;
const AT = 'status.reservedFor';

const shownAllocation = struct({
  Devices: struct({
    Results: listOf(
      struct({
        Request: text,
        Driver: text,
        Pool: text,
        Device: text,
        AdminAccess: nullable,
        Tolerations: shownTolerations,
        BindingConditions: nullable,
        BindingFailureConditions: nullable,
        ShareID: nullable,
        ConsumedCapacity: nullable,
      }),
    ),
    Config: listOf(
      struct({
        Source: text,
        Requests: nullable,
        Opaque: pointerTo(struct({ Driver: text, Parameters: nullable })),
      }),
    ),
  }),
  NodeSelector: nullable,
  AllocationTimestamp: nullable,
});

function consumerErrors({ metadata, status }: ResourceClaim, old: ResourceClaim, errors: FieldError[]): void {
  const { reservedFor = [], allocation } = status ?? {};
  if (reservedFor.length > MOST_CONSUMERS) errors.push(tooMany(AT, reservedFor.length, MOST_CONSUMERS));
  reservedFor.forEach(({ resource, name, uid }, index) => {
    for (const [field, value] of Object.entries({ resource, name, uid })) {
      if (!value) errors.push(required(`${AT}[${index}].${field}`));
    }
    if (reservedFor.findIndex((other) => other.uid === uid) < index) errors.push(duplicate(`${AT}[${index}]`, uid));
  });
  if (reservedFor.length === 0) return;
  if (allocation === undefined) errors.push(forbiddenField(AT, 'may not be specified when `allocated` is not set'));
  else if (metadata.deletionTimestamp !== undefined) {
    const before = old.status?.reservedFor ?? [];
    if (reservedFor.every((one) => before.some((known) => deepEqual(known, one)))) return;
    const late = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    errors.push(forbiddenField(AT, late));
  }
}

function allocationErrors({ devices }: AllocationResult, known: ReadonlySet<string>, errors: FieldError[]): void {
  const at = 'status.allocation.devices.results';
  const results = devices?.results ?? [];
  if (results.length > MOST_RESULTS) errors.push(tooMany(at, results.length, MOST_RESULTS));
  results.forEach(({ request = '', driver, pool, device }, index) => {
    requestReference(request, known, `${at}[${index}].request`, errors);
    driverName(driver, `${at}[${index}].driver`, errors);
    poolName(pool, `${at}[${index}].pool`, errors);
    dns1123Label(device, `${at}[${index}].device`, errors);
  });
}

/** How the status of ResourceClaims changes: what was allocated can be given back, and never be changed. */
export const resourceClaimStatus: SubresourceStrategy<ResourceClaim> = {
  ...keepAllButStatus<ResourceClaim>(),
  validateUpdate(claim, old) {
    const errors: FieldError[] = [];
    consumerErrors(claim, old, errors);
    const [now, before] = [claim.status?.allocation, old.status?.allocation];
    if (now === undefined) return errors;
    if (before === undefined) allocationErrors(now, requestNames(claim.spec), errors);
    else if (!deepEqual(now, before)) {
      errors.push(invalid('status.allocation', shownAllocation(now), 'field is immutable'));
    }
    return errors;
  },
};
