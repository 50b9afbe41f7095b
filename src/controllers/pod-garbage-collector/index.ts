/** Removes pods that nobody will finish: those of nodes that are gone or out of service, terminating ones that never ran, and the oldest of too many ended ones. */

import type { Client } from '../../apimachinery/client.ts';
import { withCondition } from '../../apimachinery/conditions.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself, type ObjectChange, type Requeue } from '../controller.ts';
import { byAge, deleteIfPresent, forEachLimited, patchStatus } from '../objects.ts';
import { isPodTerminal } from '../pods.ts';

/** Ended pods that may stay (`--terminated-pod-gc-threshold`). */
const TERMINATED_THRESHOLD = 12_500;
/** How long a node has to be gone before its pods are. */
const QUARANTINE_MS = 40_000;
const NODE = 'node#';
const GONE = 'gone#';
const TERMINATED = 'terminated';
/** Ended pods are counted every so many minutes: it takes a list of all of them. */
const COUNT_EVERY_MINUTES = 30;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const PARALLEL = 16;

/** Says that the pod has failed, where it has not ended, and deletes it without waiting for a kubelet (`markFailedAndDeletePod`). */
async function fail(client: Client, pod: Pod, context: ControllerContext, why?: string): Promise<void> {
  if (!isPodTerminal(pod)) {
    const before = pod.status?.conditions ?? [];
    const target = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: why };
    const conditions = why === undefined ? before : withCondition(before, target, context.now());
    try {
      await patchStatus(client, 'core/pods', pod, { ...pod.status, phase: 'Failed', conditions });
    } catch (error) {
      if (isReason(error, 'NotFound')) return;
      throw error;
    }
  }
  await deleteIfPresent(client, 'core/pods', pod, { gracePeriodSeconds: 0 });
}

const isDeleting = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Whether a person has said that the node, which is not ready, will not come back as it was. */
function isOutOfService(node: Node | undefined): boolean {
  const ready = node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return node?.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true && ready !== true;
}

/** A node that is gone, or out of service. */
function keysOfNode(change: ObjectChange): Promise<string[]> {
  const key = `${NODE}${change.name}`;
  if (change.type === 'DELETED') return Promise.resolve([key]);
  return change.object().then((node) => (isOutOfService(node as Node | undefined) ? [key] : []));
}

async function keysOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  if (change.type === 'DELETED') return [];
  const pod = (await change.object()) as Pod | undefined;
  const nodeName = pod?.spec?.nodeName;
  if (pod === undefined) return [];
  if (!nodeName) return isDeleting(pod) ? itself(change) : [];
  const previous = change.previous as Pod | undefined;
  const isGoing = isDeleting(pod) && (previous === undefined || !isDeleting(previous));
  if (change.type !== 'ADDED' && !isGoing) return [];
  const node = await client.get<Node>('core/nodes', '', nodeName);
  return node === undefined || (isDeleting(pod) && isOutOfService(node)) ? [`${NODE}${nodeName}`] : [];
}

/** The pods of a node that is gone, after a while, or of one that is out of service and will never end them. */
async function collectOfNode(client: Client, key: string, context: ControllerContext): Promise<Requeue | undefined> {
  const name = key.slice(NODE.length);
  const node = await client.get<Node>('core/nodes', '', name);
  if (node === undefined && key.startsWith(NODE)) {
    context.schedule.after(`${GONE}${name}`, QUARANTINE_MS);
    return;
  }
  if (node !== undefined && !isOutOfService(node)) return;
  const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${name}` });
  const pods = node === undefined ? items : items.filter(isDeleting);
  const why = node === undefined ? 'PodGC: node no longer exists' : undefined;
  await forEachLimited(pods, PARALLEL, (pod) => fail(client, pod, context, why));
  return;
}

/** Evicted pods first, then the oldest (`byEvictionAndCreationTimestamp`). */
function byEvictionAndAge(a: Pod, b: Pod): number {
  const evicted = (pod: Pod): number => (pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted' ? 0 : 1);
  return evicted(a) - evicted(b) || byAge(a, b);
}

async function collectTerminated(client: Client, context: ControllerContext): Promise<void> {
  const [succeeded, failed] = await Promise.all([
    client.list<Pod>('core/pods', { fieldSelector: 'status.phase=Succeeded' }),
    client.list<Pod>('core/pods', { fieldSelector: 'status.phase=Failed' }),
  ]);
  const ended = [...succeeded.items, ...failed.items].sort(byEvictionAndAge);
  const surplus = ended.slice(0, Math.max(0, ended.length - TERMINATED_THRESHOLD));
  await forEachLimited(surplus, PARALLEL, (pod) => fail(client, pod, context));
}

/** Upstream's `pod-garbage-collector-controller`. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  watches: [
    { resource: 'core/nodes', keys: keysOfNode, queues: true },
    { resource: 'core/pods', keys: keysOfPod },
  ],
  async resync(_, context, quiet) {
    return quiet || Math.floor(context.now() / 60_000) % COUNT_EVERY_MINUTES === 0 ? [TERMINATED] : [];
  },
  async reconcile(client, { key, namespace, name }, context) {
    if (key === TERMINATED) return void (await collectTerminated(client, context));
    if (key.startsWith(NODE) || key.startsWith(GONE)) return collectOfNode(client, key, context);
    const pod = await client.get<Pod>('core/pods', namespace, name);
    if (pod !== undefined && isDeleting(pod) && !pod.spec?.nodeName) await fail(client, pod, context);
    return;
  },
};
