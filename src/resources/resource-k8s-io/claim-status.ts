/** What a claim was given, and who uses it (`ValidateResourceClaimStatusUpdate`). */
import { deepEqual } from '../../apimachinery/equal.ts';
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import { cidrFamily } from '../../apimachinery/networks.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  NetworkDeviceData,
  ResourceClaim,
} from '../../generated/types/resource.v1.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, STATUS_KEEPS } from '../strategies.ts';
import { conditions } from '../validation/conditions.ts';
import { dns1123Label } from '../validation/formats.ts';
import { listOf, nullable, pointerTo, struct, text } from '../validation/go-struct.ts';
import { nodeSelector } from '../validation/selectors.ts';
import { requestNames, requestReference, shownTolerations } from './claim-spec.ts';
import { deviceConfiguration, driverName, poolName } from './devices.ts';
import { bindingErrors } from './slice-devices.ts';

const MOST_CONSUMERS = 256;
const MOST_RESULTS = 32;
const AT = 'status.reservedFor';
const SOURCES = ['FromClaim', 'FromClass'];
const MOST_CONDITIONS = 8;
const MOST_IPS = 16;
const LONGEST_INTERFACE = 256;
const LONGEST_HARDWARE = 128;
const shownDevice = struct({ Driver: text, Pool: text, Device: text, ShareID: text });

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

function allocationErrors(
  { devices, nodeSelector: nodes }: AllocationResult,
  known: ReadonlySet<string>,
  errors: FieldError[],
): void {
  const at = 'status.allocation.devices.results';
  const results = devices?.results ?? [];
  if (results.length > MOST_RESULTS) errors.push(tooMany(at, results.length, MOST_RESULTS));
  results.forEach((result, index) => {
    const { request = '', driver, pool, device } = result;
    requestReference(request, known, `${at}[${index}].request`, errors);
    driverName(driver, `${at}[${index}].driver`, errors);
    poolName(pool, `${at}[${index}].pool`, errors);
    dns1123Label(device, `${at}[${index}].device`, errors);
    bindingErrors(result, `${at}[${index}]`, errors);
    shareErrors(result.shareID, `${at}[${index}].shareID`, errors);
  });
  configErrors(devices?.config ?? [], known, errors);
  if (nodes !== undefined) nodeSelector(nodes, 'status.allocation.nodeSelector', errors);
}

function configErrors(
  list: readonly DeviceAllocationConfiguration[],
  known: ReadonlySet<string>,
  errors: FieldError[],
) {
  list.forEach((config, index) => {
    const at = `status.allocation.devices.config[${index}]`;
    const source = config.source ?? '';
    if (source === '') errors.push(required(`${at}.source`));
    else if (!SOURCES.includes(source)) errors.push(notSupported(`${at}.source`, source, SOURCES));
    config.requests?.forEach((request, which) => {
      requestReference(request, known, `${at}.requests[${which}]`, errors);
    });
    deviceConfiguration(config, at, errors);
  });
}

function shareErrors(id: string | undefined, at: string, errors: FieldError[]): void {
  if (id === undefined) return;
  const length = [36, 38, 45, 32].includes(id.length) ? '' : `: ${id.length}`;
  if (length !== '') errors.push(invalid(at, id, `error validating uid: invalid UUID length${length}`));
  else if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) {
    errors.push(invalid(at, id, 'error validating uid: invalid UUID format'));
  }
}

const idOf = ({ driver = '', pool = '', device = '', shareID }: AllocatedDeviceStatus): string =>
  JSON.stringify([driver, pool, device, shareID ?? '']);

/** Errors of what drivers say of devices that were allocated. */
function deviceErrors({ status }: ResourceClaim, errors: FieldError[]): void {
  const allocated = new Set((status?.allocation?.devices?.results ?? []).map(idOf));
  const devices = status?.devices ?? [];
  devices.forEach((device, index) => {
    const at = `status.devices[${index}]`;
    driverName(device.driver, `${at}.driver`, errors);
    poolName(device.pool, `${at}.pool`, errors);
    dns1123Label(device.device, `${at}.device`, errors);
    shareErrors(device.shareID, `${at}.shareID`, errors);
    if (!allocated.has(idOf(device))) {
      errors.push(invalid(at, shownDevice(device), 'must be an allocated device in the claim'));
    }
    const { length } = device.conditions ?? [];
    if (length > MOST_CONDITIONS) errors.push(tooMany(`${at}.conditions`, length, MOST_CONDITIONS));
    conditions(device.conditions, `${at}.conditions`, errors);
    const { data } = device;
    if (data !== undefined && (typeof data !== 'object' || data === null || Array.isArray(data))) {
      errors.push(invalid(`${at}.data`, '<value omitted>', 'must be a valid JSON object'));
    }
    networkErrors(device.networkData ?? {}, `${at}.networkData`, errors);
    if (devices.findIndex((other) => idOf(other) === idOf(device)) < index) {
      errors.push(duplicate(at, shownDevice(device)));
    }
  });
}

function networkErrors(data: NetworkDeviceData, at: string, errors: FieldError[]): void {
  const { interfaceName = '', hardwareAddress = '', ips = [] } = data;
  if (byteLength(interfaceName) > LONGEST_INTERFACE) errors.push(tooLong(`${at}.interfaceName`, LONGEST_INTERFACE));
  if (byteLength(hardwareAddress) > LONGEST_HARDWARE) errors.push(tooLong(`${at}.hardwareAddress`, LONGEST_HARDWARE));
  if (ips.length > MOST_IPS) {
    errors.push(tooMany(`${at}.ips`, ips.length, MOST_IPS));
    return;
  }
  ips.forEach((address, index) => {
    if (cidrFamily(address) === 0) {
      const detail = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)';
      errors.push(invalid(`${at}.ips[${index}]`, address, detail));
    }
    if (ips.indexOf(address) < index) errors.push(duplicate(`${at}.ips[${index}]`, address));
  });
}

/** How the status of ResourceClaims changes: what was allocated can be given back, and never be changed. */
export const resourceClaimStatus: SubresourceStrategy<ResourceClaim> = {
  ...keepAllButStatus<ResourceClaim>(...STATUS_KEEPS),
  validateUpdate(claim, old) {
    const errors: FieldError[] = [];
    consumerErrors(claim, old, errors);
    deviceErrors(claim, errors);
    const [now, before] = [claim.status?.allocation, old.status?.allocation];
    if (now === undefined) return errors;
    if (before === undefined) allocationErrors(now, requestNames(claim.spec), errors);
    else if (!deepEqual(now, before)) {
      errors.push(invalid('status.allocation', shownAllocation(now), 'field is immutable'));
    }
    return errors;
  },
};
