/** Removes pods that nobody will finish: those of nodes that are gone, terminating ones that never ran, and the oldest of too many ended ones. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself } from '../controller.ts';
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

async function fail(client: Client, pod: Pod, context: ControllerContext): Promise<void> {
  if (!isPodTerminal(pod)) {
    const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
    conditions.push({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: now(context.now()),
    });
    try {
      await patchStatus(client, 'core/pods', pod, { ...pod.status, phase: 'Failed', conditions });
    } catch (error) {
      if (isReason(error, 'NotFound')) return;
      throw error;
    }
  }
  await deleteIfPresent(client, 'core/pods', pod, { gracePeriodSeconds: 0 });
}

/** Upstream's `pod-garbage-collector-controller`. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  watches: [
    { resource: 'core/nodes', keys: ({ type, name }) => (type === 'DELETED' ? [`${NODE}${name}`] : []) },
    {
      resource: 'core/pods',
      keys: async (change) => {
        if (change.type === 'DELETED') return [];
        const pod = (await change.object()) as Pod | undefined;
        if (pod === undefined) return [];
        if (change.type === 'ADDED' && pod.spec?.nodeName) return [`${NODE}${pod.spec.nodeName}`];
        return pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName ? itself(change) : [];
      },
    },
  ],
  async tick(_, context) {
    return Math.floor(context.now() / 60_000) % COUNT_EVERY_MINUTES === 0 ? [TERMINATED] : [];
  },
  async reconcile(client, { key, namespace, name }, context) {
    if (key === TERMINATED) {
      const [succeeded, failed] = await Promise.all([
        client.list<Pod>('core/pods', { fieldSelector: 'status.phase=Succeeded' }),
        client.list<Pod>('core/pods', { fieldSelector: 'status.phase=Failed' }),
      ]);
      const ended = [...succeeded.items, ...failed.items].sort(byAge);
      const surplus = ended.slice(0, Math.max(0, ended.length - TERMINATED_THRESHOLD));
      await forEachLimited(surplus, 16, async (pod) => {
        await deleteIfPresent(client, 'core/pods', pod, { gracePeriodSeconds: 0 });
      });
      return;
    }
    if (key.startsWith(NODE) || key.startsWith(GONE)) {
      const nodeName = key.slice(NODE.length);
      if ((await client.get('core/nodes', '', nodeName)) !== undefined) return;
      if (key.startsWith(NODE)) {
        context.schedule.after(`${GONE}${nodeName}`, QUARANTINE_MS);
        return;
      }
      const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${nodeName}` });
      await forEachLimited(items, 16, (pod) => fail(client, pod, context));
      return;
    }
    const pod = await client.get<Pod>('core/pods', namespace, name);
    if (pod?.metadata.deletionTimestamp === undefined || pod.spec?.nodeName) return;
    await deleteIfPresent(client, 'core/pods', pod, { gracePeriodSeconds: 0 });
    return;
  },
};
