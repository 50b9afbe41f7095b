/** Which volumes must be attached to a node, for which pods. */
import type { Client } from '../../apimachinery/client.ts';
import { hex, sha256 } from '../../apimachinery/digest.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { CSIDriver, VolumeAttachment } from '../../generated/types/storage.v1.ts';
import { claimsOfPod } from '../persistentvolume-binder/claim.ts';
import { isPodTerminal } from '../pods.ts';

const MANAGED = 'volumes.kubernetes.io/controller-managed-attach-detach';
const KEEP_TERMINATED = 'volumes.kubernetes.io/keep-terminated-pod-volumes';

/** A volume and the pods on the node that use it. */
export interface Wanted {
  volume: PersistentVolume;
  pods: Pod[];
}

/** What a node calls an attached volume. */
export const uniqueName = ({ spec }: PersistentVolume): string =>
  `kubernetes.io/csi/${spec?.csi?.driver}^${spec?.csi?.volumeHandle}`;

/** The name of a volume's attachment to a node: the same for whoever makes it. */
export async function attachmentName({ spec }: PersistentVolume, node: string): Promise<string> {
  const text = `${spec?.csi?.volumeHandle}${spec?.csi?.driver}${node}`;
  return `csi-${hex(await sha256(text))}`;
}

/** Whether the pod's containers have all ended, or it will not start any. */
function hasEnded(pod: Pod): boolean {
  if (isPodTerminal(pod)) return true;
  const { containerStatuses = [] } = pod.status ?? {};
  const stopped = containerStatuses.every(
    ({ state }) => state?.terminated !== undefined || state?.waiting !== undefined,
  );
  return pod.metadata.deletionTimestamp !== undefined && stopped;
}

/** By the name of the volume. Volumes whose driver attaches nothing are left out, and all where the node attaches its volumes itself. */
export async function wantedOn(client: Client, node: Node): Promise<Map<string, Wanted>> {
  const wanted = new Map<string, Wanted>();
  const { annotations } = node.metadata;
  if (annotations?.[MANAGED] === undefined) return wanted;
  const keep = annotations[KEEP_TERMINATED] === 'true';
  const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${node.metadata.name}` });
  for (const pod of items) {
    if (!keep && hasEnded(pod)) continue;
    for (const name of claimsOfPod(pod)) {
      const volume = await volumeOf(client, pod.metadata.namespace ?? '', name);
      const driver = volume?.spec?.csi?.driver;
      if (volume === undefined || driver === undefined) continue;
      const entry = wanted.get(volume.metadata.name) ?? { volume, pods: [] };
      entry.pods.push(pod);
      wanted.set(volume.metadata.name, entry);
    }
  }
  for (const [name, { volume }] of wanted) {
    const driver = await client.get<CSIDriver>('storage.k8s.io/csidrivers', '', volume.spec?.csi?.driver ?? '');
    if (driver?.spec?.attachRequired === false) wanted.delete(name);
  }
  return wanted;
}

/** The volume that the claim is bound to, both ways. */
async function volumeOf(client: Client, namespace: string, name: string): Promise<PersistentVolume | undefined> {
  const claim = await client.get<PersistentVolumeClaim>('core/persistentvolumeclaims', namespace, name);
  if (claim?.spec?.volumeName === undefined || claim.status?.phase !== 'Bound') return;
  const volume = await client.get<PersistentVolume>('core/persistentvolumes', '', claim.spec.volumeName);
  return volume?.spec?.claimRef?.uid === claim.metadata.uid ? volume : undefined;
}

/** Whether the volume may be attached to one node only. */
export const isExclusive = ({ spec }: PersistentVolume): boolean => {
  const modes = spec?.accessModes ?? [];
  return modes.length > 0 && !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
};

/** Who keeps an exclusive volume on another node, in words for a pod of `namespace` (`reportMultiAttachError`). */
export async function whoHolds(
  client: Client,
  volume: PersistentVolume,
  others: readonly VolumeAttachment[],
  namespace: string,
): Promise<string> {
  const nodes = new Set(others.map(({ spec }) => spec?.nodeName));
  const { namespace: home = '', name = '' } = volume.spec?.claimRef ?? {};
  const { items } = await client.list<Pod>('core/pods', { namespace: home });
  const users = items.filter((pod) => nodes.has(pod.spec?.nodeName) && claimsOfPod(pod).includes(name));
  if (users.length === 0) return "Volume is already exclusively attached to one node and can't be attached to another";
  if (home !== namespace) return `Volume is already used by ${users.length} pod(s) in different namespaces`;
  return `Volume is already used by pod(s) ${users.map(({ metadata }) => metadata.name).join(', ')}`;
}
