/** Internal types of PersistentVolumes. */
import {
  all,
  flag,
  nullable,
  type Printed,
  pointerTo,
  quantities,
  struct,
  text,
  textMap,
} from '../../validation/go-struct.ts';
import { nodeSelector } from './scheduling.ts';
import { secretReference } from './shared.ts';
import { commonSources as sources, sourcesWithSecret } from './volume-sources.ts';

const secret = pointerTo(secretReference);
const objectReference = pointerTo(
  struct(all(text, 'Kind', 'Namespace', 'Name', 'UID', 'APIVersion', 'ResourceVersion', 'FieldPath')),
);
const anywhere = sourcesWithSecret(secret, objectReference);

/** `PersistentVolumeSource`. */
export const persistentVolumeSource = struct(
  {
    GCEPersistentDisk: sources.GCEPersistentDisk,
    AWSElasticBlockStore: sources.AWSElasticBlockStore,
    HostPath: sources.HostPath,
    Glusterfs: pointerTo(
      struct(
        { ...all(text, 'EndpointsName', 'Path'), ReadOnly: flag, EndpointsNamespace: nullable },
        { EndpointsName: 'endpoints' },
      ),
    ),
    NFS: sources.NFS,
    RBD: anywhere.RBD,
    Quobyte: sources.Quobyte,
    ISCSI: anywhere.ISCSI,
    FlexVolume: anywhere.FlexVolume,
    Cinder: anywhere.Cinder,
    CephFS: anywhere.CephFS,
    FC: sources.FC,
    Flocker: sources.Flocker,
    AzureFile: pointerTo(
      struct({ ...all(text, 'SecretName', 'ShareName'), ReadOnly: flag, SecretNamespace: nullable }),
    ),
    VsphereVolume: sources.VsphereVolume,
    AzureDisk: sources.AzureDisk,
    PhotonPersistentDisk: sources.PhotonPersistentDisk,
    PortworxVolume: sources.PortworxVolume,
    ScaleIO: anywhere.ScaleIO,
    Local: pointerTo(struct({ Path: text, FSType: nullable })),
    StorageOS: anywhere.StorageOS,
    CSI: pointerTo(
      struct({
        ...all(text, 'Driver', 'VolumeHandle'),
        ReadOnly: flag,
        FSType: text,
        VolumeAttributes: textMap,
        ...all(secret, 'ControllerPublishSecretRef', 'NodeStageSecretRef', 'NodePublishSecretRef'),
        ...all(secret, 'ControllerExpandSecretRef', 'NodeExpandSecretRef'),
      }),
    ),
  },
  { CephFS: 'cephfs', StorageOS: 'storageos' },
);

/** `VolumeNodeAffinity`, behind a pointer. */
export const volumeNodeAffinity = pointerTo(struct({ Required: nodeSelector }));

const capacityOf = struct({ Capacity: quantities });
const restOf = struct({
  AccessModes: nullable,
  ClaimRef: objectReference,
  PersistentVolumeReclaimPolicy: text,
  StorageClassName: text,
  MountOptions: nullable,
  VolumeMode: nullable,
  NodeAffinity: volumeNodeAffinity,
  VolumeAttributesClassName: nullable,
});

/** `PersistentVolumeSpec`: the source stands among its fields. */
export const persistentVolumeSpec: Printed = (value) =>
  Object.assign({}, capacityOf(value), persistentVolumeSource(value), restOf(value));
