import { duplicate, type FieldError, invalid, required, tooMany } from '../../apimachinery/field.ts';
import { now } from '../../apimachinery/meta.ts';
import { isDns1123Subdomain } from '../../apimachinery/names.ts';
import type { DeviceClass, ResourcePool, ResourceSlice, ResourceSliceSpec } from '../../generated/types/resource.v1.ts';
import { nodeSelectorTerm } from '../core/go-types/scheduling.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { isExtended } from '../validation/resource-names.ts';
import { each, immutable } from '../validation/rules.ts';
import { nodeSelector } from '../validation/selectors.ts';
import { deviceConfiguration, driverName, poolName, selectorErrors } from './devices.ts';
import { counterErrors, deviceErrors, hasAdvancedFeatures } from './slice-devices.ts';

const MOST_DEVICES = 128;
/** Where devices have taints or counters. */
const MOST_ADVANCED_DEVICES = 64;
const MOST_CONFIGURATIONS = 32;

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

function sliceErrors({ spec = {} }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = [];
  driverName(spec.driver, 'spec.driver', errors);
  errors.push(...poolErrors(spec.pool ?? {}), ...placeErrors(spec));
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  errors.push(...counterErrors(spec.sharedCounters ?? []));
  const devices = spec.devices ?? [];
  const most = hasAdvancedFeatures(devices) ? MOST_ADVANCED_DEVICES : MOST_DEVICES;
  if (devices.length > most) return [...errors, tooMany('spec.devices', devices.length, most)];
  devices.forEach((device, index) => {
    const at = `spec.devices[${index}]`;
    deviceErrors(device, spec.perDeviceNodeSelection === true, at, errors);
    const first = devices.findIndex(({ name = '' }) => name === (device.name ?? ''));
    if (first < index) errors.push(duplicate(at, device.name ?? ''));
  });
  return errors;
}

const countersOf = (spec: ResourceSliceSpec | undefined) =>
  spec?.devices?.flatMap(({ consumesCounters = [] }) => consumesCounters) ?? [];

/** What is switched off: lists of values, and what of a node is a device's. */
function dropDisabled({ spec }: ResourceSlice): void {
  for (const device of spec?.devices ?? []) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      for (const field of ['bools', 'ints', 'strings', 'versions'] as const) delete attribute[field];
    }
  }
}

/** As a name is told to be too long there (`validate.LongName`). */
const longName = (name: string, prefix: boolean): string[] =>
  prefix ? [] : isDns1123Subdomain(name).map((problem) => problem.replace('253 characters', '253 bytes'));

/** How ResourceSlices are made: whose they are and of which pool is settled once. */
export const resourceSlice: Strategy<ResourceSlice> = {
  metadataChecks: [0, 1],
  warnings: ({ spec }) =>
    /[A-Z]/.test(spec?.driver ?? '')
      ? [`spec.driver: driver names should be lowercase; ${JSON.stringify(spec?.driver)} contains uppercase characters`]
      : [],
  prepareForCreate: dropDisabled,
  prepareForUpdate: dropDisabled,
  default({ spec }) {
    for (const { counters } of [...(spec?.sharedCounters ?? []), ...countersOf(spec)]) {
      for (const counter of Object.values(counters ?? {})) counter.value ??= '0';
    }
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
    immutable(spec.nodeName ?? null, was.nodeName ?? null, 'spec.nodeName', errors);
    return errors;
  },
};

/** How DeviceClasses are made. */
export const deviceClass: Strategy<DeviceClass> = {
  generation: true,
  // Of a generated name only the result is looked at.
  nameErrors: longName,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    if (spec.extendedResourceName !== undefined && !isExtended(spec.extendedResourceName)) {
      const detail = 'must be a valid extended resource name';
      errors.push(invalid('spec.extendedResourceName', spec.extendedResourceName, detail));
    }
    selectorErrors(spec.selectors, 'spec.selectors', errors);
    const config = spec.config ?? [];
    if (config.length > MOST_CONFIGURATIONS) {
      errors.push(tooMany('spec.config', config.length, MOST_CONFIGURATIONS));
    }
    each(deviceConfiguration)(config, 'spec.config', errors);
    return errors;
  },
};
