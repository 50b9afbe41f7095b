/** The spec of a PersistentVolumeClaim, of its own or of a template. */
import { forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';
import { canonical, compareQuantity, fractionalBytes, parseQuantity, value } from '../../apimachinery/quantity.ts';
import type {
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../generated/types/core.v1.ts';
import { dns1123Subdomain, optionalSubdomain } from '../validation/formats.ts';
import { eachValue, oneOf, optional, present, type Rule, required } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';

const accessMode = oneOf('ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod');

/** The ways in which a volume may be mounted; only one pod at a time excludes all others. */
export const accessModes: Rule<readonly string[] | undefined> = (modes = [], path, errors) => {
  for (const mode of modes) accessMode(mode, path, errors);
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => /^Read(OnlyMany|WriteMany|WriteOnce)$/.test(mode))) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'));
  }
};

/** Whether a volume is a file system or a raw device. */
export const volumeMode = present(oneOf('Block', 'Filesystem'));

const dataSource: Rule<TypedLocalObjectReference> = ({ apiGroup = '', kind = '', name }, path, errors) => {
  required()(name, `${path}.name`, errors);
  required()(kind, `${path}.kind`, errors);
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  optional<string>(dns1123Subdomain)(apiGroup, `${path}.apiGroup`, errors);
};

const sameSource = (one: TypedLocalObjectReference, other: TypedObjectReference): boolean =>
  one.apiGroup === other.apiGroup && one.kind === other.kind && one.name === other.name;

const dataSources: Rule<PersistentVolumeClaimSpec> = ({ dataSource: own, dataSourceRef: ref }, path, errors) => {
  if (own !== undefined) dataSource(own, `${path}.dataSource`, errors);
  if (ref === undefined) return;
  dataSource(ref, `${path}.dataSourceRef`, errors);
  if (own === undefined) return;
  if (ref.namespace) {
    errors.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  } else if (!sameSource(own, ref)) {
    errors.push(invalid(path, {}, 'must match dataSourceRef'));
  }
};

/** Errors of a claim's spec (`ValidatePersistentVolumeClaimSpec`). */
export const claimSpec: Rule<PersistentVolumeClaimSpec> = (spec, path, errors) => {
  required(undefined, 'at least 1 access mode is required')(spec.accessModes, `${path}.accessModes`, errors);
  labelSelector(spec.selector, `${path}.selector`, errors);
  accessModes(spec.accessModes, `${path}.accessModes`, errors);
  const at = `${path}.resources[storage]`;
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) errors.push(requiredError(at));
  else if (compareQuantity(storage, '0') <= 0) {
    errors.push(invalid(at, canonical(storage), 'must be greater than zero'));
  }
  optionalSubdomain(spec.storageClassName, `${path}.storageClassName`, errors);
  volumeMode(spec.volumeMode, `${path}.volumeMode`, errors);
  dataSources(spec, path, errors);
  optionalSubdomain(spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`, errors);
};

const isClaimOrSnapshot = ({ apiGroup = '', kind }: TypedLocalObjectReference): boolean =>
  (apiGroup === '' && kind === 'PersistentVolumeClaim') ||
  (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot');

/**
 * Lets `dataSource` and `dataSourceRef` say the same, in place: either follows from the other. A data source of another
 * kind goes, unless it was there before, and so does a reference to another namespace, which upstream does not serve yet.
 */
export function settleDataSources(spec: PersistentVolumeClaimSpec, old?: PersistentVolumeClaimSpec): void {
  if (spec.dataSourceRef?.namespace && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const { dataSource: own } = spec;
  if (own !== undefined && !isClaimOrSnapshot(own) && old?.dataSource === undefined) delete spec.dataSource;
  if (spec.dataSourceRef?.namespace) return;
  if (spec.dataSource !== undefined) spec.dataSourceRef ??= { ...spec.dataSource };
  else if (spec.dataSourceRef !== undefined) {
    const { namespace: _, ...local } = spec.dataSourceRef;
    spec.dataSource = local;
  }
}

/** Warnings of a claim's spec (`GetWarningsForPersistentVolumeClaimSpec`). */
export function claimSpecWarnings(spec: PersistentVolumeClaimSpec | undefined, path: string): string[] {
  const { requests, limits } = spec?.resources ?? {};
  return [
    ...fractionalBytes(requests?.['storage'], `${path}.resources.requests[storage]`),
    ...fractionalBytes(limits?.['storage'], `${path}.resources.limits[storage]`),
  ];
}

/** Amounts of resources that are not below zero (`validateBasicResource`). */
export const basicResources: Rule<Record<string, string> | undefined> = eachValue((amount, path, errors) => {
  const whole = value(parseQuantity(amount));
  if (whole < 0) errors.push(invalid(path, whole, 'must be a valid resource quantity'));
});
