/** Keeps the pods of StatefulSets, each with a name and claims of its own. */
import type { Client } from '../../apimachinery/client.ts';
import { selects } from '../../apimachinery/labels.ts';
import type { StatefulSet } from '../../generated/types/apps.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { type Controller, itself, keyOf, type ObjectChange } from '../controller.ts';
import { deleteOldest, listRevisions } from '../history/index.ts';
import { patchStatus } from '../objects.ts';
import { ownerKeys } from '../owners.ts';
import { countsDiffer, nextAvailability } from '../pods.ts';
import { claim } from '../replicaset/claim.ts';
import { ordinalOf, revisionOf } from './identity.ts';
import { StatefulPods } from './pods.ts';
import { syncRevisions } from './revisions.ts';
import { completed } from './status.ts';
import { StatefulUpdate } from './update.ts';
import { isClaimOf } from './volumes.ts';

const STATEFUL_SETS = 'apps/statefulsets';

async function ownersOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  if (!(await countsDiffer(change))) return [];
  const adopts = (set: StatefulSet, pod: Pod): boolean =>
    selects(set.spec?.selector, pod.metadata.labels) && ordinalOf(set, pod) !== undefined;
  return ownerKeys<StatefulSet>(change, client, { kind: 'StatefulSet', resource: STATEFUL_SETS }, adopts);
}

/** A claim that is gone is missing, or no longer in the way of a new one. */
async function ownersOfClaim({ type, namespace, name }: ObjectChange, client: Client): Promise<string[]> {
  if (type !== 'DELETED') return [];
  const { items } = await client.list<StatefulSet>(STATEFUL_SETS, { namespace });
  return items.filter((set) => isClaimOf(set, name)).map(keyOf);
}

/** Upstream's `statefulset-controller`. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  watches: [
    { resource: STATEFUL_SETS, keys: itself },
    { resource: 'core/pods', keys: ownersOfPod },
    { resource: 'core/persistentvolumeclaims', keys: ownersOfClaim },
  ],
  async reconcile(client, { namespace, name }, context) {
    const read = await client.get<StatefulSet>(STATEFUL_SETS, namespace, name);
    const selector = read?.spec?.selector;
    if (read?.spec?.template === undefined || selector === undefined) return;
    const set: StatefulSet = { ...read, apiVersion: 'apps/v1', kind: 'StatefulSet' };
    const isMember = (pod: Pod): boolean => ordinalOf(set, pod) !== undefined;
    const history = await listRevisions(client, set, 'StatefulSet', selector);
    const pods = await claim<Pod>(client, 'core/pods', set, 'apps/v1', 'StatefulSet', selector, isMember);
    const revisions = await syncRevisions(client, set, history);
    const update = new StatefulUpdate(set, revisions, pods, new StatefulPods(client, context, set), context);
    try {
      if (set.metadata.deletionTimestamp === undefined) await update.run();
    } finally {
      await patchStatus(client, STATEFUL_SETS, set, completed(set, update.status));
    }
    const live = new Set([revisions.current, revisions.update].map(({ metadata }) => metadata.name));
    for (const pod of pods) live.add(revisionOf(pod) ?? '');
    const unused = history.filter(({ metadata }) => !live.has(metadata.name));
    await deleteOldest(client, unused, unused.length - (set.spec?.revisionHistoryLimit ?? 10));
    return nextAvailability(pods, set.spec?.minReadySeconds ?? 0, context.now());
  },
};
