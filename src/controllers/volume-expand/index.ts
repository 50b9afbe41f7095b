/** Claims that want more than they have: whoever provides the volume is told to grow it. */
import { compareQuantity } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import { storageOf } from '../../resources/storage/binding.ts';
import type { Controller, ObjectChange } from '../controller.ts';

const CLAIMS = 'core/persistentvolumeclaims';
const RESIZER = 'volume.kubernetes.io/storage-resizer';
const PRE_RESIZE = 'volume.alpha.kubernetes.io/pre-resize-capacity';
/** Sources that were built in once, their plugins, and the drivers that took over. */
const MIGRATED = [
  ['awsElasticBlockStore', 'kubernetes.io/aws-ebs', 'ebs.csi.aws.com'],
  ['azureDisk', 'kubernetes.io/azure-disk', 'disk.csi.azure.com'],
  ['azureFile', 'kubernetes.io/azure-file', 'file.csi.azure.com'],
  ['cinder', 'kubernetes.io/cinder', 'cinder.csi.openstack.org'],
  ['gcePersistentDisk', 'kubernetes.io/gce-pd', 'pd.csi.storage.gke.io'],
  ['portworxVolume', 'kubernetes.io/portworx-volume', 'pxd.portworx.com'],
  ['vsphereVolume', 'kubernetes.io/vsphere-volume', 'csi.vsphere.vmware.com'],
] as const;
/** Sources that upstream still knows; none of them can be grown from here. */
const KNOWN = ['hostPath', 'nfs', 'local', 'csi'] as const;

const requested = ({ spec }: PersistentVolumeClaim): string => storageOf(spec?.resources?.requests);
const held = ({ status }: PersistentVolumeClaim): string => storageOf(status?.capacity);

/** Bound claims that came, or that want or have more than before. */
async function keysOfClaim({ type, key, object, previous }: ObjectChange): Promise<string[]> {
  const claim = (await object()) as PersistentVolumeClaim | undefined;
  if (type === 'DELETED' || claim?.status?.phase !== 'Bound') return [];
  const before = previous as PersistentVolumeClaim | undefined;
  if (before === undefined) return [key];
  const grew =
    compareQuantity(requested(claim), requested(before)) > 0 || compareQuantity(held(claim), held(before)) > 0;
  return grew ? [key] : [];
}

/** Upstream's `persistentvolume-expander-controller`. */
export const volumeExpandController: Controller = {
  name: 'persistentvolume-expander-controller',
  eventSource: 'volume_expand',
  watches: [{ resource: CLAIMS, keys: keysOfClaim }],
  async reconcile(client, { namespace, name }, { events }) {
    const claim = await client.get<PersistentVolumeClaim>(CLAIMS, namespace, name);
    if (claim?.spec?.volumeName === undefined) return;
    const volume = await client.get<PersistentVolume>('core/persistentvolumes', '', claim.spec.volumeName);
    if (volume === undefined || volume.spec?.claimRef?.uid !== claim.metadata.uid) return;
    const grows = compareQuantity(requested(claim), held(claim)) > 0;
    if (!grows && volume.metadata.annotations?.[PRE_RESIZE] === undefined) return;
    const tell = (type: 'Normal' | 'Warning', message: string): void => {
      const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: claim.metadata };
      events.record(about, type, 'ExternalExpanding', message);
    };
    const migrated = MIGRATED.find(([source]) => volume.spec?.[source] !== undefined);
    if (migrated === undefined) {
      const known = KNOWN.some((source) => volume.spec?.[source] !== undefined);
      tell(known ? 'Normal' : 'Warning', 'waiting for an external controller to expand this PVC');
      return;
    }
    const [, plugin, driver] = migrated;
    tell('Normal', `CSI migration enabled for ${plugin}; waiting for external resizer to expand the pvc`);
    if (claim.metadata.annotations?.[RESIZER] === driver) return;
    await client.patch(CLAIMS, namespace, name, 'merge', { metadata: { annotations: { [RESIZER]: driver } } });
    return;
  },
};
