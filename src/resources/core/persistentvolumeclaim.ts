import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { structDiff } from '../validation/go-struct.ts';
import { check, immutable } from '../validation/rules.ts';
import { basicResources, claimSpec, claimSpecWarnings, settleDataSources } from './claim-spec.ts';
import { claimSpec as printedSpec } from './go-types/claim.ts';
import { core } from './group.ts';
import { semanticallyEqual } from './pod-spec/semantic-equal.ts';

/** Where the class was named before there was a field for it. */
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

const validate = ({ spec = {} }: PersistentVolumeClaim): FieldError[] => check(claimSpec, spec, 'spec');

const betaClass = ({ metadata }: PersistentVolumeClaim): string | undefined => metadata.annotations?.[BETA_CLASS];

function annotationWarnings(claim: PersistentVolumeClaim): string[] {
  if (betaClass(claim) === undefined) return [];
  return [`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`];
}

/** Whether the class moves from the annotation to the field. */
function classMoves(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const was = betaClass(old);
  const now = betaClass(claim);
  if (was === undefined || old.spec?.storageClassName !== undefined) return false;
  return claim.spec?.storageClassName === was && (now === undefined || now === was);
}

/** Whether a claim without a class gets one; only that which its annotation names, if it has one. */
function classIsFound(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const name = claim.spec?.storageClassName;
  if (old.spec?.storageClassName !== undefined || name === undefined) return false;
  return betaClass(old) === undefined || betaClass(old) === name;
}

/** The spec without the changes that are allowed: a volume is found, a class is; a bound claim grows or changes its attributes. */
function withoutAllowedChanges(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { spec: was = {} } = old;
  const kept: PersistentVolumeClaimSpec = { ...claim.spec };
  if (!was.volumeName) kept.volumeName = was.volumeName;
  if (classMoves(claim, old) || classIsFound(claim, old)) kept.storageClassName = was.storageClassName;
  if (claim.status?.phase !== 'Bound') return kept;
  kept.volumeAttributesClassName = was.volumeAttributesClassName;
  if (kept.resources?.requests !== undefined) {
    const storage = was.resources?.requests?.['storage'] ?? '0';
    kept.resources = { ...kept.resources, requests: { ...kept.resources.requests, storage } };
  }
  return kept;
}

/** A claim shrinks at most to what the volume has, when growing it has failed. */
function sizeErrors(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const size = (of: PersistentVolumeClaim): string => of.spec?.resources?.requests?.['storage'] ?? '0';
  const has = old.status?.capacity?.['storage'] ?? '0';
  if (compareQuantity(size(claim), size(old)) >= 0 || compareQuantity(size(claim), has) > 0) return [];
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')];
}

function attributesClassErrors(name: string | undefined, old: string | undefined): FieldError[] {
  if (old === undefined || (name !== undefined && name !== '')) return [];
  const to = name === undefined ? 'nil' : 'an empty string';
  return [forbiddenField('spec.volumeAttributesClassName', `update from non-nil value to ${to} is forbidden`)];
}

/** Errors of a claim that was changed, and of the change (`ValidatePersistentVolumeClaimUpdate`). */
function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const { spec = {} } = claim;
  const { spec: was = {} } = old;
  const errors = validate(claim);
  if (!classMoves(claim, old) && betaClass(claim) !== betaClass(old)) {
    errors.push(invalid(`metadata.annotations.${BETA_CLASS}`, betaClass(claim) ?? '', 'field is immutable'));
  }
  const kept = withoutAllowedChanges(claim, old);
  if (!semanticallyEqual(kept, was)) {
    // The name of a volume that was found is no difference to show.
    const from = was.volumeName ? was : { ...was, volumeName: spec.volumeName };
    const to = was.volumeName ? kept : { ...kept, volumeName: spec.volumeName };
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbiddenField('spec', `${detail}\n${structDiff(printedSpec, from, to)}`));
  }
  errors.push(...sizeErrors(claim, old));
  immutable(spec.volumeMode, was.volumeMode, 'volumeMode', errors);
  errors.push(...attributesClassErrors(spec.volumeAttributesClassName, was.volumeAttributesClassName));
  return errors;
}

const status: SubresourceStrategy<PersistentVolumeClaim> = {
  prepareForUpdate: (claim, old) => keep(claim, old, 'spec'),
  validateUpdate({ spec, status }) {
    const errors: FieldError[] = [];
    if (!spec?.accessModes?.length) errors.push(requiredError('Spec.accessModes'));
    basicResources(status?.capacity, 'status.capacity', errors);
    basicResources(status?.allocatedResources, 'status.allocatedResources', errors);
    return errors;
  },
};

/** PersistentVolumeClaims. */
export const persistentVolumeClaim = core<PersistentVolumeClaim>({
  resource: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
  shortNames: ['pvc'],
  subresources: [statusSubresource('PersistentVolumeClaim', status)],
  strategy: {
    returnsDeleted: true,
    generation: false,
    default(claim) {
      claim.spec ??= {};
      claim.spec.volumeMode ??= 'Filesystem';
      claim.status ??= {};
      claim.status.phase ||= 'Pending';
    },
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' };
      if (claim.spec !== undefined) settleDataSources(claim.spec);
    },
    validate,
    prepareForUpdate(claim, old) {
      keep(claim, old, 'status');
      if (claim.spec !== undefined) settleDataSources(claim.spec, old.spec);
    },
    validateUpdate,
    warnings: (claim) => [...annotationWarnings(claim), ...claimSpecWarnings(claim.spec, 'spec')],
  },
});
