/** Shuts a node out of its cluster. */
import type { HttpClient } from '../../agent/client.ts';
import { delay } from '../../agent/informer.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import type { Node, Pod } from '../../src/generated/types/core.v1.ts';
import { UserError } from '../command.ts';

/** By then no part of the API server believes the node any more: none judges by what is older than a second. */
const FORGOTTEN_MS = 1100;
const LOOK_AGAIN_MS = 1000;
const MIRROR = 'kubernetes.io/config.mirror';

/**
 * Ends the node's credentials and its session, then deletes its Node and its pods: only then, so that it cannot make its Node again.
 * With `drain` its pods are evicted before; a UserError where that takes too long, and the node stays, cordoned.
 */
export async function removeNode(client: HttpClient, name: string, drain?: { timeoutMs: number }): Promise<void> {
  const known = (await client.get<Node>('core/nodes', '', name)) !== undefined;
  if (known && drain !== undefined) await drainNode(client, name, drain.timeoutMs);
  await client.request('DELETE', `/zeroplane/v1/nodes/${name}`);
  await delay(FORGOTTEN_MS);
  await unlessGone(client.delete('core/nodes', '', name));
  // Nobody is left who would say that they have ended.
  const pods = await podsOf(client, name);
  await Promise.all(
    pods.map(({ metadata: { namespace = '', name: pod } }) =>
      unlessGone(client.delete('core/pods', namespace, pod, { gracePeriodSeconds: 0 })),
    ),
  );
}

async function drainNode(client: HttpClient, name: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  await client.patch('core/nodes', '', name, 'merge', { spec: { unschedulable: true } });
  for (;;) {
    const left = (await podsOf(client, name)).filter(isEvictable);
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      const names = left.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
      throw new UserError(`node ${name} is cordoned but not removed, these pods are still on it: ${names}.`);
    }
    await Promise.all(
      left.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map((pod) => evict(client, pod)),
    );
    await delay(LOOK_AGAIN_MS);
  }
}

const podsOf = async (client: HttpClient, node: string): Promise<Pod[]> =>
  (await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${node}` })).items;

/** Pods of DaemonSets would come back, and mirror pods are the node's own. */
const isEvictable = ({ metadata, status }: Pod): boolean =>
  metadata.annotations?.[MIRROR] === undefined &&
  status?.phase !== 'Succeeded' &&
  status?.phase !== 'Failed' &&
  !(metadata.ownerReferences ?? []).some(({ kind, controller }) => kind === 'DaemonSet' && controller === true);

async function evict(client: HttpClient, { metadata: { namespace, name } }: Pod): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace: namespace ?? '', name } };
  try {
    await unlessGone(client.create('core/pods', eviction, 'eviction'));
  } catch (error) {
    // A disruption budget does not allow it yet.
    if (!isReason(error, 'TooManyRequests')) throw error;
  }
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}
