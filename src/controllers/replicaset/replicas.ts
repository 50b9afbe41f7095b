/** Makes the number of pods what it should be: creation in growing batches, deletion by rank. */
import type { Client } from '../../apimachinery/client.ts';
import { controllerOf, type KubeObject } from '../../apimachinery/meta.ts';
import type { Pod, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { controllerRef, forEachLimited } from '../objects.ts';
import { createPods, deletePod } from '../pod-control.ts';
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
  if (surplus < 0) {
    const pods = Array.from({ length: Math.min(-surplus, BURST) }, () => podFromTemplate(owner));
    const { failure } = await createPods(client, owner.object, pods, context);
    if (failure !== undefined) throw failure;
  } else if (surplus > 0) await deletePods(client, owner, active, Math.min(surplus, BURST), context);
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
    await deletePod(client, owner.object, pod, context);
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
