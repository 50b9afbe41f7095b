/** What a slice says of each of its devices, and of what they share. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  required,
  tooLong,
  tooMany,
} from '../../apimachinery/field.ts';
import { byteLength, isQualifiedName } from '../../apimachinery/names.ts';
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
} from '../../generated/types/resource.v1.ts';
import { dns1123Label, dns1123Subdomain } from '../validation/formats.ts';
import { all, nullable, struct } from '../validation/go-struct.ts';
import { each, required as requiredRule } from '../validation/rules.ts';
import { nodeSelector } from '../validation/selectors.ts';
import { attributeName, deviceTaint } from './devices.ts';

const LONGEST_ATTRIBUTE = 64;
const MOST_ATTRIBUTES = 32;
const MOST_TAINTS = 16;
const MOST_COUNTERS = 32;
const MOST_COUNTER_SETS = 8;
const MOST_CONSUMPTIONS = 2;
const MOST_BINDING_CONDITIONS = 4;
const NUMBER = '(?:0|[1-9]\\d*)';
const SEMVER = new RegExp(
  `^${NUMBER}(?:\\.${NUMBER}){2}(?:-(?:${NUMBER}|\\d*[a-zA-Z-][\\da-zA-Z-]*)(?:\\.(?:${NUMBER}|\\d*[a-zA-Z-][\\da-zA-Z-]*))*)?(?:\\+[\\da-zA-Z-]+(?:\\.[\\da-zA-Z-]+)*)?$`,
);
const counterName = requiredRule<string>(dns1123Label);

const shownAttribute = struct(
  all(
    nullable,
    'IntValue',
    'BoolValue',
    'StringValue',
    'VersionValue',
    'IntValues',
    'BoolValues',
    'StringValues',
    'VersionValues',
  ),
  {
    IntValue: 'int',
    BoolValue: 'bool',
    StringValue: 'string',
    VersionValue: 'version',
    IntValues: 'ints',
    BoolValues: 'bools',
    StringValues: 'strings',
    VersionValues: 'versions',
  },
);

/** Whether there is something of which a slice can hold less. */
export const hasAdvancedFeatures = (devices: readonly Device[]): boolean =>
  devices.some(({ taints = [], consumesCounters = [] }) => taints.length > 0 || consumesCounters.length > 0);

function attributeErrors(attribute: DeviceAttribute, at: string, errors: FieldError[]): void {
  const values = Object.values(attribute).filter((value) => value !== undefined);
  if (values.length !== 1) {
    errors.push(
      invalid(at, values.length === 0 ? '' : shownAttribute(attribute), 'exactly one value must be specified'),
    );
  }
  const { version } = attribute;
  if (version !== undefined && !SEMVER.test(version)) {
    errors.push(invalid(`${at}.version`, version, 'must be a string compatible with semver.org spec 2.0.0'));
  }
  for (const field of ['string', 'version'] as const) {
    if (byteLength(attribute[field] ?? '') > LONGEST_ATTRIBUTE) {
      errors.push(tooLong(`${at}.${field}`, LONGEST_ATTRIBUTE));
    }
  }
}

/** Errors of a device; `ownPlaces`: each device says where it is. */
export function deviceErrors(device: Device, ownPlaces: boolean, at: string, errors: FieldError[]): void {
  const { attributes = {}, capacity = {}, taints = [] } = device;
  dns1123Label(device.name, `${at}.name`, errors);
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  if (total > MOST_ATTRIBUTES) {
    const detail = `the total number of attributes and capacities must not exceed ${MOST_ATTRIBUTES}`;
    errors.push(invalid(at, total, detail));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    attributeName(name, `${at}.attributes`, errors);
    attributeErrors(attribute, `${at}.attributes[${name}]`, errors);
  }
  for (const [name, { requestPolicy }] of Object.entries(capacity)) {
    attributeName(name, `${at}.capacity`, errors);
    if (requestPolicy === undefined || device.allowMultipleAllocations === true) continue;
    errors.push(forbiddenField(`${at}.capacity[${name}].requestPolicy`, 'allowMultipleAllocations must be true'));
  }
  if (taints.length > MOST_TAINTS) errors.push(tooMany(`${at}.taints`, taints.length, MOST_TAINTS));
  else each(deviceTaint)(taints, `${at}.taints`, errors);
  consumptionErrors(device.consumesCounters ?? [], `${at}.consumesCounters`, errors);
  if (ownPlaces) placeErrors(device, at, errors);
  else if (device.nodeName !== undefined || device.nodeSelector !== undefined || device.allNodes !== undefined) {
    const only = 'can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    errors.push(invalid(at, undefined, `\`nodeName\`, \`nodeSelector\` and \`allNodes\` ${only}`));
  }
  bindingErrors(device, at, errors);
}

function placeErrors(device: Device, at: string, errors: FieldError[]): void {
  const set: string[] = [];
  if (device.nodeName === '') errors.push(invalid(`${at}.nodeName`, '', 'must not be empty'));
  else if (device.nodeName !== undefined) {
    set.push('`nodeName`');
    dns1123Subdomain(device.nodeName, `${at}.nodeName`, errors);
  }
  if (device.nodeSelector !== undefined) {
    set.push('`nodeSelector`');
    nodeSelector(device.nodeSelector, `${at}.nodeSelector`, errors);
  }
  if (device.allNodes === true) set.push('`allNodes`');
  else if (device.allNodes === false) {
    errors.push(invalid(`${at}.allNodes`, false, 'must be either unset or set to true'));
  }
  const one =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (set.length === 0) errors.push(required(at, one));
  else if (set.length > 1) errors.push(invalid(at, `{${set.join(', ')}}`, one));
}

/** Conditions that a pod waits for, and those that end its wait (`validateDeviceBindingParameters`). */
export function bindingErrors(
  {
    bindingConditions = [],
    bindingFailureConditions = [],
  }: Pick<Device, 'bindingConditions' | 'bindingFailureConditions'>,
  at: string,
  errors: FieldError[],
): void {
  for (const [field, list] of Object.entries({ bindingConditions, bindingFailureConditions })) {
    const path = `${at}.${field}`;
    const isTooLong = list.length > MOST_BINDING_CONDITIONS;
    if (isTooLong) errors.push(tooMany(path, list.length, MOST_BINDING_CONDITIONS));
    list.forEach((condition, index) => {
      const problems = isTooLong ? [] : isQualifiedName(condition);
      errors.push(...problems.map((problem) => invalid(`${path}[${index}]`, condition, problem)));
      if (list.indexOf(condition) < index) errors.push(duplicate(`${path}[${index}]`, condition));
    });
  }
  bindingFailureConditions.forEach((condition, index) => {
    if (!bindingConditions.includes(condition)) return;
    const detail = 'bindingFailureConditions must not overlap with bindingConditions';
    errors.push(invalid(`${at}.bindingFailureConditions[${index}]`, condition, detail));
  });
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(invalid(`${at}.bindingConditions`, undefined, detail));
  }
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(invalid(`${at}.bindingFailureConditions`, undefined, detail));
  }
}

function countersErrors(counters: object | undefined, at: string, errors: FieldError[]): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) errors.push(required(at));
  else if (names.length > MOST_COUNTERS) errors.push(tooMany(at, names.length, MOST_COUNTERS));
  else for (const name of names) dns1123Label(name, at, errors);
}

function consumptionErrors(list: readonly DeviceCounterConsumption[], at: string, errors: FieldError[]): void {
  if (list.length > MOST_CONSUMPTIONS) {
    errors.push(tooMany(at, list.length, MOST_CONSUMPTIONS));
    return;
  }
  list.forEach(({ counterSet = '', counters }, index) => {
    counterName(counterSet, `${at}[${index}].counterSet`, errors);
    countersErrors(counters, `${at}[${index}].counters`, errors);
    const first = list.findIndex((other) => (other.counterSet ?? '') === counterSet);
    if (first < index) errors.push(duplicate(`${at}[${index}]`, counterSet));
  });
}

/** Errors of the counters that devices share. */
export function counterErrors(sets: readonly CounterSet[]): FieldError[] {
  const at = 'spec.sharedCounters';
  if (sets.length > MOST_COUNTER_SETS) return [tooMany(at, sets.length, MOST_COUNTER_SETS)];
  const errors: FieldError[] = [];
  sets.forEach(({ name = '', counters }, index) => {
    counterName(name, `${at}[${index}].name`, errors);
    countersErrors(counters, `${at}[${index}].counters`, errors);
    const first = sets.findIndex((other) => (other.name ?? '') === name);
    if (first < index) errors.push(duplicate(`${at}[${index}]`, name));
  });
  return errors;
}
