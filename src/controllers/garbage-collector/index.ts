/**
 * Deletes objects whose owners are gone, and carries out foreground and orphaning deletions.
 *
 * There is no graph in memory: an object's owners are read by name and compared by uid, dependents are listed by the owner's uid in those
 * resources in which an owner of that kind was ever seen to have some. Keys: `<group>/<resource>#<object>` to look at an object,
 * `gone#<uid>#<group>/<resource>#<object>` to look for the dependents of one that is gone.
 */
import type { Client, DeleteOptions, ResourceId } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { KubeObject, OwnerReference } from '../../apimachinery/meta.ts';
import { resourceById } from '../../resources/index.ts';
import { type Controller, type ControllerContext, type ObjectChange, parseKey, type Requeue } from '../controller.ts';
import { forEachLimited } from '../objects.ts';
import { setOwners } from '../replicaset/claim.ts';
import { CUSTOM_RESOURCES, customKindsOf, watchableStores } from '../stores.ts';
import { FOREGROUND, isForeground, kindOf, stateOfOwner, storeOfOwner, tellOfForeignOwners } from './owners.ts';

const GONE = 'gone#';
const ORPHAN = 'orphan';
const PARALLEL = 16;
const FOREGROUND_POLL_MS = 5000;

/** Ownerships that the system itself makes; others are learned as they appear. */
const KNOWN: Readonly<Record<string, readonly ResourceId[]>> = {
  'apps/Deployment': ['apps/replicasets'],
  'apps/ReplicaSet': ['core/pods'],
  'apps/StatefulSet': ['core/pods', 'apps/controllerrevisions', 'core/persistentvolumeclaims'],
  'apps/DaemonSet': ['core/pods', 'apps/controllerrevisions'],
  'batch/CronJob': ['batch/jobs'],
  'batch/Job': ['core/pods'],
  '/ReplicationController': ['core/pods'],
  '/Service': ['discovery.k8s.io/endpointslices'],
  '/Endpoints': ['discovery.k8s.io/endpointslices'],
  '/Node': ['coordination.k8s.io/leases'],
};

async function kindOfStore(client: Client, store: ResourceId): Promise<string> {
  const resource = resourceById(store) ?? (await customKindsOf(client)).find((custom) => custom.store === store);
  return `${resource?.group ?? ''}/${resource?.kind ?? ''}`;
}

/** An object with its kind, as events want it. */
function withKind(store: ResourceId, object: KubeObject): KubeObject {
  const resource = resourceById(store);
  if (resource === undefined) return object;
  const { group, version, kind } = resource;
  return { ...object, apiVersion: group === '' ? version : `${group}/${version}`, kind };
}

const sameOwners = (a: KubeObject, b: KubeObject): boolean =>
  deepEqual(a.metadata.ownerReferences, b.metadata.ownerReferences);

async function keysOf(change: ObjectChange, client: Client): Promise<string[]> {
  const { resource, key, type, previous } = change;
  const object = (await change.object()) ?? previous;
  // Of a deleted object perhaps only the name is known: its dependents are found by that.
  if (object === undefined) return type === 'DELETED' ? [`${GONE}#${resource}#${key}`] : [];
  const keys: string[] = [];
  const { ownerReferences = [], deletionTimestamp, finalizers = [], uid } = object.metadata;
  if (type === 'DELETED') {
    if (uid !== undefined) keys.push(`${GONE}${uid}#${resource}#${key}`);
    // An owner that waits for this dependent may go now.
    for (const owner of ownerReferences.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true)) {
      const found = await storeOfOwner(client, owner);
      if (found === undefined) continue;
      keys.push(`${found.store}#${found.namespaced ? `${change.namespace}/` : ''}${owner.name}`);
    }
    return keys;
  }
  const waits = deletionTimestamp !== undefined && (finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN));
  // Once an object's owners were looked at, only a change of them is news: an owner that goes announces itself.
  const known = ownerReferences.every((owner) => KNOWN[kindOf(owner)]?.includes(resource));
  const isNews = type === 'ADDED' || (previous === undefined ? !known : !sameOwners(previous, object));
  // Most new objects have the one owner that has just made them, and many have the same: one read tells for all.
  const isSolid = async (owner: OwnerReference): Promise<boolean> =>
    (await stateOfOwner(client, owner, change.namespace)) === 'solid';
  const suspect =
    isNews &&
    ownerReferences.length > 0 &&
    !(known && (await Promise.all(ownerReferences.map(isSolid))).every(Boolean));
  if (waits || suspect) keys.push(`${resource}#${key}`);
  return keys;
}

/** Objects that name the owner; by its name where its uid is not known (empty). */
async function dependentsOf(client: Client, context: ControllerContext, owner: Owner) {
  const { uid, name, namespace, kind } = owner;
  const stores = new Set([...(KNOWN[kind] ?? []), ...context.owned.resourcesOwnedBy(kind)]);
  const place = namespace === '' ? {} : { namespace };
  const names = (object: KubeObject): boolean =>
    object.metadata.ownerReferences?.some((other) => other.name === name && kindOf(other) === kind) ?? false;
  const lists = await Promise.all(
    [...stores].map(async (store) => {
      const { items } = await client.list(store, uid === '' ? place : { ...place, ownerUid: uid });
      return items.filter((object) => uid !== '' || names(object)).map((object) => ({ store, object }));
    }),
  );
  return lists.flat();
}

interface Owner {
  kind: string;
  uid: string;
  namespace: string;
  name: string;
}

async function ownerOf(client: Client, store: ResourceId, { metadata }: KubeObject): Promise<Owner> {
  const { uid = '', namespace = '', name } = metadata;
  return { kind: await kindOfStore(client, store), uid, namespace, name };
}

/** Deletes an object none of whose owners is left, or frees it of those that are gone (`attemptToDeleteItem`). */
async function collect(
  client: Client,
  context: ControllerContext,
  store: ResourceId,
  object: KubeObject,
  isNew = false,
): Promise<void> {
  const { namespace = '', ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
  for (const owner of ownerReferences) context.owned.learn(kindOf(owner), store);
  if (deletionTimestamp !== undefined || ownerReferences.length === 0) return;
  const states = await Promise.all(ownerReferences.map((owner) => stateOfOwner(client, owner, namespace)));
  if (isNew) {
    const absent = ownerReferences.filter((_, i) => states[i] === 'dangling' || states[i] === 'misplaced');
    await tellOfForeignOwners(client, context.events, withKind(store, object), absent);
  }
  // Nothing will ever make such a reference right: the object is left alone.
  if (states.includes('misplaced')) return;
  if (states.includes('solid')) {
    if (states.every((state) => state === 'solid')) return;
    await setOwners(client, store, object, (owners) => owners.filter((_, i) => states[i] === 'solid'));
    return;
  }
  if (states.includes('waiting')) {
    const dependents = await dependentsOf(client, context, await ownerOf(client, store, object));
    if (dependents.length > 0) {
      const isCircle = dependents.some((dependent) => isForeground(dependent.object));
      const open = isCircle ? await unblockOwners(client, store, object) : object;
      if (open !== undefined) await remove(client, store, open, 'Foreground');
      return;
    }
  }
  const policy = finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
  await remove(client, store, object, policy);
}

/** Owners that wait in a circle would wait for ever: this object is none to wait for. */
const unblockOwners = (client: Client, store: ResourceId, object: KubeObject): Promise<KubeObject | undefined> =>
  setOwners(client, store, object, (owners) => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })));

/** Deletes the object as it was read: one that has got another owner since is a Conflict, and is looked at again. */
async function remove(
  client: Client,
  store: ResourceId,
  { metadata }: KubeObject,
  propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>,
): Promise<void> {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    await client.delete(store, namespace, name, { propagationPolicy, preconditions });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}

async function removeFinalizer(client: Client, store: ResourceId, object: KubeObject, finalizer: string) {
  const { namespace = '', name, uid, resourceVersion, finalizers = [] } = object.metadata;
  const left = finalizers.filter((other) => other !== finalizer);
  const patch = { metadata: { uid, resourceVersion, finalizers: left.length === 0 ? null : left } };
  try {
    await client.patch(store, namespace, name, 'merge', patch);
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}

/** Deletes the dependents of an object that waits for them; lets it go when none blocks it any more. */
async function deleteInForeground(
  client: Client,
  context: ControllerContext,
  store: ResourceId,
  object: KubeObject,
): Promise<Requeue | undefined> {
  const { uid = '' } = object.metadata;
  const dependents = await dependentsOf(client, context, await ownerOf(client, store, object));
  const blocking = dependents.filter(({ object: dependent }) =>
    dependent.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  );
  if (blocking.length === 0) {
    await removeFinalizer(client, store, object, FOREGROUND);
    return undefined;
  }
  await forEachLimited(dependents, PARALLEL, (dependent) =>
    collect(client, context, dependent.store, dependent.object),
  );
  // The last blocking dependent calls when it goes, where its owner is known.
  return { requeueAfterMs: FOREGROUND_POLL_MS };
}

async function orphanDependents(client: Client, context: ControllerContext, store: ResourceId, object: KubeObject) {
  const { uid = '' } = object.metadata;
  const dependents = await dependentsOf(client, context, await ownerOf(client, store, object));
  await forEachLimited(dependents, PARALLEL, async (dependent) => {
    await setOwners(client, dependent.store, dependent.object, (owners) => owners.filter((owner) => owner.uid !== uid));
  });
  await removeFinalizer(client, store, object, ORPHAN);
}

/** Upstream's `garbage-collector-controller`. */
export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  eventSource: 'garbage-collector-controller',
  everywhere: true,
  watches: [...watchableStores, CUSTOM_RESOURCES].map((resource) => ({ resource, keys: keysOf })),
  async reconcile(client, { key }, context) {
    const gone = key.startsWith(GONE);
    // The last part is a name, which may hold anything.
    const [first = '', ...rest] = key.slice(gone ? GONE.length : 0).split('#');
    const [uid, store = ''] = gone ? [first, rest.shift()] : ['', first];
    const { namespace, name } = parseKey(rest.join('#'));
    if (gone) {
      const owner: Owner = { kind: await kindOfStore(client, store), uid, namespace, name };
      const dependents = await dependentsOf(client, context, owner);
      await forEachLimited(dependents, PARALLEL, ({ store: at, object }) => collect(client, context, at, object));
      return;
    }
    const object = await client.get(store, namespace, name);
    if (object === undefined) return;
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined && finalizers.includes(ORPHAN)) {
      await orphanDependents(client, context, store, object);
    } else if (isForeground(object)) {
      return deleteInForeground(client, context, store, object);
    } else {
      await collect(client, context, store, object, true);
    }
    return;
  },
};
