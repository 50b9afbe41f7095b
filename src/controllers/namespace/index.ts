/** Empties namespaces that are being deleted, then lets them go. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { isReason, serviceUnavailable } from '../../apimachinery/errors.ts';
import { type KubeObject, now } from '../../apimachinery/meta.ts';
import type { Namespace, NamespaceStatus, Pod } from '../../generated/types/core.v1.ts';
import { storeOf } from '../../resources/resource.ts';
import { type Controller, type ExtensionCall, itself, itsNamespace, type Watch } from '../controller.ts';
import { deleteIfPresent, forEachLimited, messageOf, patchStatus } from '../objects.ts';
import { BUSY_STORES, CUSTOM_RESOURCES, customKindsOf, deletableResources } from '../stores.ts';
import { type ExtensionContent, extensionContents } from './extensions.ts';

const FINALIZER = 'kubernetes';
const PARALLEL = 8;
const SAFETY_MS = 60_000;

/** Of a resource that is kept here. */
interface Content {
  store: ResourceId;
  /** `configmaps.`, `deployments.apps`: as upstream names it in conditions. */
  name: string;
}

/** What can be in a namespace. */
const contents: readonly Content[] = deletableResources
  .filter(({ namespaced }) => namespaced)
  .map((resource) => ({ store: storeOf(resource), name: `${resource.resource}.${resource.group}` }));

const PODS: Content = { store: 'core/pods', name: 'pods.' };

interface Remaining {
  /** `configmaps. has 1 resource instances` */
  resources: { name: string; count: number }[];
  finalizers: Map<string, number>;
  failures: string[];
  /** Group-versions whose extension API servers do not say what they have. */
  stale: string[];
  /** Of pods that end in their own time: the longest grace, in seconds. */
  graceSeconds: number;
}

/**
 * Deletes what is there, and says what is still there afterwards. Pods first, and nothing else while one is left: what runs to its end is
 * not deprived of its policies, secrets and services.
 */
async function empty(client: Client, ask: ExtensionCall, namespace: string): Promise<Remaining> {
  const remaining: Remaining = { resources: [], finalizers: new Map(), failures: [], stale: [], graceSeconds: 0 };
  const tally = async ({ name, clear }: ExtensionContent): Promise<void> => {
    try {
      const left = await clear(namespace);
      if (left.length > 0) remaining.resources.push({ name, count: left.length });
      for (const object of left) countFinalizers(remaining, object);
      if (name === PODS.name) remaining.graceSeconds = longestGrace(left as Pod[]);
    } catch (error) {
      remaining.failures.push(messageOf(error));
    }
  };
  const here = ({ store, name }: Content): ExtensionContent => ({
    name,
    clear: () => clearStore(client, store, namespace),
  });
  const [extensions] = await Promise.all([extensionContents(client, ask), tally(here(PODS))]);
  remaining.stale = extensions.stale;
  if (remaining.resources.length > 0) return remaining;
  const custom = (await customKindsOf(client)).filter(({ namespaced }) => namespaced);
  const kept = [...contents, ...custom.map(({ store, resource, group }) => ({ store, name: `${resource}.${group}` }))];
  const others = kept.filter(({ store }) => store !== PODS.store).map(here);
  await forEachLimited([...others, ...extensions.contents], PARALLEL, tally);
  remaining.resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return remaining;
}

/** Deletes what a store has of the namespace; answers what is left. */
async function clearStore(client: Client, store: ResourceId, namespace: string): Promise<KubeObject[]> {
  const { items } = await client.list(store, { namespace });
  if (items.length === 0) return [];
  const doomed = items.filter((object) => object.metadata.deletionTimestamp === undefined);
  await forEachLimited(doomed, PARALLEL, async (object) => {
    await deleteIfPresent(client, store, object, { propagationPolicy: 'Background' });
  });
  return (await client.list(store, { namespace })).items;
}

function countFinalizers(remaining: Remaining, { metadata }: KubeObject): void {
  for (const finalizer of metadata.finalizers ?? []) {
    remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
  }
}

const longestGrace = (pods: readonly Pod[]): number =>
  Math.max(0, ...pods.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0));

type Conditions = NonNullable<NamespaceStatus['conditions']>;

/** The five conditions that say how the deletion stands. */
function conditionsOf(remaining: Remaining, before: Conditions, at: number): Conditions {
  const { failures } = remaining;
  // Until the pods have gone nothing is counted.
  const podsRemain = remaining.resources.some(({ name }) => name === PODS.name);
  const counted = podsRemain ? [] : remaining.resources;
  const left = counted.map(({ name, count }) => `${name} has ${count} resource instances`);
  const finalizers = [...(podsRemain ? [] : remaining.finalizers)].sort(([a], [b]) => (a < b ? -1 : 1));
  const held = finalizers.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const facts: [type: string, holds: boolean, reason: string, message: string][] = [
    remaining.stale.length > 0
      ? ['NamespaceDeletionDiscoveryFailure', true, 'DiscoveryFailed', discoveryFailure(remaining.stale)]
      : ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
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

/** In the words of upstream's client. */
function discoveryFailure(stale: readonly string[]): string {
  const all = stale.map((version) => `${version}: stale GroupVersion discovery: ${version}`).join(', ');
  return `Discovery failed for some groups, ${stale.length} failing: unable to retrieve the complete list of server APIs: ${all}`;
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
    const remaining = await empty(client, context.askExtension, name);
    const status: NamespaceStatus = {
      ...namespace.status,
      phase: 'Terminating',
      conditions: conditionsOf(remaining, namespace.status?.conditions ?? [], context.now()),
    };
    // What nobody can look for may be there.
    const failure = remaining.stale.length > 0 ? discoveryFailure(remaining.stale) : remaining.failures[0];
    if (remaining.resources.length === 0 && failure === undefined) {
      const fresh = await client.get<Namespace>('core/namespaces', '', name);
      if (fresh !== undefined) await finalize(client, fresh);
      return;
    }
    await patchStatus(client, 'core/namespaces', namespace, status);
    if (failure !== undefined) throw serviceUnavailable(failure);
    const { graceSeconds } = remaining;
    return { requeueAfterMs: graceSeconds > 0 ? (Math.floor(graceSeconds / 2) + 1) * 1000 : SAFETY_MS };
  },
};
