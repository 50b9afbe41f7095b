/** Volumes of a pod. A volume with errors counts as missing where containers mount it. */
import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../../apimachinery/field.ts';
import { isDns1123Subdomain } from '../../../apimachinery/names.ts';
import { compareQuantity } from '../../../apimachinery/quantity.ts';
import type {
  CinderVolumeSource,
  ConfigMapProjection,
  ConfigMapVolumeSource,
  CSIVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  EmptyDirVolumeSource,
  EphemeralVolumeSource,
  GitRepoVolumeSource,
  ImageVolumeSource,
  KeyToPath,
  LocalObjectReference,
  PersistentVolumeClaimTemplate,
  PersistentVolumeClaimVolumeSource,
  ProjectedVolumeSource,
  SecretProjection,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  StorageOSVolumeSource,
  Volume,
} from '../../../generated/types/core.v1.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labels,
  localDescendingPath,
  localNonReservedPath,
} from '../../validation/formats.ts';
import { all, each, fields, oneOf, optional, present, type Rule, required } from '../../validation/rules.ts';
import { claimSpec } from '../claim-spec.ts';
import { csiDriverName, SHARED_SOURCES, storageOsNames } from '../volume-sources.ts';
import { fieldRef, resourceFieldRef, VOLUME_FIELD_PATHS } from './env.ts';

const mode: Rule<number | undefined> = (value, path, errors) => {
  if (value !== undefined && (value < 0 || value > 0o777)) {
    errors.push(invalid(path, value, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
};

const keyToPath = fields<KeyToPath>({
  key: required(),
  path: required<string | undefined>(localNonReservedPath),
  mode,
});

/** The fields of a downward API item are named without their index. */
const downwardItems: Rule<readonly DownwardAPIVolumeFile[] | undefined> = (items, path, errors) => {
  for (const item of items ?? []) {
    required<string | undefined>(localNonReservedPath)(item.path, `${path}.path`, errors);
    mode(item.mode, `${path}.mode`, errors);
    if (item.fieldRef !== undefined) {
      fieldRef(VOLUME_FIELD_PATHS)(item.fieldRef, `${path}.fieldRef`, errors);
      if (item.resourceFieldRef !== undefined) {
        errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
      }
    } else if (item.resourceFieldRef !== undefined) {
      resourceFieldRef(true)(item.resourceFieldRef, `${path}.resourceFieldRef`, errors);
    } else {
      errors.push(requiredError(path, 'one of fieldRef and resourceFieldRef is required'));
    }
  }
};

const tokenSeconds: Rule<number | undefined> = (value = 3600, path, errors) => {
  if (value < 600) errors.push(invalid(path, value, 'may not specify a duration less than 10 minutes'));
  else if (value > 2 ** 32) errors.push(invalid(path, value, 'may not specify a duration larger than 2^32 seconds'));
};

const projected: Rule<ProjectedVolumeSource> = (source, path, errors) => {
  mode(source.defaultMode, `${path}.defaultMode`, errors);
  const taken = new Set<string>();
  const take = (where: string | undefined, owner: string | undefined): void => {
    if (!where) return;
    if (taken.has(where)) errors.push(invalid(path, owner ?? where, 'conflicting duplicate paths'));
    taken.add(where);
  };
  source.sources?.forEach((projection, index) => {
    const at = `${path}.sources[${index}]`;
    let kinds = 0;
    for (const name of ['secret', 'configMap'] as const) {
      const value: SecretProjection | ConfigMapProjection | undefined = projection[name];
      if (value === undefined) continue;
      kinds += 1;
      required()(value.name, `${at}.${name}.name`, errors);
      each(keyToPath)(value.items, `${at}.${name}.items`, errors);
      for (const item of value.items ?? []) take(item.path, value.name);
    }
    if (projection.downwardAPI !== undefined) {
      kinds += 1;
      downwardItems(projection.downwardAPI.items, `${at}.downwardAPI`, errors);
      for (const item of projection.downwardAPI.items ?? []) take(item.path, item.path);
    }
    const token: ServiceAccountTokenProjection | undefined = projection.serviceAccountToken;
    if (token !== undefined) {
      kinds += 1;
      tokenSeconds(token.expirationSeconds, `${at}.serviceAccountToken.expirationSeconds`, errors);
      // Upstream's path for a token without one is that of the volume.
      required<string | undefined>(localNonReservedPath)(token.path, `${path}.path`, errors);
    }
    if (kinds > 1) errors.push(forbiddenField(at, 'may not specify more than 1 volume type per source'));
  });
};

const claimTemplate: Rule<PersistentVolumeClaimTemplate | undefined> = (template, path, errors) => {
  if (template === undefined) {
    errors.push(requiredError(path));
  } else {
    labels(template.metadata?.labels, `${path}.metadata.labels`, errors);
    claimSpec(template.spec ?? {}, `${path}.spec`, errors);
  }
};

const emptyDir = fields<EmptyDirVolumeSource>({
  sizeLimit: present((value: string, path: string, errors: FieldError[]) => {
    if (compareQuantity(value, '0') < 0) {
      errors.push(forbiddenField(path, 'SizeLimit field must be a valid resource quantity'));
    }
  }) as Rule<EmptyDirVolumeSource['sizeLimit']>,
});

const items = each(keyToPath);
const secretRef = present(fields<LocalObjectReference>({ name: required() }));
const { hostPath, gcePersistentDisk, awsElasticBlockStore, nfs, iscsi, glusterfs, flocker, rbd, ...others } =
  SHARED_SOURCES;
/** In upstream's order, by which the second of two sources is the one too many. */
const SOURCES: { [K in keyof Volume]?: Rule<NonNullable<Volume[K]>> } = {
  emptyDir,
  hostPath,
  gitRepo: fields<GitRepoVolumeSource>({
    repository: required(),
    directory: optional<string>(localDescendingPath),
  }),
  gcePersistentDisk,
  awsElasticBlockStore,
  secret: fields<SecretVolumeSource>({ secretName: required(), defaultMode: mode, items }),
  nfs,
  iscsi,
  glusterfs,
  flocker,
  persistentVolumeClaim: fields<PersistentVolumeClaimVolumeSource>({ claimName: required() }),
  rbd,
  cinder: fields<CinderVolumeSource>({ volumeID: required(), secretRef }),
  cephfs: others.cephfs,
  quobyte: others.quobyte,
  downwardAPI: (source: DownwardAPIVolumeSource, path, errors) => {
    mode(source.defaultMode, `${path}.defaultMode`, errors);
    downwardItems(source.items, path, errors);
  },
  fc: others.fc,
  flexVolume: others.flexVolume,
  configMap: fields<ConfigMapVolumeSource>({ name: required(), defaultMode: mode, items }),
  azureFile: others.azureFile,
  vsphereVolume: others.vsphereVolume,
  photonPersistentDisk: others.photonPersistentDisk,
  portworxVolume: others.portworxVolume,
  azureDisk: others.azureDisk,
  storageos: all<StorageOSVolumeSource>(storageOsNames, fields<StorageOSVolumeSource>({ secretRef })),
  projected,
  scaleIO: others.scaleIO,
  csi: fields<CSIVolumeSource>({
    driver: csiDriverName,
    nodePublishSecretRef: present(
      fields<LocalObjectReference>({ name: required<string | undefined>(dns1123Subdomain) }),
    ),
  }),
  ephemeral: fields<EphemeralVolumeSource>({ volumeClaimTemplate: claimTemplate }),
  image: fields<ImageVolumeSource>({
    reference: required(),
    pullPolicy: optional<string>(oneOf('Always', 'IfNotPresent', 'Never')),
  }),
};

const sourceEntries = Object.entries(SOURCES) as [keyof Volume & string, Rule<unknown>][];

/** Sources that upstream calls by another name when they are one too many. */
const ODD_NAMES: Readonly<Record<string, string>> = { downwardAPI: 'downwarAPI', cephfs: 'cephFS' };

function volumeSource(volume: Volume, path: string, errors: FieldError[]): void {
  let seen = false;
  for (const [name, rule] of sourceEntries) {
    const source = volume[name];
    if (source === undefined || source === null) continue;
    const at = `${path}.${name}`;
    if (seen)
      errors.push(forbiddenField(`${path}.${ODD_NAMES[name] ?? name}`, 'may not specify more than 1 volume type'));
    else rule(source, at, errors);
    seen = true;
  }
  if (!seen) errors.push(requiredError(path, 'must specify a volume type'));
}

const volumeName = required<string | undefined>(all<string>(dns1123Label));

/** Checks the volumes and returns the good ones by name (`ValidateVolumes`). */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  podName: string,
  path: string,
  errors: FieldError[],
): Map<string, Volume> {
  const byName = new Map<string, Volume>();
  volumes?.forEach((volume, index) => {
    const at = `${path}[${index}]`;
    const own: FieldError[] = [];
    volumeSource(volume, at, own);
    volumeName(volume.name, `${at}.name`, own);
    const name = volume.name ?? '';
    if (byName.has(name)) {
      own.push({ type: 'FieldValueDuplicate', field: `${at}.name`, body: `Duplicate value: ${JSON.stringify(name)}` });
    }
    if (own.length === 0) byName.set(name, volume);
    if (volume.ephemeral !== undefined && podName !== '' && name !== '') {
      // The claim that the volume makes is named after pod and volume.
      const claim = `${podName}-${name}`;
      for (const problem of isDns1123Subdomain(claim)) {
        errors.push(invalid(`${at}.name`, name, `PVC name ${JSON.stringify(claim)}: ${problem}`));
      }
    }
    errors.push(...own);
  });
  return byName;
}
