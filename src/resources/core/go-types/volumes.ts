/** Internal types of a pod's volumes. */
import {
  all,
  type Fields,
  flag,
  listOf,
  nullable,
  number,
  pointerTo,
  quantity,
  struct,
  text,
  textMap,
} from '../../validation/go-struct.ts';
import { claimTemplate } from './claim.ts';
import { labelSelector, localObjectReference, reference } from './shared.ts';
import { commonSources as sources, sourcesWithSecret } from './volume-sources.ts';

const fieldSelector = struct({ APIVersion: text, FieldPath: text });
const resourceSelector = struct({ ContainerName: text, Resource: text, Divisor: quantity });

/** What the downward API shows of a pod, behind pointers. */
export const downward: Fields = {
  FieldRef: pointerTo(fieldSelector),
  ResourceFieldRef: pointerTo(resourceSelector),
};

const secretRef = pointerTo(localObjectReference);
const items = listOf(struct({ Key: text, Path: text, Mode: nullable }));
const downwardFiles = listOf(struct({ Path: text, ...downward, Mode: nullable }));
const chosen: Fields = { ...reference, Items: items };

const projection = struct({
  Secret: pointerTo(struct({ ...chosen, Optional: nullable })),
  DownwardAPI: pointerTo(struct({ Items: downwardFiles })),
  ConfigMap: pointerTo(struct({ ...chosen, Optional: nullable })),
  ServiceAccountToken: pointerTo(struct({ Audience: text, ExpirationSeconds: number, Path: text })),
  ClusterTrustBundle: pointerTo(
    struct({ ...all(nullable, 'Name', 'SignerName'), LabelSelector: labelSelector, Optional: nullable, Path: text }),
  ),
  PodCertificate: pointerTo(
    struct({
      ...all(text, 'SignerName', 'KeyType'),
      MaxExpirationSeconds: nullable,
      ...all(text, 'CredentialBundlePath', 'KeyPath', 'CertificateChainPath'),
      UserAnnotations: textMap,
    }),
  ),
});

const local = sourcesWithSecret(secretRef);

/** `Volume`, its source embedded. */
export const volume = struct(
  {
    Name: text,
    HostPath: sources.HostPath,
    EmptyDir: pointerTo(struct({ Medium: text, SizeLimit: pointerTo(quantity) })),
    GCEPersistentDisk: sources.GCEPersistentDisk,
    AWSElasticBlockStore: sources.AWSElasticBlockStore,
    GitRepo: pointerTo(struct(all(text, 'Repository', 'Revision', 'Directory'))),
    Secret: pointerTo(struct({ SecretName: text, Items: items, DefaultMode: nullable, Optional: nullable })),
    NFS: sources.NFS,
    ISCSI: local.ISCSI,
    Glusterfs: pointerTo(
      struct({ ...all(text, 'EndpointsName', 'Path'), ReadOnly: flag }, { EndpointsName: 'endpoints' }),
    ),
    PersistentVolumeClaim: pointerTo(struct({ ClaimName: text, ReadOnly: flag })),
    RBD: local.RBD,
    Quobyte: sources.Quobyte,
    FlexVolume: local.FlexVolume,
    Cinder: local.Cinder,
    CephFS: local.CephFS,
    Flocker: sources.Flocker,
    DownwardAPI: pointerTo(struct({ Items: downwardFiles, DefaultMode: nullable })),
    FC: sources.FC,
    AzureFile: pointerTo(struct({ ...all(text, 'SecretName', 'ShareName'), ReadOnly: flag })),
    ConfigMap: pointerTo(struct({ ...chosen, DefaultMode: nullable, Optional: nullable })),
    VsphereVolume: sources.VsphereVolume,
    AzureDisk: sources.AzureDisk,
    PhotonPersistentDisk: sources.PhotonPersistentDisk,
    Projected: pointerTo(struct({ Sources: listOf(projection), DefaultMode: nullable })),
    PortworxVolume: sources.PortworxVolume,
    ScaleIO: local.ScaleIO,
    StorageOS: local.StorageOS,
    CSI: pointerTo(
      struct({
        Driver: text,
        ...all(nullable, 'ReadOnly', 'FSType'),
        VolumeAttributes: textMap,
        NodePublishSecretRef: secretRef,
      }),
    ),
    Ephemeral: pointerTo(struct({ VolumeClaimTemplate: pointerTo(claimTemplate) })),
    Image: pointerTo(struct({ Reference: text, PullPolicy: text })),
  },
  { CephFS: 'cephfs', StorageOS: 'storageos' },
);
