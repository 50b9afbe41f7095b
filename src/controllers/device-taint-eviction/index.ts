/** Evicts pods whose devices got a NoExecute taint that their claims do not tolerate, or tolerate only for so long. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ResourceClaim, ResourceSlice } from '../../generated/types/resource.v1.ts';
import { type Controller, type ControllerContext, keyOf, type ObjectChange, parseKey } from '../controller.ts';
import { evict } from '../taint-eviction/evict.ts';
import { claimNames, evictionTime, isOfPool, isTainted } from './eviction.ts';

const CLAIMS = 'resource.k8s.io/resourceclaims';
const SLICES = 'resource.k8s.io/resourceslices';
/** Keys: `pod#<namespace>/<name>` to look at a pod, `due#<namespace>/<name>#<uid>` to evict it when it still has to go. */
const POD = 'pod#';
const DUE = 'due#';
const WHY = {
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
};

const slicesOf = async (client: Client): Promise<ResourceSlice[]> => (await client.list<ResourceSlice>(SLICES)).items;

/** The pods that use a claim. */
function users(...claims: (ResourceClaim | undefined)[]): string[] {
  const keys = claims.flatMap((claim) =>
    (claim?.status?.reservedFor ?? [])
      .filter(({ apiGroup, resource }) => !apiGroup && resource === 'pods')
      .map(({ name }) => `${POD}${claim?.metadata.namespace}/${name}`),
  );
  return [...new Set(keys)];
}

/** Of devices whose taints changed, the pods that use their pool. */
async function keysOfSlice(change: ObjectChange, client: Client): Promise<string[]> {
  const slice = (await change.object()) as ResourceSlice | undefined;
  const before = change.previous as ResourceSlice | undefined;
  const either = slice ?? before;
  // What it was before is not always known.
  const isUnknown = change.type === 'MODIFIED' && before === undefined;
  if (either === undefined || !(isTainted(slice) || isTainted(before) || isUnknown)) return [];
  const { items } = await client.list<ResourceClaim>(CLAIMS);
  return users(
    ...items.filter(({ status }) => status?.allocation?.devices?.results?.some((result) => isOfPool(result, either))),
  );
}

async function keysOfClaim(change: ObjectChange, client: Client): Promise<string[]> {
  const claim = (await change.object()) as ResourceClaim | undefined;
  const before = change.previous as ResourceClaim | undefined;
  if (deepEqual(claim?.status, before?.status)) return [];
  const keys = users(claim, before);
  return keys.length > 0 && (await slicesOf(client)).some(isTainted) ? keys : [];
}

async function keysOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  const pod = (await change.object()) as Pod | undefined;
  if (change.type === 'DELETED' || !pod?.spec?.nodeName || !pod.spec.resourceClaims?.length) return [];
  const before = change.previous as Pod | undefined;
  const told = deepEqual(before?.status?.resourceClaimStatuses, pod.status?.resourceClaimStatuses);
  if (before?.spec?.nodeName === pod.spec.nodeName && told) return [];
  return (await slicesOf(client)).some(isTainted) ? [`${POD}${change.key}`] : [];
}

/** When the pod has to go, in ms since the epoch; Infinity: not at all. */
async function timeFor(client: Client, pod: Pod): Promise<number> {
  const { namespace = '' } = pod.metadata;
  const claims = await Promise.all(claimNames(pod).map((name) => client.get<ResourceClaim>(CLAIMS, namespace, name)));
  const known = claims.filter((claim) => claim !== undefined);
  return known.length === 0 ? Number.POSITIVE_INFINITY : evictionTime(pod, known, await slicesOf(client));
}

function record({ events }: ControllerContext, pod: Pod, message: string): void {
  events.record({ ...pod, apiVersion: 'v1', kind: 'Pod' } as Pod, 'Normal', 'DeviceTaintManagerEviction', message);
}

/** Upstream's `device-taint-eviction-controller`. */
export const deviceTaintEvictionController: Controller = {
  name: 'device-taint-eviction-controller',
  watches: [
    // Its changes queue the pods that they concern: the other changes may judge by the slices as they were last heard of.
    { resource: SLICES, queues: true, keys: keysOfSlice },
    { resource: CLAIMS, keys: keysOfClaim },
    { resource: 'core/pods', keys: keysOfPod },
  ],
  async reconcile(client, { key }, context) {
    const [podKey = '', uid] = key.slice(POD.length).split('#');
    const { namespace, name } = parseKey(podKey);
    const pod = await client.get<Pod>('core/pods', namespace, name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    if (uid !== undefined && uid !== pod.metadata.uid) return;
    const due = `${DUE}${keyOf(pod)}#${pod.metadata.uid}`;
    const wait = (await timeFor(client, pod)) - context.now();
    if (wait <= 0) {
      record(context, pod, 'Marking for deletion');
      await evict(client, pod, WHY, context.now());
    } else if (Number.isFinite(wait)) context.schedule.after(due, wait);
    else if (key !== due && context.schedule.cancel(due)) record(context, pod, 'Cancelling deletion');
    return;
  },
};
