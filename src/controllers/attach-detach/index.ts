/** Attaches the volumes of CSI drivers to nodes, in VolumeAttachments that the drivers' attachers act upon. */

import type { Client } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { VolumeAttachment } from '../../generated/types/storage.v1.ts';
import type { Controller, ControllerContext, ObjectChange, Requeue } from '../controller.ts';
import { deleteIfPresent, patchStatus, timeOf } from '../objects.ts';
import { claimsOfPod } from '../persistentvolume-binder/claim.ts';
import { attachmentName, isExclusive, uniqueName, type Wanted, wantedOn, whoHolds } from './desired.ts';

const ATTACHMENTS = 'storage.k8s.io/volumeattachments';
const CLAIMS = 'core/persistentvolumeclaims';
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
/** A node that is not ready for so long is taken to have unmounted what it says is in use. */
const UNMOUNT_TIMEOUT_MS = 6 * 60_000;
/** A volume that another node holds is asked for again after so long, should its end not be noticed. */
const RETRY_MS = 120_000;

const volumeNameOf = ({ spec }: VolumeAttachment): string => spec?.source?.persistentVolumeName ?? '';

/** A pod's node, when it comes there, goes from there, or ends. */
async function keysOfPod(change: ObjectChange): Promise<string[]> {
  const pod = ((await change.object()) ?? change.previous) as Pod | undefined;
  const before = change.previous as Pod | undefined;
  if (!pod?.spec?.nodeName || claimsOfPod(pod).length === 0) return [];
  const facts = (state: Pod | undefined) => [
    state?.spec?.nodeName,
    state?.status?.phase,
    state?.metadata.deletionTimestamp,
    state?.status?.containerStatuses?.map((status) => status.state?.terminated === undefined),
  ];
  const same = change.type === 'MODIFIED' && before !== undefined && deepEqual(facts(pod), facts(before));
  return same ? [] : [pod.spec.nodeName];
}

/** The nodes of the pods that use the claim, once it is bound. */
async function keysOfClaim(change: ObjectChange, client: Client): Promise<string[]> {
  const claim = (await change.object()) as PersistentVolumeClaim | undefined;
  const before = change.previous as PersistentVolumeClaim | undefined;
  if (change.type === 'DELETED' || claim?.status?.phase === before?.status?.phase) return [];
  return nodesUsing(client, change.namespace, change.name);
}

async function nodesUsing(client: Client, namespace: string, claim: string): Promise<string[]> {
  const { items } = await client.list<Pod>('core/pods', { namespace });
  return items.filter((pod) => claimsOfPod(pod).includes(claim)).flatMap(({ spec }) => spec?.nodeName || []);
}

/** The node, and when the attachment is gone those that may have waited for it. */
async function keysOfAttachment(change: ObjectChange, client: Client): Promise<string[]> {
  const attachment = ((await change.object()) ?? change.previous) as VolumeAttachment | undefined;
  if (attachment === undefined) return [];
  const node = attachment.spec?.nodeName ?? '';
  if (change.type !== 'DELETED') return [node];
  const volume = await client.get<PersistentVolume>('core/persistentvolumes', '', volumeNameOf(attachment));
  const { namespace = '', name = '' } = volume?.spec?.claimRef ?? {};
  return name === '' ? [node] : [node, ...(await nodesUsing(client, namespace, name))];
}

/** A node that came or went, or that reports other volumes or another health. */
async function keysOfNode(change: ObjectChange): Promise<string[]> {
  const node = (await change.object()) as Node | undefined;
  const before = change.previous as Node | undefined;
  const facts = (state: Node | undefined) => [
    state?.status?.volumesInUse,
    state?.status?.volumesAttached,
    state?.spec?.taints?.map(({ key }) => key),
    readyOf(state)?.status,
  ];
  return change.type === 'MODIFIED' && deepEqual(facts(node), facts(before)) ? [] : [change.name];
}

const readyOf = (node: Node | undefined) => findCondition(node?.status?.conditions, 'Ready');

/** Whether, or when (in ms), the node can be taken to have let go of a volume that it says is in use. */
function releasedIn(node: Node, now: number): number {
  if (node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return 0;
  const ready = readyOf(node);
  if (ready?.status === 'True') return Number.POSITIVE_INFINITY;
  return Math.max(0, timeOf(ready?.lastTransitionTime) + UNMOUNT_TIMEOUT_MS - now);
}

async function attach(client: Client, node: Node, { volume }: Wanted): Promise<void> {
  const { name } = volume.metadata;
  try {
    await client.create<VolumeAttachment>(ATTACHMENTS, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: await attachmentName(volume, node.metadata.name) },
      spec: {
        attacher: volume.spec?.csi?.driver ?? '',
        nodeName: node.metadata.name,
        source: { persistentVolumeName: name },
      },
    });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}

function tell({ events }: ControllerContext, pods: readonly Pod[], failed: boolean, message: string): void {
  for (const { metadata } of pods) {
    const reason = failed ? 'FailedAttachVolume' : 'SuccessfulAttachVolume';
    events.record({ apiVersion: 'v1', kind: 'Pod', metadata }, failed ? 'Warning' : 'Normal', reason, message);
  }
}

/** Upstream's `persistentvolume-attach-detach-controller`. A key is a node. */
export const attachDetachController: Controller = {
  name: 'persistentvolume-attach-detach-controller',
  eventSource: 'attachdetach-controller',
  watches: [
    { resource: 'core/pods', keys: keysOfPod },
    { resource: CLAIMS, keys: keysOfClaim },
    { resource: 'core/nodes', keys: keysOfNode },
    { resource: ATTACHMENTS, keys: keysOfAttachment },
  ],
  async reconcile(client, { name }, context) {
    const node = await client.get<Node>('core/nodes', '', name);
    const wanted = node === undefined ? new Map<string, Wanted>() : await wantedOn(client, node);
    const all = (await client.list<VolumeAttachment>(ATTACHMENTS)).items;
    const here = all.filter(({ spec }) => spec?.nodeName === name);
    if (wanted.size === 0 && here.length === 0 && (node?.status?.volumesAttached ?? []).length === 0) return;

    let again = Number.POSITIVE_INFINITY;
    const attached = new Map<string, Wanted>();
    for (const entry of wanted.values()) {
      const { volume, pods } = entry;
      const about = `for volume "${volume.metadata.name}" `;
      const attachment = here.find((candidate) => volumeNameOf(candidate) === volume.metadata.name);
      if (attachment?.metadata.deletionTimestamp !== undefined) continue;
      if (attachment?.status?.attached === true) attached.set(uniqueName(volume), entry);
      const { message } = attachment?.status?.attachError ?? {};
      if (message !== undefined) tell(context, pods, true, `AttachVolume.Attach failed ${about}: ${message}`);
      if (attachment !== undefined) continue;
      const others = all.filter(
        (other) => other.spec?.nodeName !== name && volumeNameOf(other) === volume.metadata.name,
      );
      if (others.length === 0 || !isExclusive(volume)) await attach(client, node as Node, entry);
      else {
        again = RETRY_MS;
        for (const pod of pods) {
          const who = await whoHolds(client, volume, others, pod.metadata.namespace ?? '');
          tell(context, [pod], true, `Multi-Attach error ${about}${who}`);
        }
      }
    }
    const detach: VolumeAttachment[] = [];
    const leaving: string[] = [];
    for (const attachment of here) {
      if (wanted.has(volumeNameOf(attachment)) || attachment.metadata.deletionTimestamp !== undefined) continue;
      const volume = await client.get<PersistentVolume>('core/persistentvolumes', '', volumeNameOf(attachment));
      // Somebody else's: another name than ours, or no volume that we know of.
      if (volume?.spec?.csi === undefined || attachment.metadata.name !== (await attachmentName(volume, name)))
        continue;
      const unique = uniqueName(volume);
      const inUse = node?.status?.volumesInUse?.includes(unique) === true;
      const wait = node === undefined || !inUse ? 0 : releasedIn(node, context.now());
      if (wait === 0) detach.push(attachment);
      else {
        leaving.push(unique);
        again = Math.min(again, wait);
      }
    }
    // A node may mount only what it is told is attached: it is told before the volume leaves.
    if (node !== undefined) await report(client, node, attached, leaving, context);
    for (const attachment of detach) await deleteIfPresent(client, ATTACHMENTS, attachment);
    return again === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs: again };
  },
};

/** Says on the node what is attached, and tells the pods of what has become so. */
async function report(
  client: Client,
  node: Node,
  attached: ReadonlyMap<string, Wanted>,
  leaving: readonly string[],
  context: ControllerContext,
): Promise<Requeue | undefined> {
  const before = node.status?.volumesAttached ?? [];
  const others = before.filter(({ name = '' }) => !name.startsWith('kubernetes.io/csi/') || leaving.includes(name));
  const names = [...attached.keys()].filter((name) => !leaving.includes(name));
  const volumesAttached = [...others, ...names.map((name) => ({ name, devicePath: '' }))];
  if (deepEqual(before, volumesAttached)) return;
  await patchStatus(client, 'core/nodes', node, {
    ...node.status,
    volumesAttached: volumesAttached.length === 0 ? undefined : volumesAttached,
  } as NonNullable<Node['status']>);
  for (const [unique, { volume, pods }] of attached) {
    if (before.some(({ name }) => name === unique)) continue;
    tell(context, pods, false, `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `);
  }
  return;
}
