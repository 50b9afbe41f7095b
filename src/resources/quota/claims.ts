/** Claims of volumes and of devices as quotas see them (upstream's `pvcEvaluator` and `claimEvaluator`). */
import { compareQuantity, formatQuantity, fromNumber, parseQuantity, value } from '../../apimachinery/quantity.ts';
import type { PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type { ResourceClaim } from '../../generated/types/resource.v1.ts';
import type { Evaluator } from './evaluator.ts';
import { addLists, maxLists, type ResourceList } from './resource-list.ts';

const CLAIMS = 'persistentvolumeclaims';
const STORAGE = 'requests.storage';
const BY_CLASS = '.storageclass.storage.k8s.io/';
const ATTRIBUTES = 'VolumeAttributesClass';

/** Upstream's `pvcEvaluator`. */
export const volumeClaimEvaluator: Evaluator = {
  group: '',
  resource: CLAIMS,
  updates: [''],
  matches: (name) =>
    name === `count/${CLAIMS}` || [CLAIMS, STORAGE].some((own) => name === own || name.endsWith(`${BY_CLASS}${own}`)),
  measure(object) {
    const claim = object as PersistentVolumeClaim;
    const storageClass = storageClassOf(claim);
    const amounts: [string, string][] = [[CLAIMS, '1']];
    const storage = storageOf(claim);
    if (storage !== undefined) amounts.push([STORAGE, storage]);
    const ofClass = amounts.map(([name, amount]) => [`${storageClass}${BY_CLASS}${name}`, amount] as const);
    const usage = Object.fromEntries([
      [`count/${CLAIMS}`, '1'],
      ...amounts,
      ...(storageClass === '' ? [] : ofClass),
    ]) as ResourceList;
    const classes = attributesClassesOf(claim);
    return { usage, scopes: classes.length === 0 ? [] : [ATTRIBUTES], scopeValues: { [ATTRIBUTES]: classes } };
  },
};

/** The class by which a claim is served, the old annotation first (`GetPersistentVolumeClaimClass`). */
export function storageClassOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '';
}

/** Whole bytes of what was asked for, or of what was given where that is more. */
function storageOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.['storage'];
  if (asked === undefined) return undefined;
  const given = status?.allocatedResources?.['storage'] ?? asked;
  return wholeBytes(compareQuantity(given, asked) > 0 ? given : asked);
}

function wholeBytes(text: string): string {
  const quantity = parseQuantity(text);
  return formatQuantity(fromNumber(value(quantity), quantity.format));
}

function attributesClassesOf({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[];
}

const DEVICES = '.deviceclass.resource.k8s.io/devices';
/** So many devices a request for all of them may get (`AllocationResultsMaxSize`). */
const MOST_DEVICES = 32;

interface DeviceRequest {
  deviceClassName?: string;
  allocationMode?: string;
  count?: number;
}

/** Upstream's `claimEvaluator`: devices by class. */
export const deviceClaimEvaluator: Evaluator = {
  group: 'resource.k8s.io',
  resource: 'resourceclaims',
  updates: [],
  matches: (name) => name === 'count/resourceclaims.resource.k8s.io' || name.endsWith(DEVICES),
  measure(object) {
    let usage: ResourceList = { 'count/resourceclaims.resource.k8s.io': '1' };
    for (const { exactly, firstAvailable } of (object as ResourceClaim).spec?.devices?.requests ?? []) {
      if (exactly !== undefined) usage = addLists(usage, devicesOf(exactly));
      // Of alternatives one will do: by class the most that any of them takes.
      else usage = addLists(usage, (firstAvailable ?? []).map(devicesOf).reduce(maxLists, {}));
    }
    return { usage, scopes: [], scopeValues: {} };
  },
};

function devicesOf({ deviceClassName = '', allocationMode, count = 1 }: DeviceRequest): ResourceList {
  const devices = allocationMode === 'All' ? MOST_DEVICES : count;
  return Object.fromEntries([[`${deviceClassName}${DEVICES}`, formatQuantity(fromNumber(devices))]]);
}
