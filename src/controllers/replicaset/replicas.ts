/** Makes the number of pods what it should be: creation in growing batches, deletion by rank. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason, StatusError } from '../../apimachinery/errors.ts';
import { controllerOf, type KubeObject } from '../../apimachinery/meta.ts';
import type { Pod, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { controllerRef, deleteIfPresent, forEachLimited } from '../objects.ts';
import { isPodActive } from '../pods.ts';
import { rankForDeletion } from './ranking.ts';

/** Of one reconcile (`BurstReplicas`). */
const BURST = 500;
const PARALLEL = 32;

/** An object that keeps a number of pods of one template, as ReplicaSets and ReplicationControllers do. */
export interface PodOwner {
  object: KubeObject;
  apiVersion: string;
  kind: string;
  replicas: number;
  template: PodTemplateSpec;
}

/** A pod as `owner` makes it, without a name of its own. */
export function podFromTemplate({ object, apiVersion, kind, template }: PodOwner): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${object.metadata.name}-`,
      namespace: object.metadata.namespace,
      labels: { ...labels },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerRef(object, apiVersion, kind)],
    },
    spec: structuredClone(template.spec),
  };
}

/** Creates or deletes pods; throws what went wrong after having done what could be done. */
export async function manageReplicas(
  client: Client,
  owner: PodOwner,
  active: readonly Pod[],
  context: ControllerContext,
): Promise<void> {
  const surplus = active.length - owner.replicas;
  if (surplus < 0) await createPods(client, owner, Math.min(-surplus, BURST), context);
  else if (surplus > 0) await deletePods(client, owner, active, Math.min(surplus, BURST), context);
}

/** Batches of 1, 2, 4, …: when pods cannot be made, one refusal tells, not hundreds (`slowStartBatch`). */
async function createPods(client: Client, owner: PodOwner, count: number, context: ControllerContext): Promise<void> {
  let left = count;
  for (let batch = 1; left > 0; batch = Math.min(batch * 2, left)) {
    const size = Math.min(batch, left);
    const results = await Promise.allSettled(
      Array.from({ length: size }, () => client.create('core/pods', podFromTemplate(owner))),
    );
    let failure: unknown;
    for (const result of results) {
      if (result.status === 'fulfilled') {
        const message = `Created pod: ${result.value.metadata.name}`;
        context.events.record(owner.object, 'Normal', 'SuccessfulCreate', message);
        continue;
      }
      if (inTerminatingNamespace(result.reason)) return;
      context.events.record(owner.object, 'Warning', 'FailedCreate', `Error creating: ${messageOf(result.reason)}`);
      failure ??= result.reason;
    }
    if (failure !== undefined) throw failure;
    left -= size;
  }
}

async function deletePods(
  client: Client,
  owner: PodOwner,
  active: readonly Pod[],
  count: number,
  context: ControllerContext,
): Promise<void> {
  const all = count === active.length;
  const ranked = all
    ? [...active]
    : rankForDeletion(active, [...active, ...(await podsOfSiblings(client, owner.object))], context.now());
  await forEachLimited(ranked.slice(0, count), PARALLEL, async (pod) => {
    try {
      const deleted = await deleteIfPresent(client, 'core/pods', pod, { propagationPolicy: 'Background' });
      if (!deleted) return;
      context.events.record(owner.object, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    } catch (error) {
      context.events.record(owner.object, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  });
}

/** Active pods of other ReplicaSets of the same Deployment: a node with more of them is relieved first. */
async function podsOfSiblings(client: Client, object: KubeObject): Promise<Pod[]> {
  const deployment = controllerOf(object);
  const { namespace = '', uid } = object.metadata;
  if (deployment === undefined) return [];
  const siblings = await client.list<KubeObject & { status?: { replicas?: number } }>('apps/replicasets', {
    namespace,
    ownerUid: deployment.uid,
  });
  const others = siblings.items.filter((other) => other.metadata.uid !== uid && (other.status?.replicas ?? 0) > 0);
  const lists = await Promise.all(
    others.map((other) => client.list<Pod>('core/pods', { namespace, ownerUid: other.metadata.uid })),
  );
  return lists.flatMap((list) => list.items).filter(isPodActive);
}

const inTerminatingNamespace = (error: unknown): boolean =>
  isReason(error, 'Forbidden') &&
  error instanceof StatusError &&
  (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false);

/** What a person is told of a failure. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
