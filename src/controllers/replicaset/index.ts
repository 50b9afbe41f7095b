/** Keeps the number of pods of ReplicaSets and, by the same code, of ReplicationControllers. */

import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { type LabelSelector, selects, selectsEverything } from '../../apimachinery/labels.ts';
import { type KubeObject, now } from '../../apimachinery/meta.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../../generated/types/apps.v1.ts';
import type { Pod, PodTemplateSpec, ReplicationController } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself, type ObjectChange, type Requeue } from '../controller.ts';
import { messageOf, patchStatus } from '../objects.ts';
import { ownerKeys } from '../owners.ts';
import { countsDiffer, isPodActive, isPodAvailable, isPodReady, isPodTerminating, nextAvailability } from '../pods.ts';
import { claim } from './claim.ts';
import { manageReplicas, type PodOwner } from './replicas.ts';

type Replicated = ReplicaSet | ReplicationController;

interface Flavour {
  name: string;
  resource: ResourceId;
  apiVersion: string;
  kind: string;
  selector(object: Replicated): LabelSelector | undefined;
  /** ReplicationControllers have no `terminatingReplicas`. */
  countsTerminating: boolean;
}

/** Keys of owners of a flavour that a change of a pod concerns. */
async function ownersOfPod(change: ObjectChange, client: Client, flavour: Flavour): Promise<string[]> {
  if (!(await countsDiffer(change))) return [];
  return ownerKeys<Replicated>(change, client, flavour, (object, pod) =>
    selects(flavour.selector(object), pod.metadata.labels),
  );
}

function replicaController(flavour: Flavour): Controller {
  const { name, resource, apiVersion, kind } = flavour;
  return {
    name,
    watches: [
      { resource, keys: itself },
      { resource: 'core/pods', keys: (change, client) => ownersOfPod(change, client, flavour) },
    ],
    async reconcile(client, ref, context): Promise<Requeue | undefined> {
      const read = await client.get<Replicated>(resource, ref.namespace, ref.name);
      const selector = read && flavour.selector(read);
      const template = read?.spec?.template as PodTemplateSpec | undefined;
      if (read === undefined || selector === undefined || template === undefined || selectsEverything(selector)) return;
      const object: Replicated = { ...read, apiVersion, kind };
      const pods = await claim<Pod>(client, 'core/pods', object, apiVersion, kind, selector);
      const active = pods.filter(isPodActive);
      const owner: PodOwner = { object, apiVersion, kind, replicas: object.spec?.replicas ?? 1, template };
      let failure: unknown;
      if (object.metadata.deletionTimestamp === undefined) {
        try {
          await manageReplicas(client, owner, active, context);
        } catch (error) {
          failure = error;
        }
      }
      const status = statusOf(object, owner, pods, failure, flavour, context);
      await patchStatus(client, resource, object as ReplicaSet, status);
      if (failure !== undefined) throw failure;
      return nextAvailability(active, object.spec?.minReadySeconds ?? 0, context.now());
    },
  };
}

/** The status that follows from the pods as they were read (`calculateStatus`); zeros are left out as upstream leaves them out. */
function statusOf(
  object: Replicated,
  owner: PodOwner,
  pods: readonly Pod[],
  failure: unknown,
  flavour: Flavour,
  context: ControllerContext,
): ReplicaSetStatus {
  const active = pods.filter(isPodActive);
  const minReadySeconds = object.spec?.minReadySeconds ?? 0;
  const labels = { matchLabels: owner.template.metadata?.labels ?? {} };
  const at = context.now();
  const available = (pod: Pod): boolean => isPodAvailable(pod, minReadySeconds, at);
  const count = (holds: (pod: Pod) => boolean): number | undefined => active.filter(holds).length || undefined;
  const conditions = (object.status?.conditions ?? []).filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure !== undefined) {
    const reason = active.length < owner.replicas ? 'FailedCreate' : 'FailedDelete';
    const before = findCondition(object.status?.conditions, 'ReplicaFailure');
    const condition = {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: now(at),
      reason,
      message: messageOf(failure),
    };
    conditions.push(before?.reason === reason ? before : condition);
  }
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => selects(labels, pod.metadata.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count(available),
    ...(flavour.countsTerminating ? { terminatingReplicas: pods.filter(isPodTerminating).length } : {}),
    observedGeneration: object.metadata.generation,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

const labelMap = (object: KubeObject & { spec?: { selector?: unknown } }): LabelSelector | undefined =>
  object.spec?.selector === undefined ? undefined : { matchLabels: object.spec.selector as Record<string, string> };

/** Upstream's `replicaset-controller`. */
export const replicaSetController: Controller = replicaController({
  name: 'replicaset-controller',
  resource: 'apps/replicasets',
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  selector: (object) => object.spec?.selector as LabelSelector | undefined,
  countsTerminating: true,
});

/** Upstream's `replication-controller`. */
export const replicationController: Controller = replicaController({
  name: 'replication-controller',
  resource: 'core/replicationcontrollers',
  apiVersion: 'v1',
  kind: 'ReplicationController',
  selector: labelMap,
  countsTerminating: false,
});
