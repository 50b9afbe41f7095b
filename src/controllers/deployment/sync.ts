/** One reconcile of one Deployment: what was read, and the writes that all strategies share. */

import type { Client } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { controllerOf, type JsonObject } from '../../apimachinery/meta.ts';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../generated/types/apps.v1.ts';
import type { PodTemplateSpec } from '../../generated/types/core.v1.ts';
import type { ControllerContext, Requeue } from '../controller.ts';
import { templateHash } from '../history/hash.ts';
import { byAge, controllerRef, deleteIfPresent, messageOf, patchStatus } from '../objects.ts';
import {
  byRevision,
  findNewReplicaSet,
  maxRevision,
  newReplicaSetAnnotations,
  POD_TEMPLATE_HASH,
  REVISION,
  sameTemplate,
  sizeAnnotations,
} from './revisions.ts';
import { newReplicaSetSize, progressDeadline, replicasOf, revisionHistoryLimit } from './rollout-math.ts';
import { deadlineCheck, newCondition, rolloutStatus, setCondition } from './status.ts';

const DEPLOYMENTS = 'apps/deployments';
const REPLICA_SETS = 'apps/replicasets';

export class DeploymentSync {
  readonly client: Client;
  readonly context: ControllerContext;
  /** Its status is as it was read, with the conditions that were noted since. */
  deployment: Deployment;
  /** ReplicaSets of former templates, oldest first. */
  old: ReplicaSet[];
  /** The ReplicaSet of the current template. */
  current: ReplicaSet | undefined;
  readonly #stored: DeploymentStatus;

  constructor(client: Client, context: ControllerContext, deployment: Deployment, sets: readonly ReplicaSet[]) {
    this.client = client;
    this.context = context;
    this.deployment = deployment;
    this.#stored = deployment.status ?? {};
    this.current = findNewReplicaSet(deployment, sets);
    this.old = sets.filter((set) => set !== this.current).sort(byAge);
  }

  get all(): ReplicaSet[] {
    return this.current === undefined ? this.old : [...this.old, this.current];
  }

  /** Gives the new ReplicaSet its revision and annotations, and creates it where it is missing and `create` (`getNewReplicaSet`). */
  async syncRevision(create: boolean): Promise<void> {
    const { deployment, current } = this;
    const revision = maxRevision(this.old) + 1n;
    if (current === undefined) {
      if (create) await this.#createNew(revision);
      return;
    }
    const annotations = newReplicaSetAnnotations(deployment, current, revision);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    const patch: JsonObject = {};
    if (!deepEqual(annotations, current.metadata.annotations ?? {})) patch['metadata'] = { annotations };
    if ((current.spec?.minReadySeconds ?? 0) !== minReadySeconds) patch['spec'] = { minReadySeconds };
    if (Object.keys(patch).length > 0) this.current = await this.#patchSet(current, patch);
    await this.#setRevision(annotations[REVISION] ?? String(revision));
    this.#note('FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`, true);
  }

  /** Scales a ReplicaSet, with the event that says so; keeps its size annotations true. Answers whether the size changed. */
  async scale(set: ReplicaSet, size: number): Promise<boolean> {
    const { deployment, context } = this;
    const before = replicasOf(set);
    const wanted = sizeAnnotations(deployment);
    const annotations = Object.fromEntries(
      Object.entries(wanted).filter(([key, value]) => set.metadata.annotations?.[key] !== value),
    );
    if (before === size && Object.keys(annotations).length === 0) return false;
    const patch: JsonObject = {};
    if (Object.keys(annotations).length > 0) patch['metadata'] = { annotations };
    if (before !== size) patch['spec'] = { replicas: size };
    const patched = await this.#patchSet(set, patch);
    if (set === this.current) this.current = patched;
    else this.old = this.old.map((other) => (other === set ? patched : other));
    if (before === size) return false;
    const direction = size > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`;
    context.events.record(deployment, 'Normal', 'ScalingReplicaSet', message);
    return true;
  }

  /** Deletes old, empty ReplicaSets beyond `revisionHistoryLimit`, lowest revision first (`cleanupDeployment`). */
  async cleanUp(): Promise<void> {
    const limit = revisionHistoryLimit(this.deployment);
    if (limit === undefined) return;
    const candidates = this.old.filter((set) => set.metadata.deletionTimestamp === undefined);
    const surplus = candidates.length - limit;
    if (surplus <= 0) return;
    candidates.sort((a, b) => byRevision(a, b) || byAge(a, b));
    for (const set of candidates.slice(0, surplus)) {
      const { replicas = 0, observedGeneration = 0 } = set.status ?? {};
      if (replicas !== 0 || replicasOf(set) !== 0 || (set.metadata.generation ?? 0) > observedGeneration) continue;
      await deleteIfPresent(this.client, REPLICA_SETS, set, { propagationPolicy: 'Background' });
    }
  }

  /** Writes the status that follows from the ReplicaSets. */
  async writeStatus(compute: typeof rolloutStatus = rolloutStatus): Promise<Requeue | undefined> {
    const at = this.context.now();
    const status = compute(this.deployment, this.all, this.current, at);
    await this.#writeStatus(status);
    return deadlineCheck(this.deployment, status, at);
  }

  /** Notes a Progressing condition, which the next status takes over; `onlyFirst`: unless there is one. */
  #note(reason: string, message: string, onlyFirst: boolean, value: 'True' | 'False' = 'True'): void {
    if (progressDeadline(this.deployment) === undefined) return;
    if (onlyFirst && findCondition(this.deployment.status?.conditions, 'Progressing') !== undefined) return;
    const status = structuredClone(this.deployment.status ?? {});
    setCondition(status, newCondition('Progressing', value, reason, message, this.context.now()));
    this.deployment = { ...this.deployment, status };
  }

  #writeStatus(status: DeploymentStatus): Promise<boolean> {
    return patchStatus(this.client, DEPLOYMENTS, { ...this.deployment, status: this.#stored }, status);
  }

  async #createNew(revision: bigint): Promise<void> {
    const { deployment, client, context } = this;
    const template = deployment.spec?.template as PodTemplateSpec;
    const hash = templateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
    const selector = deployment.spec?.selector;
    const replicas = newReplicaSetSize(deployment, this.old, 0);
    const wanted: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: newReplicaSetAnnotations(deployment, undefined, revision),
        ownerReferences: [controllerRef(deployment, 'apps/v1', 'Deployment')],
      },
      spec: {
        replicas,
        minReadySeconds: deployment.spec?.minReadySeconds,
        selector: { ...selector, matchLabels: { ...selector?.matchLabels, [POD_TEMPLATE_HASH]: hash } },
        template: structuredClone({ ...template, metadata: { ...template.metadata, labels } }) as PodTemplateSpec,
      },
    };
    const { name } = wanted.metadata;
    try {
      this.current = await client.create(REPLICA_SETS, wanted);
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) return this.#resolveCollision(name, error);
      const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
      this.#note('ReplicaSetCreateError', message, false, 'False');
      await this.#writeStatus(this.deployment.status ?? {});
      context.events.record(deployment, 'Warning', 'ReplicaSetCreateError', message);
      throw error;
    }
    if (replicas > 0) {
      const message = `Scaled up replica set ${name} from 0 to ${replicas}`;
      context.events.record(deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    this.#note('NewReplicaSetCreated', `Created new replica set "${name}"`, false);
    await this.#setRevision(String(revision));
  }

  /** The name is taken: by this Deployment's own ReplicaSet, or by a stranger; then the next hash is another. */
  async #resolveCollision(name: string, error: unknown): Promise<void> {
    const { deployment, client } = this;
    const taken = await client.get<ReplicaSet>(REPLICA_SETS, deployment.metadata.namespace ?? '', name);
    if (taken === undefined) throw error;
    const own = controllerOf(taken)?.uid === deployment.metadata.uid;
    if (own && sameTemplate(taken.spec?.template, deployment.spec?.template)) {
      this.current = taken;
      return;
    }
    await this.#writeStatus({
      ...deployment.status,
      collisionCount: (deployment.status?.collisionCount ?? 0) + 1,
    });
    throw error;
  }

  async #setRevision(revision: string): Promise<void> {
    const { metadata } = this.deployment;
    if (metadata.annotations?.[REVISION] === revision) return;
    const patch = { metadata: { annotations: { [REVISION]: revision } } };
    // As a status: the generation counts changes of annotations too, and this is none of the user's.
    await this.client.patch(DEPLOYMENTS, metadata.namespace ?? '', metadata.name, 'merge', patch, 'status');
    metadata.annotations = { ...metadata.annotations, [REVISION]: revision };
  }

  #patchSet(set: ReplicaSet, patch: JsonObject): Promise<ReplicaSet> {
    const { namespace = '', name } = set.metadata;
    return this.client.patch<ReplicaSet>(REPLICA_SETS, namespace, name, 'merge', patch);
  }
}
