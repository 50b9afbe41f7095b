/** What a request takes of a device's capacity (upstream's `consumable_capacity`). */
import { add, cmp, fromNumber, parseQuantity, type Quantity, value } from '../../../apimachinery/quantity.ts';
import type { CapacityRequirements, Device, DeviceCapacity } from '../../../generated/types/resource.v1.ts';
import type { Amounts } from './allocated.ts';

/** What is taken of one capacity: what is asked for, brought to an amount that its policy knows. */
function consumed(asked: string | undefined, { value: whole = '0', requestPolicy }: DeviceCapacity): Quantity {
  if (asked === undefined) return parseQuantity(requestPolicy?.default ?? whole);
  const amount = parseQuantity(asked);
  const { min, step } = requestPolicy?.validRange ?? {};
  if (min !== undefined) {
    const least = parseQuantity(min);
    if (cmp(amount, least) < 0) return least;
    const size = step === undefined ? 0 : value(parseQuantity(step));
    if (size <= 0) return amount;
    return fromNumber(value(least) + size * Math.ceil((value(amount) - value(least)) / size), 'BinarySI');
  }
  const fits = requestPolicy?.validValues?.map(parseQuantity).find((valid) => cmp(amount, valid) <= 0);
  return fits ?? amount;
}

/** Whether a policy has no place for an amount. */
function violates(amount: Quantity, { requestPolicy }: DeviceCapacity): boolean {
  const { default: usual, validRange, validValues } = requestPolicy ?? {};
  if (usual !== undefined && cmp(amount, parseQuantity(usual)) === 0) return false;
  if (validRange?.max !== undefined && cmp(amount, parseQuantity(validRange.max)) > 0) return true;
  if (validRange !== undefined || validValues === undefined || validValues.length === 0) return false;
  return !validValues.some((valid) => cmp(amount, parseQuantity(valid)) === 0);
}

/**
 * What a request takes of a device beside what others `taken` of it; undefined when there is not enough, or the device has no such
 * capacity.
 */
export function consumedOf(
  device: Device,
  asked: CapacityRequirements | undefined,
  taken: readonly (Amounts | undefined)[],
): Amounts | undefined {
  const capacity = device.capacity ?? {};
  const requests = asked?.requests ?? {};
  if (Object.keys(requests).some((name) => !Object.hasOwn(capacity, name))) return undefined;
  const takes: Amounts = new Map();
  for (const [name, one] of Object.entries(capacity)) {
    const amount = consumed(requests[name], one);
    if (violates(amount, one)) return undefined;
    const total = taken.reduce((sum, others) => add(sum, others?.get(name) ?? fromNumber(0)), amount);
    if (cmp(total, parseQuantity(one.value ?? '0')) > 0) return undefined;
    takes.set(name, amount);
  }
  return takes;
}
