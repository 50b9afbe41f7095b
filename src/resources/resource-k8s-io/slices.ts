import { duplicate, type FieldError, invalid, required, tooLong, tooMany } from '../../apimachinery/field.ts';
import { now } from '../../apimachinery/meta.ts';
import { byteLength, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  Device,
  DeviceAttribute,
  DeviceClass,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../generated/types/resource.v1.ts';
import { nodeSelectorTerm } from '../core/go-types/scheduling.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Label, dns1123Subdomain } from '../validation/formats.ts';
import { each, immutable } from '../validation/rules.ts';
import { nodeSelector } from '../validation/selectors.ts';
import { attributeName, deviceConfiguration, deviceTaint, driverName, poolName, selectorErrors } from './devices.ts';

const LONGEST_ATTRIBUTE = 64;
const MOST_DEVICES = 128;
const MOST_ATTRIBUTES = 32;
const MOST_CONFIGURATIONS = 32;
const MOST_TAINTS = 16;

function poolErrors({ name = '', generation = 0, resourceSliceCount: count = 0 }: ResourcePool): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.pool';
  poolName(name, `${at}.name`, errors);
  if (count <= 0) errors.push(invalid(`${at}.resourceSliceCount`, count, 'must be greater than zero'));
  if (generation < 0) errors.push(invalid(`${at}.generation`, generation, 'must be greater than or equal to zero'));
  return errors;
}

/** Where devices are: on a node, on some, on all, or each in a place of its own. */
function placeErrors(spec: ResourceSliceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const set: string[] = [];
  if (spec.nodeName === '') {
    errors.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'));
  } else if (spec.nodeName !== undefined) {
    set.push('`nodeName`');
    dns1123Subdomain(spec.nodeName, 'spec.nodeName', errors);
  }
  if (spec.nodeSelector !== undefined) {
    set.push('`nodeSelector`');
    nodeSelector(spec.nodeSelector, 'spec.nodeSelector', errors);
    const terms = spec.nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const at = 'spec.nodeSelector.nodeSelectorTerms';
      errors.push(
        invalid(
          at,
          spec.nodeSelector.nodeSelectorTerms?.map(nodeSelectorTerm),
          'must have exactly one node selector term',
        ),
      );
    }
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === true) set.push(`\`${field}\``);
    else if (spec[field] === false) {
      errors.push(invalid(`spec.${field}`, false, 'must be either unset or set to true'));
    }
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (set.length === 0) errors.push(required('spec', one));
  else if (set.length > 1) {
    errors.push(invalid('spec', `{${set.join(', ')}}`, `${one}, but multiple fields are set`));
  }
  return errors;
}

function attributeErrors(attribute: DeviceAttribute, at: string, errors: FieldError[]): void {
  const values = Object.values(attribute).filter((value) => value !== undefined);
  if (values.length !== 1) errors.push(invalid(at, '', 'exactly one value must be specified'));
  for (const field of ['string', 'version'] as const) {
    if (byteLength(attribute[field] ?? '') > LONGEST_ATTRIBUTE) {
      errors.push(tooLong(`${at}.${field}`, LONGEST_ATTRIBUTE));
    }
  }
}

function deviceErrors(device: Device, at: string, errors: FieldError[]): void {
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
  for (const name of Object.keys(capacity)) attributeName(name, `${at}.capacity`, errors);
  if (taints.length > MOST_TAINTS) errors.push(tooMany(`${at}.taints`, taints.length, MOST_TAINTS));
  each(deviceTaint)(taints, `${at}.taints`, errors);
}

function sliceErrors({ spec = {} }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = [];
  driverName(spec.driver, 'spec.driver', errors);
  errors.push(...poolErrors(spec.pool ?? {}), ...placeErrors(spec));
  const devices = spec.devices ?? [];
  if (devices.length > MOST_DEVICES) errors.push(tooMany('spec.devices', devices.length, MOST_DEVICES));
  devices.forEach((device, index) => {
    const at = `spec.devices[${index}]`;
    deviceErrors(device, at, errors);
    const first = devices.findIndex(({ name = '' }) => name === (device.name ?? ''));
    if (first < index) errors.push(duplicate(at, device.name ?? ''));
  });
  return errors;
}

/** How ResourceSlices are made: whose they are and of which pool is settled once. */
export const resourceSlice: Strategy<ResourceSlice> = {
  metadataChecks: [0, 1],
  default({ spec }) {
    for (const device of spec?.devices ?? []) {
      // A quantity is never absent.
      for (const capacity of Object.values(device.capacity ?? {})) capacity.value ??= '0';
      for (const taint of device.taints ?? []) taint.timeAdded ??= now();
    }
  },
  validate: sliceErrors,
  validateUpdate(slice, old) {
    const errors = sliceErrors(slice);
    const [spec, was] = [slice.spec ?? {}, old.spec ?? {}];
    immutable(spec.pool?.name ?? '', was.pool?.name ?? '', 'spec.pool.name', errors);
    immutable(spec.driver ?? '', was.driver ?? '', 'spec.driver', errors);
    for (const field of ['nodeName', 'nodeSelector', 'allNodes'] as const) {
      immutable(spec[field] ?? null, was[field] ?? null, `spec.${field}`, errors);
    }
    return errors;
  },
};

/** How DeviceClasses are made. */
export const deviceClass: Strategy<DeviceClass> = {
  generation: true,
  // Of a generated name only the result is looked at.
  nameErrors: (name, prefix) => (prefix ? [] : isDns1123Subdomain(name)),
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    selectorErrors(spec.selectors, 'spec.selectors', errors);
    const config = spec.config ?? [];
    if (config.length > MOST_CONFIGURATIONS) {
      errors.push(tooMany('spec.config', config.length, MOST_CONFIGURATIONS));
    }
    each(deviceConfiguration)(config, 'spec.config', errors);
    return errors;
  },
};
