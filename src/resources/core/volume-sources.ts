/** Rules of the storage that both a pod's volumes and PersistentVolumes may name. */
import {
  type FieldError,
  invalid,
  notSupported,
  required as requiredError,
  tooLong,
} from '../../apimachinery/field.ts';
import { isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  AzureFileVolumeSource,
  CephFSVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  GlusterfsVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  PhotonPersistentDiskVolumeSource,
  PortworxVolumeSource,
  QuobyteVolumeSource,
  RBDVolumeSource,
  ScaleIOVolumeSource,
  VsphereVirtualDiskVolumeSource,
} from '../../generated/types/core.v1.ts';
import { dns1123Label, noBacksteps } from '../validation/formats.ts';
import { fields, oneOf, optional, present, type Rule, required } from '../validation/rules.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const absolute: Rule<string> = (value, path, errors) => {
  if (!value.startsWith('/')) errors.push(invalid(path, value, 'must be an absolute path'));
};

const byte: Rule<number | undefined> = (value = 0, path, errors) => {
  if (value < 0 || value > 255) errors.push(invalid(path, value, 'must be between 0 and 255, inclusive'));
};

const IQN = /^iqn\.\d{4}-\d{2}\.([A-Za-z0-9.]+)(:[^,;*&$|\s]+)$|^eui.\w{16}$|^naa.\w{32}$/;
const iqn: Rule<string> = (value, path, errors) => {
  if (IQN.test(value)) return;
  const detail = /^(iqn|eui|naa)/.test(value)
    ? 'must be valid format'
    : 'must be valid format starting with iqn, eui, or naa';
  errors.push(invalid(path, value, detail));
};

const iscsi: Rule<ISCSIVolumeSource> = (source, path, errors) => {
  required()(source.targetPortal, `${path}.targetPortal`, errors);
  required<string | undefined>(iqn)(source.iqn, `${path}.iqn`, errors);
  byte(source.lun, `${path}.lun`, errors);
  const { chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source;
  if (secretRef !== undefined) required()(secretRef.name, `${path}.secretRef.name`, errors);
  else if (chapAuthDiscovery || chapAuthSession) errors.push(requiredError(`${path}.secretRef`));
  if (initiatorName !== undefined) iqn(initiatorName, `${path}.initiatorname`, errors);
};

const fc: Rule<FCVolumeSource> = ({ targetWWNs = [], wwids = [], lun }, path, errors) => {
  const at = `${path}.targetWWNs`;
  if (targetWWNs.length === 0) {
    if (wwids.length === 0) errors.push(requiredError(at, 'must specify either targetWWNs or wwids, but not both'));
    return;
  }
  if (wwids.length > 0) {
    errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (lun === undefined) errors.push(requiredError(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  else byte(lun, `${path}.lun`, errors);
};

const HOST_PORT = /^(\[[^\]]*\]|[^:[\]]*):[^:[\]]*$/;

const quobyte: Rule<QuobyteVolumeSource> = ({ registry = '', tenant = '', volume }, path, errors) => {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (registry === '') errors.push(requiredError(`${path}.registry`, pairs));
  else if (tenant.length >= 65) {
    errors.push(requiredError(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    const wrong = registry.split(',').filter((pair) => !HOST_PORT.test(pair));
    for (const _ of wrong) errors.push(invalid(`${path}.registry`, registry, pairs));
  }
  required()(volume, `${path}.volume`, errors);
};

const flocker: Rule<FlockerVolumeSource> = ({ datasetName = '', datasetUUID = '' }, path, errors) => {
  if (datasetName === '' && datasetUUID === '') {
    errors.push(requiredError(path, 'one of datasetName and datasetUUID is required'));
  } else if (datasetName !== '' && datasetUUID !== '') {
    errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
};

const MANAGED = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

const azureDisk: Rule<AzureDiskVolumeSource> = (source, path, errors) => {
  const { diskURI = '', kind } = source;
  required()(source.diskName, `${path}.diskName`, errors);
  required()(diskURI, `${path}.diskURI`, errors);
  present(oneOf('None', 'ReadOnly', 'ReadWrite'))(source.cachingMode, `${path}.cachingMode`, errors);
  present(oneOf('Dedicated', 'Managed', 'Shared'))(kind, `${path}.kind`, errors);
  if (kind === undefined) return;
  const [start, form] = kind === 'Managed' ? ['/subscriptions/', MANAGED] : ['https://', BLOB];
  if (!diskURI.startsWith(start)) errors.push(notSupported(`${path}.diskURI`, diskURI, [form]));
};

/** A driver's own options may not look like Kubernetes'. */
const flexVolume: Rule<FlexVolumeSource> = (source, path, errors) => {
  required()(source.driver, `${path}.driver`, errors);
  for (const key in source.options) {
    if (!/(^|\.)(kubernetes|k8s)\.io$/i.test(key.split('/', 1)[0] ?? '')) continue;
    errors.push(invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
};

/** Rules by the name of the source, for what is the same in pods and PersistentVolumes. */
export const SHARED_SOURCES = {
  hostPath: fields<HostPathVolumeSource>({
    path: required<string | undefined>(noBacksteps),
    type: present(oneOf(...HOST_PATH_TYPES)),
  }),
  gcePersistentDisk: fields<GCEPersistentDiskVolumeSource>({ pdName: required(), partition: byte }),
  awsElasticBlockStore: fields<AWSElasticBlockStoreVolumeSource>({ volumeID: required(), partition: byte }),
  nfs: ((source, path, errors) => {
    required()(source.server, `${path}.server`, errors);
    required()(source.path, `${path}.path`, errors);
    absolute(source.path ?? '', `${path}.path`, errors);
  }) as Rule<NFSVolumeSource>,
  iscsi,
  glusterfs: fields<GlusterfsVolumeSource>({ endpoints: required(), path: required() }),
  flocker,
  rbd: fields<RBDVolumeSource>({ monitors: required(), image: required() }),
  cephfs: fields<CephFSVolumeSource>({ monitors: required() }),
  quobyte,
  fc,
  flexVolume,
  azureFile: fields<AzureFileVolumeSource>({ secretName: required(), shareName: required() }),
  vsphereVolume: fields<VsphereVirtualDiskVolumeSource>({ volumePath: required() }),
  photonPersistentDisk: fields<PhotonPersistentDiskVolumeSource>({ pdID: required() }),
  portworxVolume: fields<PortworxVolumeSource>({ volumeID: required() }),
  azureDisk,
  scaleIO: fields<ScaleIOVolumeSource>({ gateway: required(), system: required(), volumeName: required() }),
};

/** The names of a StorageOS volume. */
export const storageOsNames = fields<{ volumeName?: string; volumeNamespace?: string }>({
  volumeName: required<string | undefined>(dns1123Label),
  volumeNamespace: optional<string>(dns1123Label),
});

/** The name of a CSI driver: 63 characters at most (`ValidateCSIDriverName`). */
export const csiDriverName: Rule<string | undefined> = (value = '', path, errors: FieldError[]) => {
  if (value === '') {
    errors.push(requiredError(path));
    return;
  }
  if (value.length > 63) errors.push(tooLong(path, 63));
  for (const problem of isDns1123Subdomain(value.toLowerCase())) errors.push(invalid(path, value, problem));
};

/** Deprecated kinds of storage, with what upstream says of them. */
export const DEPRECATED_SOURCES = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** A kind of storage as upstream's warnings spell it. */
export const spelled = (source: string): string => (source === 'storageos' ? 'storageOS' : source);
