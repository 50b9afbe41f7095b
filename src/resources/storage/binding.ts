/** Which volume suits which claim: what the binder and the scheduler share (`component-helpers/storage/volume`). Pure. */
import { fromLabelSelector, matches } from '../../apimachinery/labels.ts';
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';

/** On a claim: its binding was complete once. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** On a claim or a volume: the binding is the controller's, not the user's. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** On a claim: the node that the scheduler chose, for which the volume shall be provisioned. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** On a volume: who provisioned it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** The provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** Whether the claim says anything about its class, be it that it wants none. */
export const hasClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  (metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName) !== undefined;

/** The class of a claim or a volume; empty for none. */
export const classOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? '';

/** Whether the volume is bound to this claim, or reserved for one of its name. */
export function isVolumeBoundToClaim({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const ref = spec?.claimRef;
  if (ref === undefined || ref.name !== metadata.name || ref.namespace !== metadata.namespace) return false;
  return !ref.uid || ref.uid === metadata.uid;
}

/** Whether the volume allows all access modes that the claim wants. */
export function allowsAccess({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode) === true);
}

/** Whether one is of blocks and the other of files. */
export const modesDiffer = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem');

/** A volume's storage, or what a claim wants of it. */
export const storageOf = (list: Record<string, string> | undefined): string => list?.['storage'] ?? '0';

export interface MatchOptions {
  /** Only volumes that are reserved for the claim: the scheduler chooses among the others. */
  reservedOnly?: boolean;
  /** The scheduler's: whether the node that it looks at reaches the volume. */
  fitsNode?(volume: PersistentVolume): boolean;
  /** Names of volumes that other claims of the pod get. */
  taken?: ReadonlySet<string>;
}

/** The volume for a claim: the one that is reserved for it, else the smallest that suffices (`FindMatchingVolume`). */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { reservedOnly = false, fitsNode, taken }: MatchOptions = {},
): PersistentVolume | undefined {
  const { selector, resources, volumeAttributesClassName = '' } = claim.spec ?? {};
  const labels = selector === undefined ? undefined : fromLabelSelector(selector);
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    const { metadata, spec, status } = volume;
    const reserved = isVolumeBoundToClaim(volume, claim);
    if (taken?.has(metadata.name) || (spec?.claimRef !== undefined && !reserved)) continue;
    if (compareQuantity(storageOf(spec?.capacity), storageOf(resources?.requests)) < 0) continue;
    if (modesDiffer(volume, claim) || (spec?.volumeAttributesClassName ?? '') !== volumeAttributesClassName) continue;
    if (metadata.deletionTimestamp !== undefined) continue;
    const reached = fitsNode?.(volume) !== false;
    if (reserved) return reached ? volume : undefined;
    if (reservedOnly || !reached || status?.phase !== 'Available') continue;
    if (labels !== undefined && !matches(labels, metadata.labels)) continue;
    if (classOf(volume) !== classOf(claim)) continue;
    if (fitsNode !== undefined && !allowsAccess(volume, claim)) continue;
    if (smallest === undefined || compareQuantity(storageOf(smallest.spec?.capacity), storageOf(spec?.capacity)) > 0) {
      smallest = volume;
    }
  }
  return smallest;
}

/** The volume as it is when bound to the claim (`GetBindVolumeToClaim`); the same object where nothing is missing. */
export function bindVolumeToClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const ref = volume.spec?.claimRef;
  const bound = ref?.name === name && ref?.namespace === namespace && ref?.uid === uid;
  const annotated = volume.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined;
  const annotate = !isVolumeBoundToClaim(volume, claim) && !annotated;
  if (bound && !annotate) return volume;
  const claimRef = { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion };
  const annotations = annotate ? { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' } : undefined;
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...volume.spec, ...(bound ? {} : { claimRef }) },
  };
}
