/** Internal types of the storage that both a pod's volumes and PersistentVolumes may name. */
import {
  all,
  type Fields,
  flag,
  nullable,
  number,
  type Printed,
  pointerTo,
  struct,
  text,
  textMap,
} from '../../validation/go-struct.ts';

const disk = (id: string): Printed =>
  pointerTo(struct({ ...all(text, id, 'FSType'), Partition: number, ReadOnly: flag }));

/** Sources that are the same in both. */
export const commonSources = {
  HostPath: pointerTo(struct({ Path: text, Type: nullable })),
  GCEPersistentDisk: disk('PDName'),
  AWSElasticBlockStore: disk('VolumeID'),
  NFS: pointerTo(struct({ ...all(text, 'Server', 'Path'), ReadOnly: flag })),
  Quobyte: pointerTo(
    struct({ ...all(text, 'Registry', 'Volume'), ReadOnly: flag, ...all(text, 'User', 'Group', 'Tenant') }),
  ),
  Flocker: pointerTo(struct(all(text, 'DatasetName', 'DatasetUUID'))),
  FC: pointerTo(
    struct({ TargetWWNs: nullable, Lun: nullable, FSType: text, ReadOnly: flag, WWIDs: nullable }, { WWIDs: 'wwids' }),
  ),
  VsphereVolume: pointerTo(struct(all(text, 'VolumePath', 'FSType', 'StoragePolicyName', 'StoragePolicyID'))),
  AzureDisk: pointerTo(
    struct(
      { ...all(text, 'DiskName', 'DataDiskURI'), ...all(nullable, 'CachingMode', 'FSType', 'ReadOnly', 'Kind') },
      { DataDiskURI: 'diskURI' },
    ),
  ),
  PhotonPersistentDisk: pointerTo(struct(all(text, 'PdID', 'FSType'))),
  PortworxVolume: pointerTo(struct({ ...all(text, 'VolumeID', 'FSType'), ReadOnly: flag })),
} satisfies Fields;

/** Sources that differ only in the type of the reference to their secret: a pod's is in its own namespace. */
export function sourcesWithSecret(SecretRef: Printed, storageOsSecretRef: Printed = SecretRef) {
  return {
    ISCSI: pointerTo(
      struct(
        {
          ...all(text, 'TargetPortal', 'IQN'),
          Lun: number,
          ...all(text, 'ISCSIInterface', 'FSType'),
          ReadOnly: flag,
          Portals: nullable,
          ...all(flag, 'DiscoveryCHAPAuth', 'SessionCHAPAuth'),
          SecretRef,
          InitiatorName: nullable,
        },
        { DiscoveryCHAPAuth: 'chapAuthDiscovery', SessionCHAPAuth: 'chapAuthSession' },
      ),
    ),
    RBD: pointerTo(
      struct(
        {
          CephMonitors: nullable,
          ...all(text, 'RBDImage', 'FSType', 'RBDPool', 'RadosUser', 'Keyring'),
          SecretRef,
          ReadOnly: flag,
        },
        { CephMonitors: 'monitors', RBDImage: 'image', RBDPool: 'pool', RadosUser: 'user' },
      ),
    ),
    FlexVolume: pointerTo(struct({ ...all(text, 'Driver', 'FSType'), SecretRef, ReadOnly: flag, Options: textMap })),
    Cinder: pointerTo(struct({ ...all(text, 'VolumeID', 'FSType'), ReadOnly: flag, SecretRef })),
    CephFS: pointerTo(
      struct({ Monitors: nullable, ...all(text, 'Path', 'User', 'SecretFile'), SecretRef, ReadOnly: flag }),
    ),
    ScaleIO: pointerTo(
      struct({
        ...all(text, 'Gateway', 'System'),
        SecretRef,
        SSLEnabled: flag,
        ...all(text, 'ProtectionDomain', 'StoragePool', 'StorageMode', 'VolumeName', 'FSType'),
        ReadOnly: flag,
      }),
    ),
    StorageOS: pointerTo(
      struct({
        ...all(text, 'VolumeName', 'VolumeNamespace', 'FSType'),
        ReadOnly: flag,
        SecretRef: storageOsSecretRef,
      }),
    ),
  } satisfies Fields;
}
