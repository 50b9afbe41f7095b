/** The claims of a pod and the volumes that they are bound to, as the volume plugins read them. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { StorageClass } from '../../generated/types/storage.v1.ts';
import type { Objects } from '../framework/plugin.ts';
import type { Candidate } from '../framework/pod-info.ts';

export const CLAIMS = 'core/persistentvolumeclaims';
export const VOLUMES = 'core/persistentvolumes';
export const CLASSES = 'storage.k8s.io/storageclasses';
export const CSI_NODES = 'storage.k8s.io/csinodes';
export const CSI_DRIVERS = 'storage.k8s.io/csidrivers';
export const CSI_CAPACITIES = 'storage.k8s.io/csistoragecapacities';
export const ATTACHMENTS = 'storage.k8s.io/volumeattachments';

/** Whether the pod has a claim, its ephemeral volumes' included. */
export const usesClaims = ({ spec }: Pod): boolean =>
  (spec?.volumes ?? []).some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral);

/** For hints: whether the claim that changed is one of the pod's. */
export function isOwnClaim({ info }: Candidate, before?: KubeObject, after?: KubeObject): boolean {
  const metadata = (after ?? before)?.metadata;
  return metadata !== undefined && info.claims.includes(`${metadata.namespace}/${metadata.name}`);
}

/** A claim by its key. */
export function claimOf(objects: Objects, key: string): PersistentVolumeClaim | undefined {
  const slash = key.indexOf('/');
  return objects.get<PersistentVolumeClaim>(CLAIMS, key.slice(0, slash), key.slice(slash + 1));
}

/** The volume of this name; undefined when there is none. */
export const volumeOf = (objects: Objects, name: string): PersistentVolume | undefined =>
  objects.get<PersistentVolume>(VOLUMES, '', name);

/** The storage class of this name; undefined when there is none. */
export const storageClassOf = (objects: Objects, name: string): StorageClass | undefined =>
  objects.get<StorageClass>(CLASSES, '', name);

/** In the words of an API server. */
export const noSuchClaim = (key: string): string =>
  `persistentvolumeclaim "${key.slice(key.indexOf('/') + 1)}" not found`;
/** What the API server would say of a storage class that does not exist. */
export const noSuchClass = (name: string): string => `storageclass.storage.k8s.io "${name}" not found`;
