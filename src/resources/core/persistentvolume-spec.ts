/** What a PersistentVolume may say, and how it may change. */
import {
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required as requiredError,
} from '../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import type {
  NodeSelectorTerm,
  PersistentVolume,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from '../../generated/types/core.v1.ts';
import { dns1123Subdomain, optionalSubdomain } from '../validation/formats.ts';
import { quantities, structDiff } from '../validation/go-struct.ts';
import { eachValue, immutable, oneOf, optional, present, type Rule, required } from '../validation/rules.ts';
import { nodeSelector } from '../validation/selectors.ts';
import { accessModes, basicResources, volumeMode } from './claim-spec.ts';
import { persistentVolumeSource, volumeNodeAffinity } from './go-types/persistent-volume.ts';
import { REPLACED_LABELS } from './node-labels.ts';
import { sourceOf, volumeSource } from './persistentvolume-source.ts';
import { semanticallyEqual } from './pod-spec/semantic-equal.ts';

const capacity: Rule<Record<string, string> | undefined> = (amounts, path, errors) => {
  const names = Object.keys(amounts ?? {});
  if (names.length === 0) errors.push(requiredError(path));
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported(path, quantities(amounts), ['storage']));
};

const positive: Rule<string> = (amount, path, errors) => {
  if (compareQuantity(amount, '0') <= 0) errors.push(invalid(path, canonical(amount), 'must be greater than zero'));
};

const nodeAffinity = present<VolumeNodeAffinity>((value, path, errors) => {
  const at = `${path}.required`;
  if (value.required === undefined) errors.push(requiredError(at, 'must specify required node constraints'));
  else nodeSelector(value.required, at, errors);
});

const RECYCLED_ROOT = "may not be 'recycle' for a hostPath mount of '/'";

/** Errors of a PersistentVolume's spec (`ValidatePersistentVolumeSpec`). */
const persistentVolumeSpec: Rule<PersistentVolumeSpec> = (spec, path, errors) => {
  const { persistentVolumeReclaimPolicy: policy, volumeAttributesClassName: attributes } = spec;
  required()(spec.accessModes, `${path}.accessModes`, errors);
  accessModes(spec.accessModes, `${path}.accessModes`, errors);
  capacity(spec.capacity, `${path}.capacity`, errors);
  basicResources(spec.capacity, `${path}.capacity`, errors);
  eachValue(positive)(spec.capacity, `${path}.capacity`, errors);
  optional<string>(oneOf('Delete', 'Recycle', 'Retain'))(policy, `${path}.persistentVolumeReclaimPolicy`, errors);
  nodeAffinity(spec.nodeAffinity, `${path}.nodeAffinity`, errors);
  volumeSource(spec, path, errors);
  if (spec.local !== undefined && spec.nodeAffinity === undefined) {
    errors.push(requiredError(`${path}.nodeAffinity`, 'Local volume requires node affinity'));
  }
  const isRoot = spec.hostPath !== undefined && /^\/+(\.?\/*)*$/.test(spec.hostPath.path ?? '');
  if (isRoot && policy === 'Recycle') {
    errors.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, RECYCLED_ROOT));
  }
  optionalSubdomain(spec.storageClassName, `${path}.storageClassName`, errors);
  volumeMode(spec.volumeMode, `${path}.volumeMode`, errors);
  if (attributes === undefined) return;
  const at = `${path}.volumeAttributesClassName`;
  required<string>(dns1123Subdomain, 'an empty string is disallowed')(attributes, at, errors);
  if (spec.csi === undefined) {
    errors.push(requiredError(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'));
  }
};

/** An annotation from before there was a field. */
export const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options';
/** Kinds of storage that are mounted without options. */
const UNMOUNTED = ['hostPath', 'flocker', 'fc', 'flexVolume', 'portworxVolume', 'scaleIO', 'local', 'storageos', 'csi'];

function mountOptionErrors({ spec = {}, metadata }: PersistentVolume): FieldError[] {
  if (metadata.annotations?.[MOUNT_OPTIONS] === undefined) return [];
  const takesThem = Object.entries(sourceOf(spec)).some(
    ([name, value]) => value !== undefined && !UNMOUNTED.includes(name),
  );
  const at = `metadata.annotations.${MOUNT_OPTIONS}`;
  return takesThem ? [] : [forbiddenField(at, 'may not specify mount options for this volume type')];
}

function specErrors({ spec = {} }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  persistentVolumeSpec(spec, 'spec', errors);
  return errors;
}

/** Errors of a new PersistentVolume (`ValidatePersistentVolume`). */
export function validatePersistentVolume(volume: PersistentVolume): FieldError[] {
  return [...specErrors(volume), ...mountOptionErrors(volume)];
}

/** The old term, with the labels that the new one has replaced by today's; upstream lets a key go likewise. */
function migrated(old: NodeSelectorTerm, now: NodeSelectorTerm | undefined): NodeSelectorTerm {
  const matchExpressions = old.matchExpressions?.map((was, index) => {
    const key = now?.matchExpressions?.[index]?.key;
    const goes = now?.matchExpressions?.[index] !== undefined && (key ?? '') === (REPLACED_LABELS[was.key ?? ''] ?? '');
    return goes ? { ...was, key } : was;
  });
  return { ...old, matchExpressions };
}

function nodeAffinityErrors(now: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): FieldError[] {
  const terms = old.required?.nodeSelectorTerms?.map((term, index) =>
    migrated(term, now?.required?.nodeSelectorTerms?.[index]),
  );
  const allowed = { required: old.required && { ...old.required, nodeSelectorTerms: terms } };
  if (semanticallyEqual(now, old) || semanticallyEqual(now, allowed)) return [];
  const detail = 'field is immutable, except for updating from beta label to GA';
  return [invalid('nodeAffinity', volumeNodeAffinity(now), detail)];
}

/** Errors of a PersistentVolume that was changed, twice as upstream finds them, and of the change (`ValidatePersistentVolumeUpdate`). */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const { spec = {} } = volume;
  const { spec: was = {} } = old;
  const errors = [...validatePersistentVolume(volume), ...specErrors(volume)];
  const now = sourceOf(spec);
  if (was.csi !== undefined && was.csi.controllerExpandSecretRef === undefined && now.csi !== undefined) {
    now.csi = { ...now.csi, controllerExpandSecretRef: undefined };
  }
  if (!semanticallyEqual(now, sourceOf(was))) {
    const diff = structDiff(persistentVolumeSource, was, now);
    const detail = `spec.persistentvolumesource is immutable after creation\n${diff}`;
    errors.push(forbiddenField('spec.persistentvolumesource', detail));
  }
  immutable(spec.volumeMode, was.volumeMode, 'volumeMode', errors);
  if (was.nodeAffinity !== undefined) errors.push(...nodeAffinityErrors(spec.nodeAffinity, was.nodeAffinity));
  if (was.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const detail = 'update from non-nil value to nil is forbidden';
    errors.push(forbiddenField('spec.volumeAttributesClassName', detail));
  }
  return errors;
}
