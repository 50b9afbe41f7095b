/** Empties namespaces that are being deleted, then lets them go. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { type KubeObject, now } from '../../apimachinery/meta.ts';
import type { Namespace, NamespaceStatus, Pod } from '../../generated/types/core.v1.ts';
import { storeOf } from '../../resources/resource.ts';
import { type Controller, itself, itsNamespace, type Watch } from '../controller.ts';
import { deleteIfPresent, forEachLimited, messageOf, patchStatus } from '../objects.ts';
import { BUSY_STORES, CUSTOM_RESOURCES, customKindsOf, deletableResources } from '../stores.ts';

const FINALIZER = 'kubernetes';
const PODS = 'core/pods';
const PARALLEL = 8;
const SAFETY_MS = 60_000;

interface Content {
  store: ResourceId;
  /** `configmaps.`, `deployments.apps`: as upstream names it in conditions. */
  name: string;
}

/** What can be in a namespace. */
const contents: readonly Content[] = deletableResources
  .filter(({ namespaced }) => namespaced)
  .map((resource) => ({ store: storeOf(resource), name: `${resource.resource}.${resource.group}` }));

interface Remaining {
  /** `configmaps. has 1 resource instances` */
  resources: { name: string; count: number }[];
  finalizers: Map<string, number>;
  failures: string[];
  /** Of pods that end in their own time: the longest grace, in seconds. */
  graceSeconds: number;
}

/**
 * Deletes what is there, and says what is still there afterwards. Pods first, and nothing else while one is left: what runs to its end is
 * not deprived of its policies, secrets and services.
 */
async function empty(client: Client, namespace: string): Promise<Remaining> {
  const remaining: Remaining = { resources: [], finalizers: new Map(), failures: [], graceSeconds: 0 };
  const custom = (await customKindsOf(client)).filter(({ namespaced }) => namespaced);
  const all = [...contents, ...custom.map(({ store, resource, group }) => ({ store, name: `${resource}.${group}` }))];
  const clear = async ({ store, name }: Content): Promise<void> => {
    try {
      const { items } = await client.list(store, { namespace });
      if (items.length === 0) return;
      const doomed = items.filter((object) => object.metadata.deletionTimestamp === undefined);
      await forEachLimited(doomed, PARALLEL, async (object) => {
        await deleteIfPresent(client, store, object, { propagationPolicy: 'Background' });
      });
      const left = await client.list(store, { namespace });
      if (left.items.length > 0) remaining.resources.push({ name, count: left.items.length });
      for (const object of left.items) countIn(remaining, store, object);
    } catch (error) {
      remaining.failures.push(messageOf(error));
    }
  };
  const isPods = ({ store }: Content): boolean => store === PODS;
  await forEachLimited(all.filter(isPods), PARALLEL, clear);
  if (remaining.resources.length > 0) return remaining;
  const others = all.filter((content) => !isPods(content));
  await forEachLimited(others, PARALLEL, clear);
  remaining.resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return remaining;
}

function countIn(remaining: Remaining, store: ResourceId, object: KubeObject): void {
  for (const finalizer of object.metadata.finalizers ?? []) {
    remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
  }
  if (store === PODS) {
    const seconds = (object as Pod).metadata.deletionGracePeriodSeconds ?? 0;
    remaining.graceSeconds = Math.max(remaining.graceSeconds, seconds);
  }
}

type Conditions = NonNullable<NamespaceStatus['conditions']>;

/** The five conditions that say how the deletion stands. */
function conditionsOf(remaining: Remaining, before: Conditions, at: number): Conditions {
  const { failures } = remaining;
  const left = remaining.resources.map(({ name, count }) => `${name} has ${count} resource instances`);
  const finalizers = [...remaining.finalizers].sort(([a], [b]) => (a < b ? -1 : 1));
  const held = finalizers.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const facts: [type: string, holds: boolean, reason: string, message: string][] = [
    ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    failures.length > 0
      ? [
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
        ]
      : [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ],
    left.length > 0
      ? ['NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${left.join(', ')}`]
      : ['NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'],
    held.length > 0
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
        ]
      : ['NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
  ];
  const made = facts.map(([type, holds, reason, message]) => {
    const old = before.find((condition) => condition.type === type);
    const status = holds ? 'True' : 'False';
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now(at);
    return { type, status, lastTransitionTime, reason, message };
  });
  const types = new Set(made.map(({ type }) => type));
  return [...before.filter(({ type }) => !types.has(type ?? '')), ...made];
}

async function finalize(client: Client, namespace: Namespace): Promise<void> {
  const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== FINALIZER) ?? [];
  try {
    await client.update<Namespace>('core/namespaces', { ...namespace, spec: { finalizers } }, 'finalize');
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}

/** Upstream's `namespace-controller`. */
export const namespaceController: Controller = {
  name: 'namespace-controller',
  everywhere: true,
  watches: [
    { resource: 'core/namespaces', keys: itself },
    // What goes may have been the last; the look at a namespace that stays is one read.
    ...[...contents.map(({ store }) => store), CUSTOM_RESOURCES]
      .filter((store) => !BUSY_STORES.has(store))
      .map((store): Watch => {
        return { resource: store, keys: (change) => (change.type === 'DELETED' ? itsNamespace(change) : []) };
      }),
  ],
  async reconcile(client, { name }, context) {
    const namespace = await client.get<Namespace>('core/namespaces', '', name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    if (!namespace.spec?.finalizers?.includes(FINALIZER)) return;
    const remaining = await empty(client, name);
    const status: NamespaceStatus = {
      ...namespace.status,
      phase: 'Terminating',
      conditions: conditionsOf(remaining, namespace.status?.conditions ?? [], context.now()),
    };
    if (remaining.resources.length === 0 && remaining.failures.length === 0) {
      const fresh = await client.get<Namespace>('core/namespaces', '', name);
      if (fresh !== undefined) await finalize(client, fresh);
      return;
    }
    await patchStatus(client, 'core/namespaces', namespace, status);
    if (remaining.failures.length > 0) throw new Error(remaining.failures[0]);
    const { graceSeconds } = remaining;
    return { requeueAfterMs: graceSeconds > 0 ? (Math.floor(graceSeconds / 2) + 1) * 1000 : SAFETY_MS };
  },
};
