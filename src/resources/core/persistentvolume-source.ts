/** The storage that a PersistentVolume may name: exactly one kind. */
import { forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';
import type {
  AzureFilePersistentVolumeSource,
  CinderPersistentVolumeSource,
  CSIPersistentVolumeSource,
  GlusterfsPersistentVolumeSource,
  LocalVolumeSource,
  ObjectReference,
  PersistentVolumeSpec,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '../../generated/types/core.v1.ts';
import { dns1123Label, dns1123Subdomain, noBacksteps } from '../validation/formats.ts';
import { all, fields, present, type Rule, required } from '../validation/rules.ts';
import { csiDriverName, SHARED_SOURCES, storageOsNames } from './volume-sources.ts';

const secretRef = present(fields<SecretReference>({ name: required(), namespace: required() }));
const csiSecretRef = present(
  fields<SecretReference>({
    name: required<string | undefined>(dns1123Subdomain),
    namespace: required<string | undefined>(dns1123Label),
  }),
);

const endpointsNamespace: Rule<string> = (value, path, errors) => {
  const detail = 'if the endpointnamespace is set, it must be a valid namespace name';
  if (value === '') errors.push(invalid(path, value, detail));
  else dns1123Label(value, path, errors);
};

const { hostPath, gcePersistentDisk, awsElasticBlockStore, glusterfs, azureFile, ...others } = SHARED_SOURCES;

/** In upstream's order, by which the second of two sources is the one too many. */
const SOURCES: { [K in keyof PersistentVolumeSpec]?: Rule<NonNullable<PersistentVolumeSpec[K]>> } = {
  hostPath,
  gcePersistentDisk,
  awsElasticBlockStore,
  glusterfs: all<GlusterfsPersistentVolumeSource>(
    glusterfs,
    fields<GlusterfsPersistentVolumeSource>({ endpointsNamespace: present(endpointsNamespace) }),
  ),
  flocker: others.flocker,
  nfs: others.nfs,
  rbd: others.rbd,
  quobyte: others.quobyte,
  cephfs: others.cephfs,
  iscsi: others.iscsi,
  cinder: fields<CinderPersistentVolumeSource>({ volumeID: required(), secretRef }),
  fc: others.fc,
  flexVolume: others.flexVolume,
  azureFile: all<AzureFilePersistentVolumeSource>(
    azureFile,
    fields<AzureFilePersistentVolumeSource>({ secretNamespace: present(required()) }),
  ),
  vsphereVolume: others.vsphereVolume,
  azureDisk: others.azureDisk,
  photonPersistentDisk: others.photonPersistentDisk,
  portworxVolume: others.portworxVolume,
  scaleIO: others.scaleIO,
  local: fields<LocalVolumeSource>({ path: required<string | undefined>(noBacksteps) }),
  storageos: all<StorageOSPersistentVolumeSource>(
    storageOsNames,
    fields<StorageOSPersistentVolumeSource>({
      secretRef: present(fields<ObjectReference>({ name: required(), namespace: required() })),
    }),
  ),
  csi: fields<CSIPersistentVolumeSource>({
    driver: csiDriverName,
    volumeHandle: required(),
    controllerPublishSecretRef: csiSecretRef,
    controllerExpandSecretRef: csiSecretRef,
    nodePublishSecretRef: csiSecretRef,
    nodeExpandSecretRef: csiSecretRef,
  }),
};

const sourceEntries = Object.entries(SOURCES) as [keyof PersistentVolumeSpec & string, Rule<unknown>][];

/** The source of a spec, which must be there; a second one is too many. */
export const volumeSource: Rule<PersistentVolumeSpec> = (spec, path, errors) => {
  let seen = false;
  for (const [name, rule] of sourceEntries) {
    if (spec[name] === undefined) continue;
    // Upstream's path of this one is not its name in JSON.
    const at = `${path}.${name === 'cephfs' ? 'cephFS' : name}`;
    if (seen) errors.push(forbiddenField(at, 'may not specify more than 1 volume type'));
    else rule(spec[name], at, errors);
    seen = true;
  }
  if (!seen) errors.push(requiredError(path, 'must specify a volume type'));
};

/** The part of a spec that says what the volume is (`PersistentVolumeSource`). */
export function sourceOf(spec: PersistentVolumeSpec): Partial<PersistentVolumeSpec> {
  return Object.fromEntries(sourceEntries.map(([name]) => [name, spec[name]]));
}
