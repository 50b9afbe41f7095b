/** Dynamic provisioning: a claim is marked for its external provisioner, which makes the volume. */
import type { Client } from '../../apimachinery/client.ts';
import type { PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import type { StorageClass } from '../../generated/types/storage.v1.ts';
import { timeOf } from '../objects.ts';
import { type Binder, CLAIMS, CLASSES, tellClaim } from './writes.ts';

const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const OLD_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
const IS_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const IN_TREE = 'kubernetes.io/';
/** What was built in once, and the CSI drivers that took over. */
const MIGRATED = new Map([
  ['kubernetes.io/aws-ebs', 'ebs.csi.aws.com'],
  ['kubernetes.io/azure-disk', 'disk.csi.azure.com'],
  ['kubernetes.io/azure-file', 'file.csi.azure.com'],
  ['kubernetes.io/cinder', 'cinder.csi.openstack.org'],
  ['kubernetes.io/gce-pd', 'pd.csi.storage.gke.io'],
  ['kubernetes.io/portworx-volume', 'pxd.portworx.com'],
  ['kubernetes.io/vsphere-volume', 'csi.vsphere.vmware.com'],
]);

/** The class for claims that name none: of several the newest, then by name (`GetDefaultClass`). */
export async function defaultClass(client: Client): Promise<StorageClass | undefined> {
  const { items } = await client.list<StorageClass>(CLASSES);
  const isDefault = ({ metadata }: StorageClass): boolean =>
    IS_DEFAULT.some((annotation) => metadata.annotations?.[annotation] === 'true');
  const age = ({ metadata }: StorageClass): number => timeOf(metadata.creationTimestamp);
  const newestFirst = (a: StorageClass, b: StorageClass): number =>
    age(b) - age(a) || (a.metadata.name < b.metadata.name ? -1 : 1);
  return items.filter(isDefault).sort(newestFirst)[0];
}

/** Why no volume will be made for a claim of this class; undefined when somebody will. */
function refusal(className: string, found: StorageClass | undefined): string | undefined {
  if (found === undefined) return `storageclass.storage.k8s.io "${className}" not found`;
  const { provisioner = '' } = found;
  if (!provisioner.startsWith(IN_TREE) || MIGRATED.has(provisioner)) return;
  return `no volume plugin matched name: ${provisioner}`;
}

/** Marks the claim for the provisioner of its class. */
export async function provisionClaim(
  binder: Binder,
  claim: PersistentVolumeClaim,
  className: string,
  found: StorageClass | undefined,
): Promise<void> {
  const refused = refusal(className, found);
  if (refused !== undefined) {
    tellClaim(binder, claim, { type: 'Warning', reason: 'ProvisioningFailed', message: refused });
    return;
  }
  const provisioner = MIGRATED.get(found?.provisioner ?? '') ?? found?.provisioner ?? '';
  let marked = claim;
  if (claim.metadata.annotations?.[PROVISIONER] !== provisioner) {
    const annotations = {
      ...claim.metadata.annotations,
      [OLD_PROVISIONER]: provisioner,
      [PROVISIONER]: provisioner,
    };
    marked = await binder.client.update(CLAIMS, { ...claim, metadata: { ...claim.metadata, annotations } });
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
    'system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.';
  tellClaim(binder, marked, { type: 'Normal', reason: 'ExternalProvisioning', message });
}
